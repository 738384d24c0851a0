"""The command about the master key."""

from __future__ import annotations

from dataclasses import asdict

import typer

from services.admin.output import Json, show
from services.ending import CannotRun, plain_ending

commands = typer.Typer()


@commands.command("reseal")
def reseal(as_json: Json = False) -> None:
    """Seal every secret anew with the newest key of BELLTOWER_MASTER_KEY.

    Give it the keys that the services have, newest first. Safe to stop and to run again. Where it ends well, the
    older keys may go.
    """
    with plain_ending():
        from services.admin.work.reseal import reseal_all  # noqa: PLC0415

        tally = reseal_all()
        show(asdict(tally), as_json=as_json)
        if tally.unreadable:
            raise CannotRun(
                f"{tally.unreadable} secrets open with no key of BELLTOWER_MASTER_KEY: bring back the key that sealed "
                "them, or let their endpoints' owners make them anew"
            )
