"""`make golden`: writes the golden messages that are missing, and whatever is generated from code and migrations.

Golden messages that exist are never written again; the rest is always written anew. Look at the difference before
you commit it: it is the change that other programs will see.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from contract.messages import golden_files

from rig.postgres import private_postgres
from rig.schema_dump import dump
from shared.messages.catalogue import CATALOGUE
from shared.messages.docs import page
from shared.messages.schemas import name_of, schema
from shared.store.migrate import migrate

ROOT = Path(__file__).parent.parent
EVENTS_PAGE = ROOT / "docs" / "events.md"
SCHEMAS = ROOT / "docs" / "schemas"
SCHEMA_SQL = ROOT / "shared" / "store" / "schema.sql"


def generated_docs() -> dict[Path, str]:
    """What every page and schema should hold, by its place."""
    schemas = {SCHEMAS / f"{name_of(kind)}.json": json.dumps(schema(kind), indent=2) + "\n" for kind in CATALOGUE}
    return {EVENTS_PAGE: page(golden_files.examples()), **schemas}


def generated_schema_sql() -> str:
    """The schema of a new database after every revision."""
    with private_postgres() as server:
        asyncio.run(migrate(server.dsn()))
        return dump(server.dsn())


def main() -> None:
    for name in golden_files.write_missing():
        print(f"new golden message: {name}")  # noqa: T201 - a command's own words
    wanted = generated_docs()
    for orphan in set(SCHEMAS.glob("*.json")) - set(wanted):
        orphan.unlink()
    for path, text in {**wanted, SCHEMA_SQL: generated_schema_sql()}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")  # noqa: T201 - the same


if __name__ == "__main__":
    main()
