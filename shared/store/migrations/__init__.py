"""Numbered revisions, forward only: each is an SQL file beside a few lines that name it."""
