"""Does what the commands say. Each function opens what it needs and returns what is to be shown."""
