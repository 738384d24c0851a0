"""How a result is shown: for a person, or as JSON for a program. And the options that commands share."""

from __future__ import annotations

import json
import sys
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
    """Print one thing as lines, or several as a table; nothing found is said on standard error."""
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    elif isinstance(result, Mapping):
        width = max(len(name) for name in result)
        for name, value in result.items():
            typer.echo(f"{name:<{width}}  {'' if value is None else value}")
    else:
        _table(result)


def _table(rows: Sequence[Row]) -> None:
    """Every value whole: aligned for a person, one tab between values for a pipe. A terminal wraps what is too long."""
    if not rows:
        typer.echo("None.", err=True)
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    if not sys.stdout.isatty():
        for line in lines:
            typer.echo("\t".join(line))
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: str | int | None) -> str:
    """A name may hold what would move a column, or a terminal's cursor."""
    text = "" if value is None else str(value)
    return "".join(character if character.isprintable() else " " for character in text)
