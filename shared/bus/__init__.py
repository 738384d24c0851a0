"""Messages between services: one protocol, RabbitMQ for real deployments, memory for one process."""
