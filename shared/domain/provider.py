"""The providers that there are: the table that the settings, the API and the dispatcher read."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self

from shared.domain.recipient import Channel


class ProviderName(StrEnum):
    """The word that chooses a provider, and the channels on which it cannot send by a template's name alone.

    On those the text must be known here before a reminder is taken (B-019).
    """

    needs_text: frozenset[Channel]

    def __new__(cls, word: str, *needs_text: Channel) -> Self:
        name = str.__new__(cls, word)
        name._value_ = word
        name.needs_text = frozenset(needs_text)
        return name

    SANDBOX = "sandbox"
    HTTP = "http"
    TWILIO = "twilio", Channel.SMS
    WHATSAPP = "whatsapp"
    SMTP = "smtp", Channel.EMAIL


LOOKED_UP: Final = frozenset({ProviderName.TWILIO})
"""Those that can be asked whether they have a message whose answer was lost."""

OPTED_OUT: Final = {ProviderName.TWILIO: frozenset({21610, 63014}), ProviderName.WHATSAPP: frozenset({131050})}
"""By provider, its own codes that say that a person asked to be sent nothing more, in an answer or in a report."""

MESSAGE_ID_LENGTH: Final = 255


def clean_message_id(value: object) -> str | None:
    """A provider's id of a message where it can be kept: a printable string of at most 255 characters."""
    if isinstance(value, str) and 0 < len(value) <= MESSAGE_ID_LENGTH and value.isprintable():
        return value
    return None
