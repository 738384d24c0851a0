"""`belltower admin`: what an operator does by hand.

One file of commands for each noun; `work` does what they say, and is loaded when one of them runs. The rules are
the API's core's, the SQL the store's.
"""

from __future__ import annotations

import typer

from services.admin import accounts, configurations, dead_letters, keys, master_key, uncertain

admin = typer.Typer(
    no_args_is_help=True,
    help="Accounts, configurations, keys, sealed secrets, dead letters and sends in doubt.\n\n"
    "Works on the database of DATABASE_URL; without one, on that of the `belltower up` that is running on "
    "BELLTOWER_DATA_DIR.",
)
for noun in (accounts, configurations, keys, master_key):
    admin.registered_commands += noun.commands.registered_commands
admin.add_typer(dead_letters.commands, name="dead-letters")
admin.add_typer(uncertain.commands, name="uncertain")
