"""An index that gives due contacts in their order, window by window."""

from shared.store.migrations.sql import run

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    run(__file__)
