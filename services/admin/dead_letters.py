"""Commands about dead letters: messages between services that no handler could take."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from services.admin.output import Json, show
from services.ending import plain_ending

commands = typer.Typer(no_args_is_help=True, help="Messages that no service could handle: list them, give them back.")

QueueName = Annotated[
    Literal["dispatcher.send-due", "webhooks.events"] | None, typer.Option("--queue", help="Only this queue's.")
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each queue, oldest first.")]


@commands.command("list")
def list_letters(queue: QueueName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List dead letters with the reason of each; JSON shows their bodies too."""
    with plain_ending():
        from services.admin.work import dead_letters  # noqa: PLC0415

        show(dead_letters.list_all(queue, limit=limit, with_bodies=as_json), as_json=as_json)


@commands.command("replay")
def replay(queue: QueueName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """Give dead letters back to their queue; what dies again is a dead letter again.

    On RabbitMQ this command does it. On the memory bus the running `belltower up` does, and this command waits.
    """
    with plain_ending():
        from services.admin.work import dead_letters  # noqa: PLC0415

        show(dead_letters.replay(queue, limit=limit), as_json=as_json)
