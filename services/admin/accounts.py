"""Commands about accounts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from services.admin.output import AccountId, Json, show
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


@commands.command("change-account")
def change_account(
    account: AccountId,
    *,
    email: Annotated[
        str | None, typer.Option(help="Its owner's address, to which reminders of the CRM door go.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="An IANA name, such as Europe/Berlin.")] = None,
    reminder_hour: Annotated[int | None, typer.Option(help="The hour of those reminders, 0 to 23.")] = None,
    plan: Annotated[
        Literal["free", "paid"] | None, typer.Option(help="Only a paid one sends one-time messages.")
    ] = None,
    quota: Annotated[
        str | None, typer.Option(help="SMS segments of one-time messages for each month, or none for no limit.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Change an account's owner, zone, hour, plan or quota; reminders that exist keep their zone and hour."""
    with plain_ending():
        from services.admin.work import accounts  # noqa: PLC0415

        changed = accounts.change(
            account, email=email, time_zone=time_zone, reminder_hour=reminder_hour, plan=plan, quota=quota
        )
        show(changed, as_json=as_json)


@commands.command("list-accounts")
def list_accounts(as_json: Json = False) -> None:
    """List accounts, oldest first."""
    with plain_ending():
        from services.admin.work import accounts  # noqa: PLC0415

        show(accounts.list_all(), as_json=as_json)
