"""Runs a revision's SQL file through the raw asyncpg connection.

SQLAlchemy's own path takes one statement at a time and reads `:name` as a parameter.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op
from sqlalchemy import text
from sqlalchemy.util import await_only


def run(revision_file: str) -> None:
    """Run the `.sql` file that lies beside `revision_file`, inside the revision's transaction."""
    statements = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind()
    connection.execute(text("select 1"))  # opens the transaction that the raw connection then shares
    raw = connection.connection.driver_connection
    await_only(raw.execute(statements))  # type: ignore[union-attr]
