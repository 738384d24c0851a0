"""Indexes for reading times anew when rules of time zones change, and for looking up a person's reminders."""

from shared.store.migrations.sql import run

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    run(__file__)
