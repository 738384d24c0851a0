"""Commands about an account's configurations."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from services.admin.output import AccountId, AgentId, Json, show
from services.ending import plain_ending

commands = typer.Typer()


@commands.command("create-configuration")
def create_configuration(
    *,
    account: AccountId,
    agent: AgentId,
    configuration: Annotated[str | None, typer.Option(help="Its id; without one, it gets one.")] = None,
    name: Annotated[str | None, typer.Option(help="What people call it; without one, as its agent.")] = None,
    channel: Annotated[Literal["sms", "whatsapp", "email"], typer.Option(help="How it sends.")] = "sms",
    time_zone: Annotated[str | None, typer.Option(help="An IANA name; without one, the account's.")] = None,
    as_json: Json = False,
) -> None:
    """Create a configuration of an agent, and show its two keys: this once."""
    with plain_ending():
        from services.admin.work import configurations  # noqa: PLC0415

        created = configurations.create(
            account, agent=agent, configuration=configuration, name=name, channel=channel, time_zone=time_zone
        )
        show(created, as_json=as_json)


@commands.command("list-configurations")
def list_configurations(account: AccountId, as_json: Json = False) -> None:
    """List an account's configurations, oldest first."""
    with plain_ending():
        from services.admin.work import configurations  # noqa: PLC0415

        show(configurations.list_all(account), as_json=as_json)
