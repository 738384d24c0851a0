"""What a provider said of one attempt: a closed set of five words.

`shared.domain.occurrence` maps each to the occurrence's next state, in one place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message; it is sent."""

    provider_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused the message for good: the same message would be refused again."""

    reason: str
    """Our own words, for history: no phone number, no text, no secret."""
    code: str | None = None
    """The provider's own code, as it gave it."""
    opted_out: bool = False
    """The provider says that this person asked to be sent nothing more: the address is to be suppressed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Definitely not sent, or safe to repeat under the same key; worth another try."""

    reason: str
    code: str | None = None
    retry_after: timedelta | None = None
    """What the provider asked for; the backoff is never shorter than this."""
    counts: bool = True
    """Whether it uses up one of the five failures of a send time; a 429 does not."""
    ambiguous: bool = False
    """The provider honours keys and may have taken this one: the same key goes out again."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call may or may not have sent the message, and the provider takes no key."""

    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The provider refused our own credentials (401, 403): nothing goes out through it until they are mended."""

    reason: str
    code: str | None = None


Outcome = Accepted | Rejected | Failed | Unknown | Unavailable


def without_words(outcome: Outcome) -> Outcome:
    """The same outcome with nothing in it that a provider said: for an answer that cannot be kept as it is."""
    if isinstance(outcome, Accepted):
        return Accepted()
    return replace(outcome, reason="the provider's answer could not be kept", code=None)
