"""The reasons the domain says no: a closed union, so that every dialect must say how each one sounds.

Refusal
├── Unauthenticated   no credential, or not a valid one
├── Forbidden         a valid credential that may not do this
├── NotFound          nothing of that kind and id in this account
├── Invalid           the request is wrong; names every problem at once
├── Conflict          the request is right, but the present state forbids it
├── TooLarge          the body is over the route's limit
├── TooSlow           the body did not arrive in time
├── QuotaExceeded     the account's quota is used up
├── RateLimited       too many requests
├── Unavailable       a server of ours is away; the request may be sent again
├── NotAllowed        the path is known, the method is not
└── Broken            a bug of ours; the log has the rest under the request's id
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_PROBLEMS: Final = 50
"""Problems that are told of one request; of the others their number. An answer is never larger than what was asked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request."""

    field: str
    """Where, as the caller wrote it: `sendTimes.2`; empty for the body as a whole."""
    reason: str
    """What is wrong and what would be right; never repeats a secret."""
    code: str = "invalid"
    """A stable word for programs."""
    value: str | None = None
    """What was given, where that helps the caller on (B-091); never a secret."""
    suggestion: str | None = None
    """What would be right, where there is more to say than in `reason`."""


class Refused(Exception):
    """Carries nothing by itself: catch it at the edge, match on the subclasses."""


class Unauthenticated(Refused):
    """`expired` tells a key that was good once from one that never was."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("the credential is missing, wrong or expired")
        self.expired = expired


class Forbidden(Refused):
    """`code` is a stable word such as `plan_required`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class NotFound(Refused):
    """`what` is the noun: `reminder`, `configuration`, `endpoint`."""

    def __init__(self, what: str, *, reason: str | None = None) -> None:
        super().__init__(f"{what} not found")
        self.what, self.reason = what, reason


class Invalid(Refused):
    """Every problem of the request, never only the first; `more` counts those beyond what can be told."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems[:MOST_PROBLEMS])
        self.more = len(problems) - len(self.problems)
        told = [f"{p.field}: {p.reason}" if p.field else p.reason for p in self.problems]
        super().__init__("; ".join(told + ([f"and {self.more} more"] if self.more else [])))


class Conflict(Refused):
    """`details` are facts that help the caller on, such as the existing item's id."""

    def __init__(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, dict(details or {})


class TooLarge(Refused):
    """`limit` in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes")
        self.limit = limit


class TooSlow(Refused):
    """The body did not arrive in time."""

    def __init__(self) -> None:
        super().__init__("the body did not arrive in time")


class QuotaExceeded(Refused):
    """`retry_after` in seconds, until the quota resets."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("the quota is used up")
        self.retry_after = retry_after


class RateLimited(Refused):
    """`retry_after` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class Unavailable(Refused):
    """`retry_after` in seconds."""

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__("temporarily unavailable")
        self.retry_after = retry_after


class NotAllowed(Refused):
    """`methods` are those that the path knows."""

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__("the path does not take this method")
        self.methods = tuple(methods)


class Broken(Refused):
    """Says nothing of what broke."""

    def __init__(self) -> None:
        super().__init__("something broke on our side")


Refusal = (
    Unauthenticated
    | Forbidden
    | NotFound
    | Invalid
    | Conflict
    | TooLarge
    | TooSlow
    | QuotaExceeded
    | RateLimited
    | Unavailable
    | NotAllowed
    | Broken
)
