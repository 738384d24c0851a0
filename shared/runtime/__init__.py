"""What a running service needs around it: settings, clock, loops, relay, logs and probes."""
