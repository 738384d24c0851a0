"""Commands about keys. Only a digest of a key is kept: what is shown here once is shown nowhere else."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import typer

from services.admin.output import AccountId, AgentId, ConfigurationId, GraceSeconds, Json, show
from services.ending import plain_ending

commands = typer.Typer()


@commands.command("list-keys")
def list_keys(account: AccountId, as_json: Json = False) -> None:
    """List an account's keys by their first characters, those of its configurations included."""
    with plain_ending():
        from services.admin.work import keys  # noqa: PLC0415

        show(keys.list_all(account), as_json=as_json)


@commands.command("create-key")
def create_key(account: AccountId, as_json: Json = False) -> None:
    """Create another API key of an account."""
    with plain_ending():
        from services.admin.work import keys  # noqa: PLC0415

        show(keys.create(account), as_json=as_json)


@commands.command("refresh-keys")
def refresh_keys(
    *,
    account: AccountId,
    agent: AgentId = "default",
    configuration: ConfigurationId = "default",
    type: Annotated[Literal["primary", "secondary"] | None, typer.Option(help="Only this one.")] = None,
    grace_seconds: GraceSeconds = 0,
    as_json: Json = False,
) -> None:
    """Replace a configuration's two keys, or one of them; the old ones end at once unless a grace is given."""
    with plain_ending():
        from services.admin.work import keys  # noqa: PLC0415

        fresh = keys.refresh(account, agent=agent, configuration=configuration, kind=type, grace=grace_seconds)
        show(fresh, as_json=as_json)


@commands.command("expire-key")
def expire_key(
    account: AccountId,
    key: Annotated[UUID, typer.Option("--key", help="The key's id, as `list-keys` shows it.")],
    grace_seconds: GraceSeconds = 0,
    as_json: Json = False,
) -> None:
    """Let one key end."""
    with plain_ending():
        from services.admin.work import keys  # noqa: PLC0415

        show(keys.expire(account, key, grace=grace_seconds), as_json=as_json)
