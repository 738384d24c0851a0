"""Numbers instead of marks: which plan of its campaign an enrolment was armed from."""

from shared.store.migrations.sql import run

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    run(__file__)
