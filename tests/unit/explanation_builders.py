"""The circumstances of a reminder planned for noon in Berlin, looked at an hour before: change what matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.domain.account import OnUnknown, Policy
from shared.domain.circumstances import Circumstances, Send, settle_settings
from shared.domain.draft import Category, Reminder
from shared.domain.occurrence import Kind, State
from shared.domain.recipient import Channel
from shared.domain.reminder import Status

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
"""In Berlin."""
HOUR = timedelta(hours=1)
NOW = NOON - HOUR
POLICY = Policy(grace=HOUR, catch_up=None, on_unknown=OnUnknown.PARK)


def a_kept_reminder(**changes: Any) -> Reminder:
    kept = Reminder(
        id=UUID(int=2),
        number=7,
        account_id=UUID(int=3),
        configuration_id=UUID(int=4),
        door="integration",
        external_id="invoice-42",
        channel=Channel.SMS,
        address="+6281234567890",
        country_code=None,
        phone_number=None,
        national_digits=None,
        recipient_name=None,
        template_name=None,
        parameters=(),
        text="Hello",
        subject=None,
        category=Category.TRANSACTIONAL,
        contact_id=None,
        enrollment_id=None,
        birthday=False,
        details={},
        schedule_json={"kind": "times", "send_times": ["2026-03-02T12:00"]},
        time_zone="Europe/Berlin",
        status=Status.ACTIVE,
        fingerprint=None,
        sequence=1,
        last_send_at=None,
        last_attempts=0,
        created_at=NOW,
        updated_at=NOW,
        next_send_at=NOON,
        last_sent_for=None,
        sent=0,
        skipped=0,
    )
    return replace(kept, **changes)


def a_send(**changes: Any) -> Send:
    waiting = Send(
        id=UUID(int=1),
        reminder_id=UUID(int=2),
        seq=1,
        kind=Kind.MAIN,
        scheduled_for=NOON,
        due_at=NOON,
        state=State.SCHEDULED,
        attempt=0,
        failures=0,
        lease_until=None,
        started_at=None,
        provider=None,
        provider_message_id=None,
        reason=None,
        ended_at=None,
    )
    return replace(waiting, **changes)


def circumstances(*, reminder: Reminder | None = None, policy: Policy = POLICY, **changes: Any) -> Circumstances:
    """Nothing stands in the way, unless `changes` say so."""
    reminder = reminder or a_kept_reminder()
    free = Circumstances(
        now=NOW,
        reminder=reminder,
        planned_with="2026.6",
        settings=settle_settings((), policy, reminder),
        running=True,
        agent_id="default",
        configuration_id="default",
        suppressed=None,
        agreement=None,
        campaign=None,
        pause=None,
        counts={State.SCHEDULED: 1},
        next=a_send(),
        later_is_due=False,
        last=None,
        last_change=None,
    )
    return replace(free, **changes)


def over(status: Status, last: Send | None = None, **changes: Any) -> Circumstances:
    """Of a reminder that is over; `last` is its newest send."""
    ended = a_kept_reminder(status=status, next_send_at=None)
    counts = {last.state: 1} if last else {}
    return circumstances(reminder=ended, **{"next": None, "last": last, "counts": counts, **changes})
