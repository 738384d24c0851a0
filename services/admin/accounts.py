"""Commands about accounts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from services.admin.output import Json, show
from services.ending import plain_ending

commands = typer.Typer()


@commands.command("create-account")
def create_account(
    name: Annotated[str, typer.Argument(help="What the account is called.")],
    email: Annotated[str | None, typer.Option(help="Its owner's address.")] = None,
    time_zone: Annotated[str, typer.Option(help="An IANA name, such as Europe/Berlin.")] = "UTC",
    channel: Annotated[
        Literal["sms", "whatsapp", "email"], typer.Option(help="The channel of its default configuration.")
    ] = "sms",
    as_json: Json = False,
) -> None:
    """Create an account, and show its keys: this once."""
    with plain_ending():
        from services.admin.work import accounts  # noqa: PLC0415

        show(accounts.create(name, email=email, time_zone=time_zone, channel=channel), as_json=as_json)


@commands.command("list-accounts")
def list_accounts(as_json: Json = False) -> None:
    """List accounts, oldest first."""
    with plain_ending():
        from services.admin.work import accounts  # noqa: PLC0415

        show(accounts.list_all(), as_json=as_json)
