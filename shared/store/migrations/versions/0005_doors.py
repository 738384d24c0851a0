"""People, what they agreed to, campaigns and appointment types."""

from shared.store.migrations.sql import run

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    run(__file__)
