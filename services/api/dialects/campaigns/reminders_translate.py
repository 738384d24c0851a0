"""Reminders and their explanations to the wire, purely."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from services.api.core.explaining import Explained, Known, Life, Told
from services.api.dialects.campaigns import reminders_wire as wire
from shared.domain.circumstances import Attempt
from shared.domain.reminder import Status
from shared.domain.schedule import BadZone, zone
from shared.domain.wording import Said


def to_known(query: wire.LifeQuery) -> Known:
    return Known(
        external_id=query.external_id,
        door=query.door,
        number=int(query.number) if query.number else None,
        status=Status(query.status) if query.status else None,
        contact_id=UUID(query.contact_id) if query.contact_id else None,
        phone=query.phone,
        email=query.email,
    )


def to_life(life: Life) -> wire.LifeBody:
    """A reminder with planned sends of it."""
    time_zone = life.around.reminder.time_zone
    return {**to_reminder(life), "occurrences": [to_occurrence(told, time_zone) for told in life.sends]}


def to_reminder(life: Life) -> wire.ReminderBody:
    reminder = life.around.reminder
    return {
        "id": reminder.id,
        "door": cast("wire.Door", reminder.door),
        "external_id": reminder.external_id,
        "number": reminder.number,
        "status": reminder.status.value,
        "channel": reminder.channel.value,
        "address": reminder.address,
        "category": reminder.category.value,
        "contact_id": reminder.contact_id,
        "time_zone": reminder.time_zone,
        "created_at": reminder.created_at,
        "updated_at": reminder.updated_at,
        "next_send_at": reminder.next_send_at,
        "verdict": to_said(life.explanation.verdict),
        "counts": {state.value: n for state, n in life.around.counts.items()},
    }


def to_explanation(explained: Explained) -> wire.ExplanationBody:
    """The reasoning, each part with a stable word."""
    life, around, reasons = explained.life, explained.life.around, explained.life.explanation
    time_zone = around.reminder.time_zone
    return {
        "verdict": to_said(reasons.verdict),
        "at": reasons.at,
        "cause": to_said(reasons.cause) if reasons.cause else None,
        "expires_at": reasons.expires_at,
        "checks": [
            {"code": check.code, "passed": check.passed, "sentence": check.sentence, "until": check.until}
            for check in reasons.checks
        ],
        "next_send": to_planned(life.next, time_zone) if life.next else None,
        "schedule": to_said(explained.schedule),
        "clock": {
            "time_zone": time_zone,
            "dst": _dst(around.reminder.schedule_json),
            "planned_with": around.planned_with,
            "rules": explained.rules,
        },
        "settings": {
            "grace": {
                "seconds": around.settings.grace.value.total_seconds(),
                "source": around.settings.grace.source.value,
            },
            "catch_up": {
                "value": around.settings.catch_up.value.value,
                "source": around.settings.catch_up.source.value,
            },
            "on_unknown": {
                "value": around.settings.on_unknown.value.value,
                "source": around.settings.on_unknown.source.value,
            },
        },
    }


def to_planned(told: Told, time_zone: str) -> wire.PlannedBody:
    """A planned send with what its instant was made from."""
    intent = told.intent
    written: wire.IntentBody | None = (
        {"written": intent.written, "clock": intent.clock.value, "sentence": intent.sentence} if intent else None
    )
    return {**to_occurrence(told, time_zone), "intent": written}


def to_occurrence(told: Told, time_zone: str) -> wire.OccurrenceBody:
    send = told.send
    local = _local(send.scheduled_for, time_zone)
    return {
        "id": send.id,
        "seq": send.seq,
        "kind": send.kind.value,
        "state": send.state.value,
        "scheduled_for": send.scheduled_for,
        "local_time": local.replace(tzinfo=None).isoformat(timespec="seconds"),
        "utc_offset": local.isoformat()[-6:],
        "due_at": send.due_at if send.ended_at is None else None,
        "ended_at": send.ended_at,
        "lateness_seconds": told.lateness.total_seconds() if told.lateness is not None else None,
        "ending": to_said(told.ending) if told.ending else None,
        "provider": send.provider,
        "provider_message_id": send.provider_message_id,
        "receipt": send.receipt,
        "receipt_at": send.receipt_at,
        "lease_until": send.lease_until,
        "calls": send.attempt,
        "failures": send.failures,
        "attempts": [_attempt(attempt) for attempt in send.attempts],
    }


def to_said(said: Said) -> wire.SaidBody:
    return {"code": said.code, "sentence": said.sentence}


def _attempt(attempt: Attempt) -> wire.AttemptBody:
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "code": attempt.code,
    }


def _dst(schedule: dict[str, Any]) -> wire.DstBody:
    """What is usual is not kept (B-027)."""
    kept = schedule.get("dst", {})
    return {"gap": kept.get("gap", "forward"), "overlap": kept.get("overlap", "first")}


def _local(moment: datetime, time_zone: str) -> datetime:
    try:
        return moment.astimezone(zone(time_zone))
    except BadZone:  # one that today's rules have no more
        return moment
