"""Commands: imperative, one consumer each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Due:
    """One claimed occurrence; `version` is the fence that a change by a caller raises."""

    occurrence_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class SendDue:
    """Send these now: a hint, of which any may be late, lost or repeated."""

    TYPE: ClassVar[str] = "send.due"
    VERSION: ClassVar[int] = 1

    due: tuple[Due, ...]
