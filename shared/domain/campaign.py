"""A campaign: what is said to those who are enrolled in it, and when (B-095 to B-098).

A recurring one counts back from each contact's due date; a one-off one is sent once. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.domain.contact import Contact, Due
from shared.domain.draft import Category
from shared.domain.plan import Place, spent
from shared.domain.recipient import Channel
from shared.domain.schedule import BadTime, DstRule, Duration, at_wall_clock, read_date

MAX_OFFSETS: Final = 50

MAX_TEXT: Final = 1_600
"""Characters of a text that goes to a telephone (B-139)."""


class CampaignType(StrEnum):
    """B-096."""

    RECURRING = "recurring"
    ONE_OFF = "one_off"


class CampaignStatus(StrEnum):
    """B-096. Only a running one takes contacts in and sends."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"


class EnrollmentStatus(StrEnum):
    """What came of an enrolment (B-132)."""

    ENROLLED = "enrolled"
    ALREADY_ENROLLED = "already_enrolled"
    SKIPPED = "skipped"


_NEXT: Final[Mapping[CampaignStatus, frozenset[CampaignStatus]]] = MappingProxyType(
    {
        CampaignStatus.DRAFT: frozenset({CampaignStatus.RUNNING, CampaignStatus.COMPLETED}),
        CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.COMPLETED}),
        CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.COMPLETED}),
        CampaignStatus.COMPLETED: frozenset(),
    }
)


def may_become(status: CampaignStatus, wanted: CampaignStatus) -> bool:
    """Whether a campaign may go from one status to the other; staying is always allowed."""
    return wanted is status or wanted in _NEXT[status]


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as it is kept."""

    id: UUID
    account_id: UUID
    name: str
    type: CampaignType
    status: CampaignStatus
    channel: Channel
    category: Category
    subject: str | None
    """Of an e-mail; with macros, as the body."""
    body: str
    """With macros: `shared.domain.macros`."""
    offsets: tuple[Duration, ...]
    """How long before the due date each message goes out; of a recurring one."""
    send_at: datetime | None
    """Of a one-off one; None, or past, sends at once."""
    sequence: int
    """The number of its newest event."""
    created_at: datetime
    updated_at: datetime


def faults(campaign: Campaign) -> list[tuple[str, str]]:
    """What does not go together in a campaign: each with its field."""
    found = []
    if campaign.type is CampaignType.RECURRING and not campaign.offsets:
        found.append(("offsets", "a recurring campaign needs one or more, such as P1D"))
    if campaign.type is CampaignType.RECURRING and campaign.send_at is not None:
        found.append(("send_at", "is of one-off campaigns; a recurring one has offsets"))
    if campaign.type is CampaignType.ONE_OFF and campaign.offsets:
        found.append(("offsets", "are of recurring campaigns; a one-off one has send_at"))
    if campaign.channel is not Channel.EMAIL and len(campaign.body) > MAX_TEXT:
        found.append(("body", f"must have at most {MAX_TEXT} characters on this channel"))
    return found


def replans(before: Campaign, after: Campaign) -> bool:
    """Whether a change makes the planned sends of those enrolled stale."""
    ended = after.status is CampaignStatus.COMPLETED and before.status is not after.status
    return ended or _plan_of(before) != _plan_of(after)


def _plan_of(campaign: Campaign) -> tuple[object, ...]:
    return (
        campaign.channel,
        campaign.category,
        campaign.subject,
        campaign.body,
        campaign.offsets,
        campaign.send_at,
    )


@dataclass(frozen=True, slots=True)
class Where:
    """How the clocks of one contact are read."""

    zone: ZoneInfo
    hour: int
    """The account's hour for what is due on a date."""
    dst: DstRule


def skip_reason(campaign: Campaign, contact: Contact) -> str | None:
    """Why a contact cannot be enrolled, or None (B-132)."""
    if campaign.status is not CampaignStatus.RUNNING:
        return "campaign_not_running"
    return missing_address(campaign.channel, contact)


def missing_address(channel: Channel, contact: Contact) -> str | None:
    """What a contact lacks to be written to on this channel, or None."""
    if address_of(channel, contact):
        return None
    return "missing_email" if channel is Channel.EMAIL else "missing_phone_number"


def address_of(channel: Channel, contact: Contact) -> str | None:
    """Where a contact is reached on this channel."""
    return contact.email if channel is Channel.EMAIL else contact.phone


def instants_before(due: Due, offsets: Iterable[Duration], where: Where) -> tuple[datetime, ...]:
    """The instants at these offsets before a due date, ascending; what falls off the calendar is left out.

    A date alone is due at the account's hour of that day where the contact is, a date and time at its instant.
    """
    found = set()
    for offset in offsets:
        try:
            found.add(offset.before(_due_at(due, where), where.zone, where.dst))
        except BadTime:
            continue
    return tuple(sorted(found))


def _due_at(due: Due, where: Where) -> datetime:
    if not due.is_date:
        return due.at
    return at_wall_clock(datetime.combine(read_date(due.text), time(where.hour)), where.zone, where.dst)


def times_to_send(
    campaign: Campaign, due: Due | None, where: Where, places: Sequence[Place], *, now: datetime
) -> tuple[datetime, ...]:
    """The send times of one enrolment, those that were sent and still belong to them included.

    `places` are its planned sends so far. Nothing is planned in the past, but what waits there already stays; and
    what was sent is never planned again (B-136).
    """
    if campaign.status is CampaignStatus.COMPLETED:
        return ()
    if campaign.type is CampaignType.ONE_OFF:
        return (_once(campaign.send_at, places, now),)
    if due is None:
        return ()
    known = {at for _, at in spent(places)} | {place.scheduled_for for place in places if place.stoppable}
    return tuple(at for at in instants_before(due, campaign.offsets, where) if at > now or at in known)


def _once(send_at: datetime | None, places: Sequence[Place], now: datetime) -> datetime:
    """The one instant: of what was sent, or is to be; what waits and is due by now stays where it is."""
    over = [at for _, at in spent(places)]
    if over:
        return max(over)
    if send_at is not None and send_at > now:
        return send_at
    return min((p.scheduled_for for p in places if p.stoppable and p.scheduled_for <= now), default=now)
