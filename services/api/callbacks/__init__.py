"""Where providers report what became of messages. To add one: a module with a `CALLBACK` and a line in this list."""

from __future__ import annotations

from typing import Final

from services.api.callbacks import twilio, whatsapp
from services.api.callbacks.callback import Callback

CALLBACKS: Final[tuple[Callback, ...]] = (twilio.CALLBACK, whatsapp.CALLBACK)
