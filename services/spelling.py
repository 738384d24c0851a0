"""Names that begin as our settings do and are none: mistyped, most likely, and without a word they would be ignored."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import Final

import structlog
from dotenv import dotenv_values

from shared.runtime.settings import Settings

log = structlog.get_logger()

_PREFIX: Final = "BELLTOWER_"
_NOT_OURS: Final = "BELLTOWER_TEST_"
"""What the tests read of the environment."""


def warn_of_unknown_settings() -> None:
    """Log each name that no setting has, with the nearest that one has. Never a value."""
    given = {name.upper() for name in (*os.environ, *dotenv_values(".env"))}
    ours = {name for name in given if name.startswith(_PREFIX) and not name.startswith(_NOT_OURS)}
    unknown = ours - {f"{_PREFIX}{name}".upper() for name in Settings.model_fields}
    if not unknown:
        return
    from services.options import sections  # noqa: PLC0415 - the providers' settings take a while to load

    # Compared without what they all begin with, which would make any two of them alike.
    known = {option.name.removeprefix(_PREFIX): option.name for _, options in sections() for option in options}
    for name in sorted(unknown - set(known.values())):
        nearest = get_close_matches(name.removeprefix(_PREFIX), known, n=1)
        log.warning("unknown_setting", setting=name, nearest=known[nearest[0]] if nearest else None)
