"""Which events a configuration's webhook URL is told of."""

from shared.store.migrations.sql import run

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run(__file__)
