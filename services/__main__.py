"""The `belltower` command. What a command needs is loaded when it runs, so that help and mistakes answer at once."""

from __future__ import annotations

from typing import Annotated

import typer

from services.admin import admin
from services.ending import plain_ending

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Belltower takes reminders over HTTP and rings each one once, on time.\n\n"
    "Settings come from the environment or a `.env` file: `belltower settings` lists them.",
)
app.add_typer(admin, name="admin")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415

        typer.echo(f"belltower {version('belltower')}")
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Nothing but what stands before a command."""


@app.command()
def up() -> None:
    """Run all of Belltower here, in one process.

    It brings a PostgreSQL of its own; DATABASE_URL and BUS_URL switch to real servers. Everything is kept in
    BELLTOWER_DATA_DIR (`.data`): Ctrl-C drains and stops, and starting again goes on.
    """
    with plain_ending():
        from services.up import run_up  # noqa: PLC0415

        run_up()


@app.command()
def api() -> None:
    """Run the API: takes reminders over HTTP."""
    _run_alone("api")


@app.command()
def scheduler() -> None:
    """Run the scheduler: rings what is due. Any number may run side by side."""
    _run_alone("scheduler")


@app.command()
def dispatcher() -> None:
    """Run the dispatcher: calls the messaging providers."""
    _run_alone("dispatcher")


@app.command()
def webhooks() -> None:
    """Run the webhook service: tells endpoints what happened."""
    _run_alone("webhooks")


def _run_alone(name: str) -> None:
    with plain_ending():
        from services.alone import run_alone  # noqa: PLC0415

        run_alone(name)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema.

    Safe to run twice, and beside running services."""
    with plain_ending():
        from services.migrating import migrate_now  # noqa: PLC0415

        migrate_now()


@app.command()
def settings(
    env: Annotated[bool, typer.Option("--env", help="Print them as a commented `.env` file.")] = False,
) -> None:
    """Print every setting: its name, its default and what it does."""
    with plain_ending():
        from services.options import as_env, as_text  # noqa: PLC0415

        typer.echo(as_env() if env else as_text(), nl=False)


def main() -> None:
    """The entry point of the `belltower` script."""
    app(prog_name="belltower")


if __name__ == "__main__":
    main()
