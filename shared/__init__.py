"""What all four services share: a pure domain, the messages, the store, the bus and the runtime.

Read `shared.domain` first; nothing in it waits, and everything else serves it.
"""
