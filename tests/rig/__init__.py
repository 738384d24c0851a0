"""The servers that tests start, break and stop: a private PostgreSQL, a private RabbitMQ and a network in between.

Each listens on a free port of 127.0.0.1, keeps its files in a folder of its own and is gone at the end of the run,
also when a test fails.
"""
