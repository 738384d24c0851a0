"""The body formats. Add one: a file here and a line below. Both signatures go with every format."""

from __future__ import annotations

from typing import Final

from services.webhooks.format import Format
from services.webhooks.formats.attempt import ATTEMPT
from services.webhooks.formats.envelope import ENVELOPE

FORMATS: Final[tuple[Format, ...]] = (ENVELOPE, ATTEMPT)
