"""The only SQL in the project: one module per noun, one function per statement."""
