"""How a result is shown: for a person, or as JSON for a program. And the options that commands share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

import typer

Row: TypeAlias = Mapping[str, str | int | None]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AccountId = Annotated[UUID, typer.Option("--account", help="The account's id.")]
AgentId = Annotated[str, typer.Option("--agent", help="The agent's id.")]
ConfigurationId = Annotated[str, typer.Option("--configuration", help="The configuration's id.")]
GraceSeconds = Annotated[float, typer.Option("--grace-seconds", min=0, help="How long the old key stays good.")]


def show(result: Row | Sequence[Row], *, as_json: bool) -> None:
    """Print one thing as lines, or several as a table."""
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    elif isinstance(result, Mapping):
        width = max(len(name) for name in result)
        for name, value in result.items():
            typer.echo(f"{name:<{width}}  {'' if value is None else value}")
    else:
        _table(result)


def _table(rows: Sequence[Row]) -> None:
    if not rows:
        typer.echo("None.")
        return
    from rich.console import Console  # noqa: PLC0415 - only a table needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console = Console(markup=False, highlight=False, emoji=False)
    # A file or a pipe has no width to fit into.
    console.print(table, width=None if console.is_terminal else 240)
