"""The messaging providers. To add one: a module with a `REGISTRATION` and a line in this list.

Modules here know nothing of each other; what they share lives beside this folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.dispatcher.providers import http, sandbox, smtp, twilio, whatsapp

if TYPE_CHECKING:
    from services.dispatcher.registration import Registration

PROVIDERS: Final[list[Registration]] = [
    sandbox.REGISTRATION,
    http.REGISTRATION,
    twilio.REGISTRATION,
    whatsapp.REGISTRATION,
    smtp.REGISTRATION,
]
