"""The published language on the broker: the envelope, the command and the catalogue of events."""
