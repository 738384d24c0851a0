"""Contacts and opt-outs: core values ⇄ the wire, purely."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, Literal, NotRequired
from uuid import UUID
from zoneinfo import ZoneInfo

from typing_extensions import TypedDict

from services.api.core.contact_listing import ContactFilter
from services.api.core.contact_upsert import ContactGiven
from services.api.core.enrollment import Enrollment
from services.api.core.opt_outs import OptOut
from services.api.dialects.campaigns import contacts_wire as wire
from services.api.dialects.campaigns.wire import read_id
from shared.domain.campaign import EnrollmentStatus
from shared.domain.contact import Contact, IntervalUnit
from shared.domain.due import read_due
from shared.domain.refusal import Invalid, NotFound, Problem

_NAMES: Final = {
    "phone": "phone",
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "marketing_consent": "marketing_consent",
    "next_due_at": "next_due",
    "last_service_at": "last_service",
    "note": "note",
    "tags": "tags",
    "time_zone": "time_zone",
}
"""Fields of the body that are fields of a contact, with the names that they have there."""

_LIKE_A_PHONE: Final = re.compile(r"[+0-9 ().\-/]+", re.ASCII)


class ContactBody(TypedDict):
    """A contact as it is shown; what stands after the interval is an addition of ours."""

    id: UUID
    first_name: str | None
    last_name: str | None
    phone: str | None
    email: str | None
    marketing_consent: bool
    next_due_at: str | None
    last_service_at: str | None
    note: str | None
    tags: list[str]
    custom_fields: dict[str, Any]
    is_recurrent: bool
    recurrent_interval_value: int | None
    recurrent_interval_unit: IntervalUnit | None
    time_zone: str | None
    created_at: datetime
    updated_at: datetime


class EnrollmentBody(TypedDict):
    campaign_id: UUID
    status: EnrollmentStatus
    enrollment_id: UUID | None
    reason: NotRequired[str]


class UpsertedBody(TypedDict):
    success: bool
    contact_id: UUID
    action: Literal["created", "updated"]
    contact: ContactBody
    enrollments: list[EnrollmentBody]


class OneContactBody(TypedDict):
    success: bool
    contact: ContactBody


class ContactsBody(TypedDict):
    success: bool
    contacts: list[ContactBody]
    total: int
    limit: int
    offset: int


class DeletedBody(TypedDict):
    success: bool
    deleted: bool


class OptOutBody(TypedDict):
    address: str
    source: str
    created_at: datetime


class OneOptOutBody(TypedDict):
    success: bool
    opt_out: OptOutBody


class OptOutsBody(TypedDict):
    success: bool
    opt_outs: list[OptOutBody]
    total: int
    limit: int
    offset: int


def to_given(body: wire.NewContact) -> ContactGiven:
    """What the caller said, and nothing that was left out (B-107)."""
    written = {name: getattr(body, name) for name in body.model_fields_set}
    fields = {_NAMES[name]: value for name, value in written.items() if name in _NAMES}
    if "tags" in fields:
        fields["tags"] = tuple(dict.fromkeys(fields["tags"] or ()))
    if "marketing_consent" in fields:
        fields["marketing_consent"] = bool(fields["marketing_consent"])
    parts = {"value": "recurrent_interval_value", "unit": "recurrent_interval_unit"}
    return ContactGiven(
        fields=fields,
        custom_fields=written.get("custom_fields", {}),
        is_recurrent=bool(body.is_recurrent) if "is_recurrent" in written else None,
        interval={part: written[name] for part, name in parts.items() if name in written},
    )


def to_campaign_ids(body: wire.NewContact) -> list[UUID]:
    """Raises `NotFound`: an id that is no UUID is nobody's (B-111)."""
    found = [read_id(id) for id in body.campaign_ids or ()]
    ids = [id for id in found if id is not None]
    if len(ids) < len(found):
        raise NotFound("campaign")
    return ids


def to_filter(query: wire.ContactQuery, *, account_zone: str) -> ContactFilter:
    """What to search by; a date is its midnight in UTC, as due dates are, other times without an offset are local."""

    def moment(text: str | None) -> datetime | None:
        return None if text is None else read_due(text, ZoneInfo(account_zone)).at

    return ContactFilter(
        text=query.search or None,
        digits=_digits(query.search or ""),
        phone=query.phone,
        email=query.email,
        has_phone=_flag(query.has_phone),
        marketing_consent=_flag(query.marketing_consent),
        is_recurrent=_flag(query.is_recurrent),
        due_before=moment(query.next_due_before),
        due_after=moment(query.next_due_after),
        created_after=moment(query.created_after),
    )


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "true"


def _digits(text: str) -> str | None:
    """Of a search that looks like a phone number, without the zeros before it: E.164 has none there (B-121)."""
    if _LIKE_A_PHONE.fullmatch(text) is None:
        return None
    return re.sub(r"[^0-9]", "", text).lstrip("0") or None


def to_page(query: wire.PageQuery) -> tuple[int, int]:
    """Limit, at most 100, and offset (B-119, B-120)."""
    return min(int(query.limit), MOST_PER_PAGE), int(query.offset)


MOST_PER_PAGE: Final = 100


def to_contact(contact: Contact) -> ContactBody:
    """Dates as their caller wrote them (B-105)."""
    return {
        "id": contact.id,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "phone": contact.phone,
        "email": contact.email,
        "marketing_consent": contact.marketing_consent,
        "next_due_at": contact.next_due.text if contact.next_due else None,
        "last_service_at": contact.last_service.text if contact.last_service else None,
        "note": contact.note,
        "tags": list(contact.tags),
        "custom_fields": contact.custom_fields,
        "is_recurrent": contact.is_recurrent,
        "recurrent_interval_value": contact.interval.value if contact.interval else None,
        "recurrent_interval_unit": contact.interval.unit if contact.interval else None,
        "time_zone": contact.time_zone,
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
    }


def to_enrollment(enrollment: Enrollment) -> EnrollmentBody:
    """`reason` says why it was skipped."""
    body: EnrollmentBody = {
        "campaign_id": enrollment.campaign_id,
        "status": enrollment.status,
        "enrollment_id": enrollment.id,
    }
    return {**body, "reason": enrollment.reason} if enrollment.reason is not None else body


def to_opt_out(opt_out: OptOut) -> OptOutBody:
    return {"address": opt_out.address, "source": opt_out.source, "created_at": opt_out.created_at}


def to_address(text: str) -> str:
    """The address in a path: an e-mail, or a phone whose `+` may be lost. Raises `NotFound`."""
    if "@" in text:
        return text
    phone = wire.with_plus(text)
    if not wire.is_e164(phone):
        raise NotFound("opt_out")
    return phone


def to_suppressed(body: wire.NewOptOut) -> str:
    """Raises `Invalid` where both are given: each is opted out by itself."""
    if body.phone is not None and body.email is not None:
        raise Invalid([Problem("email", "give either phone or email; for both, send two requests")])
    return body.phone or body.email or ""
