"""Commands about sends in doubt: whatever may or may not have been sent, and was parked."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import typer

from services.admin.output import Json, show
from services.ending import plain_ending

commands = typer.Typer(no_args_is_help=True, help="Sends that may or may not have been made: list them, settle them.")

OfAccount = Annotated[UUID | None, typer.Option("--account", help="Only this account's.")]


@commands.command("list")
def list_parked(
    account: OfAccount = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, oldest first.")] = 100,
    as_json: Json = False,
) -> None:
    """List sends whose answer was lost, with what is known of each."""
    with plain_ending():
        from services.admin.work import uncertain  # noqa: PLC0415

        show(uncertain.list_all(account, limit=limit), as_json=as_json)


@commands.command("resolve")
def resolve(
    message: Annotated[UUID, typer.Argument(help="Its id, as the list shows it.")],
    outcome: Annotated[
        Literal["sent", "not_sent", "closed"],
        typer.Option(help="What it was; not_sent is tried again where there is time, closed gives it up."),
    ],
    message_id: Annotated[str | None, typer.Option(help="The provider's id of the message, where it was sent.")] = None,
    as_json: Json = False,
) -> None:
    """Settle one of them."""
    with plain_ending():
        from services.admin.work import uncertain  # noqa: PLC0415

        show(uncertain.resolve(message, outcome, message_id=message_id), as_json=as_json)
