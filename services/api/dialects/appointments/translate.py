"""Wire to domain and back. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from services.api.dialects.appointments import wire
from shared.domain.booking import DEFAULT_REMINDER, AppointmentMessage, AppointmentType, Booking, around_of
from shared.domain.draft import Draft, Reminder, draft_of
from shared.domain.metadata import macros
from shared.domain.recipient import Channel, phone_in
from shared.domain.refusal import Invalid, Problem
from shared.domain.reminder import CancelOutcome
from shared.domain.schedule import Around, BadTime, DstRule, Duration

MOST_PER_PAGE: Final = 200

FIELDS: Final[Mapping[str, str]] = {"event_type": "eventType.uuid", "event": "eventDateTime"}
"""How this dialect calls what the core names otherwise."""


def to_draft(body: wire.NewAppointment, *, region: str, dst: DstRule) -> Draft:
    """What the body asks for; whose it is and its texts are the core's to find. Raises `Invalid`."""
    number = phone_in(region, body.phone)
    booking = Booking(
        event_type=body.event_type.uuid,
        first_name=body.first_name,
        last_name=body.last_name,
        email=body.email_address,
        metadata=body.metadata,
        eligible_only=body.send_eligible_subscribers_only,
    )
    return Draft(
        external_id=body.external_event_id,
        channel=Channel.SMS,
        address=number.e164,
        phone_number=body.phone,
        national_digits=number.national,
        schedule=_around(
            body.event_date_time,
            body.subscriber_time_zone,
            Duration.parse(body.remind_time_offset or DEFAULT_REMINDER),
            Duration.parse(body.follow_up_time_offset) if body.follow_up_time_offset else None,
            dst,
        ),
        time_zone=body.subscriber_time_zone,
        details=booking.to_json(),
    )


def to_changed_draft(body: wire.AppointmentChange, reminder: Reminder, *, region: str, dst: DstRule) -> Draft:
    """The kept appointment with what the body gives (B-236). Raises `Invalid`."""
    kept, given = draft_of(reminder), body.given
    draft = replace(
        kept,
        external_id=body.external_event_id if "external_event_id" in given else kept.external_id,
        details=_changed_booking(body, Booking.of(reminder.details)).to_json(),
    )
    if "phone" in given:
        number = phone_in(region, body.phone)
        draft = replace(draft, address=number.e164, phone_number=body.phone, national_digits=number.national)
    if not given & {"event_date_time", "subscriber_time_zone", "remind_time_offset", "follow_up_time_offset"}:
        return draft
    around = around_of(kept)
    follow_up = around.follow_up_after
    if "follow_up_time_offset" in given:
        follow_up = Duration.parse(body.follow_up_time_offset) if body.follow_up_time_offset else None
    time_zone = body.subscriber_time_zone if "subscriber_time_zone" in given else kept.time_zone
    schedule = _around(
        body.event_date_time if "event_date_time" in given else around.event,
        time_zone,
        Duration.parse(body.remind_time_offset) if "remind_time_offset" in given else around.remind_before,
        follow_up,
        dst,
    )
    return replace(draft, schedule=schedule, time_zone=time_zone)


def _changed_booking(body: wire.AppointmentChange, kept: Booking) -> Booking:
    given = body.given
    return replace(
        kept,
        event_type=body.event_type.uuid if "event_type" in given else kept.event_type,
        first_name=body.first_name if "first_name" in given else kept.first_name,
        last_name=body.last_name if "last_name" in given else kept.last_name,
        email=body.email_address if "email_address" in given else kept.email,
        metadata=body.metadata if "metadata" in given else kept.metadata,
    )


def to_names(body: wire.NewAppointment | wire.AppointmentChange) -> dict[str, str]:
    """The names that the body gives (B-216)."""
    given = {"first_name": body.first_name, "last_name": body.last_name}
    return {name: value for name, value in given.items() if value is not None}


def _around(event: str, time_zone: str, before: Duration, after: Duration | None, dst: DstRule) -> Around:
    try:
        return Around.of(event, time_zone, before, after, dst)
    except BadTime as error:
        raise Invalid([Problem("event", str(error))]) from None


def to_page(query: wire.AppointmentQuery | wire.TypeQuery) -> tuple[int, int]:
    """Limit and offset. Raises `Invalid`."""
    limit, offset = int(query.limit), int(query.offset)
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Invalid([Problem("limit", f"must be 1 to {MOST_PER_PAGE}")])
    return limit, offset


def to_address(phone: str | None, *, region: str) -> str | None:
    """E.164 of the phone that a list is asked for."""
    return None if phone is None else phone_in(region, phone).e164


def to_id(text: str) -> UUID | None:
    """A UUID in its usual spelling, or None: such an id is nobody's."""
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def to_appointment(reminder: Reminder) -> wire.AppointmentTold:
    """The fields as the caller wrote them, the id, and the status (B-211, B-251)."""
    booking, around = Booking.of(reminder.details), around_of(draft_of(reminder))
    told: wire.AppointmentTold = {
        "uuid": str(reminder.id),
        "phone": _phone(reminder),
        "eventType": {"uuid": booking.event_type},
        "remindTimeOffset": around.remind_before.text,
        "eventDateTime": around.event,
        "subscriberTimeZone": reminder.time_zone,
        "status": reminder.status,
    }
    if reminder.external_id is not None:
        told["externalEventId"] = reminder.external_id
    if booking.first_name is not None:
        told["firstName"] = booking.first_name
    if booking.last_name is not None:
        told["lastName"] = booking.last_name
    if booking.email is not None:
        told["emailAddress"] = booking.email
    if around.follow_up_after is not None:
        told["followUpTimeOffset"] = around.follow_up_after.text
    if booking.metadata is not None:
        told["metadata"] = dict(booking.metadata)
    return told


def _phone(reminder: Reminder) -> str:
    """As the caller wrote it, unless the contact got another phone by another door."""
    written, digits = reminder.phone_number, reminder.national_digits
    return written if written and digits and reminder.address.endswith(digits) else reminder.address


def to_created(reminder: Reminder) -> wire.AppointmentTold | wire.CreatedTold:
    """The same with the flag, which no other answer shows (B-237)."""
    told, eligible_only = to_appointment(reminder), Booking.of(reminder.details).eligible_only
    return told if eligible_only is None else {**told, "sendEligibleSubscribersOnly": eligible_only}


def to_cancelled(reminder: Reminder, outcome: CancelOutcome | None) -> wire.CancelledTold:
    """The same with what the cancel came in time for."""
    return {**to_appointment(reminder), "cancelOutcome": outcome or CancelOutcome.PREVENTED}


def to_type(kind: AppointmentType) -> wire.TypeTold:
    """C-20."""
    return {"uuid": str(kind.id), "type": kind.type}


def to_message(message: AppointmentMessage) -> wire.MessageTold:
    """C-21, C-22."""
    return {
        "eventType": {"uuid": str(message.type_id)},
        "messageType": message.message_type,
        "text": message.text,
        "macros": list(macros(message.text)),
    }
