"""Takes what is due, calls the messaging provider, and writes what came of it.

Read `dispatcher` first; `provider` is what a provider must be, `providers` the list of them.
"""

from services.dispatcher.run import run

__all__ = ["run"]
