"""How a command ends: one line on standard error and an exit code, and no traceback for what can be expected."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

FAILED: Final = 1
BAD_SETTINGS: Final = 2
INTERRUPTED: Final = 130


class CannotRun(Exception):
    """The command cannot be done; the message says why and what to do."""


@contextmanager
def plain_ending() -> Iterator[None]:
    """End the process as the outcome of the block asks: 2 for wrong settings, 1 for other failures."""
    try:
        yield
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(INTERRUPTED) from None
    except typer.Exit:
        raise
    except Exception as error:  # noqa: BLE001 - the last place where anything can be said about it
        raise typer.Exit(_explain(_first(error))) from None


def _first(error: BaseException) -> BaseException:
    """The first error inside groups: what comes after it mostly follows from it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _explain(error: BaseException) -> int:
    """Say what happened; returns the exit code."""
    from services import excuses  # noqa: PLC0415 - a command that goes well needs none

    problem = excuses.wrong_settings(error)
    if problem is not None:
        typer.echo(f"belltower: wrong settings\n{problem}", err=True)
        return BAD_SETTINGS
    line = str(error) if isinstance(error, CannotRun) else excuses.in_words(error)
    if line is None:
        excuses.log_crash(error)
    else:
        typer.echo(f"belltower: {line}", err=True)
    return FAILED
