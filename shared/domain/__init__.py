"""The rules of ringing once, on time. Pure: values in, values out; no I/O, no clock, no await."""
