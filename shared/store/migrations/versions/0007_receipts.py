"""What providers report of messages, look-ups of sends in doubt, and the sentinel's way through the schedule."""

from shared.store.migrations.sql import run

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run(__file__)
