"""All that an explanation needs, in a few statements whatever the number of reminders: their standing, their sends.

Read with the account's id throughout: nothing of another account is ever in an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.circumstances import (
    Agreement,
    Attempt,
    CampaignState,
    Circumstances,
    Layer,
    Pause,
    Send,
    Source,
    Suppressed,
    settle_settings,
)
from shared.domain.occurrence import Kind, State
from shared.domain.reminder import Action, HistoryEntry, Status
from shared.store.consents import SUPPRESSED
from shared.store.database import Connection
from shared.store.reminders import COLUMNS, PROGRESS, reminder_of

MOST_ATTEMPTS: Final = 10
"""Provider calls that are told of one send, the newest: a pause of its provider may cost many."""

_STANDING: Final = f"""
select {COLUMNS}, progress.*, r.tzdata_version as planned_with,
    r.grace as reminder_grace, r.catch_up as reminder_catch_up, r.on_unknown as reminder_on_unknown,
    c.grace as configuration_grace, c.catch_up as configuration_catch_up, c.on_unknown as configuration_on_unknown,
    a.grace as account_grace, a.catch_up as account_catch_up, a.on_unknown as account_on_unknown,
    c.state = 'running' as running, c.agent_id, c.configuration_id as configuration_name,
    s.created_at as suppressed_at, s.source as suppressed_by,
    t.marketing_consent, agreed.source as agreed_by, agreed.at as agreed_at,
    g.id as campaign_id, g.name as campaign_name, g.status as campaign_status,
    e.stale or e.plan < g.plan as stale,
    p.provider as pause_provider, p.reason as pause_reason, p.since as pause_since, p.until as pause_until,
    changed.at as changed_at, changed.detail as changed_detail, changed.status as changed_status,
    counted.counts, counted.later_due
from reminders r
{PROGRESS}
join configurations c on c.id = r.configuration_id
join accounts a on a.id = r.account_id
left join lateral (select s.created_at, s.source from suppressions s where {SUPPRESSED}
                   order by s.created_at limit 1) s on true
left join contacts t on t.id = r.contact_id
left join lateral (select k.source, k.at from consents k where k.contact_id = r.contact_id and k.category = 'marketing'
                   order by k.id desc limit 1) agreed on true
left join enrollments e on e.id = r.enrollment_id
left join campaigns g on g.id = e.campaign_id
left join provider_pauses p on p.account_id = r.account_id and p.channel = r.channel
left join lateral (select h.at, h.detail, h.status from history h
                   where h.reminder_id = r.id and h.action = 'StatusChanged' order by h.id desc limit 1) changed on true
cross join lateral (
    select json_object_agg(n.state, n.n) as counts, coalesce(sum(n.due), 0) as later_due
    from (select o.state, count(*) as n,
              count(*) filter (where o.scheduled_for <= $3 and o.state in ('scheduled', 'queued', 'sending')) as due
          from occurrences o where o.reminder_id = r.id group by o.state) n) counted
where r.account_id = $1 and r.id = any($2)
"""

_SEND: Final = f"""o.id, o.reminder_id, o.seq, o.kind, o.scheduled_for, o.due_at, o.state, o.attempt, o.failures,
    o.lease_until, o.attempt_started_at as started_at, o.provider, o.provider_message_id, o.reason, o.ended_at,
    o.receipt, o.receipt_at,
    (select json_agg(json_build_object('number', t.number, 'provider', t.provider, 'started_at', t.started_at,
                'ended_at', t.ended_at, 'outcome', t.outcome, 'reason', t.reason, 'code', t.code) order by t.number)
     from (select * from attempts t where t.occurrence_id = o.id order by t.number desc limit {MOST_ATTEMPTS}) t)
    as attempts"""

_ENDS: Final = f"""
select found.which, {_SEND}
from unnest($2::uuid[]) as r (id)
cross join lateral (
    (select 'next' as which, n.id from occurrences n
     where n.reminder_id = r.id and n.state in ('scheduled', 'queued', 'sending') order by n.seq limit 1)
    union all
    (select 'last', l.id from occurrences l
     where l.reminder_id = r.id and l.ended_at is not null
         and coalesce(l.reason not in ('replaced', 'rules_changed'), true)
     order by l.seq desc limit 1)) found
join occurrences o on o.id = found.id
where o.account_id = $1
"""


async def circumstances(
    db: Connection, reminder_ids: Sequence[UUID], *, account_id: UUID, fallback: Policy, now: datetime
) -> list[Circumstances]:
    """What decides on these reminders of an account, in the order of `reminder_ids`; others are left out.

    `fallback` is the deployment's: what no reminder, configuration or account says.
    """
    ids = list(reminder_ids)
    rows = {row["id"]: row for row in await db.fetch(_STANDING, account_id, ids, now)}
    ends: dict[UUID, dict[str, Send]] = defaultdict(dict)
    for row in await db.fetch(_ENDS, account_id, ids):
        ends[row["reminder_id"]][row["which"]] = _send(row)
    return [_circumstances(rows[id], ends[id], fallback, now) for id in ids if id in rows]


@dataclass(frozen=True, slots=True)
class Window:
    """Which of a reminder's planned sends are read."""

    limit: int
    offset: int = 0
    near: datetime | None = None
    """Those whose times are nearest to this moment; None is from the first on."""


_PAGE: Final = f"""
select {_SEND}
from unnest($2::uuid[]) as r (id)
cross join lateral (
    select n.id from occurrences n where n.reminder_id = r.id
    order by abs(extract(epoch from n.scheduled_for - coalesce($5, n.scheduled_for))), n.seq
    limit $3 offset $4) found
join occurrences o on o.id = found.id
where o.account_id = $1
order by o.reminder_id, o.seq
"""


async def sends(
    db: Connection, reminder_ids: Sequence[UUID], window: Window, *, account_id: UUID
) -> dict[UUID, list[Send]]:
    """Planned sends of each of these reminders, in their order."""
    found: dict[UUID, list[Send]] = defaultdict(list)
    near = window.near
    for row in await db.fetch(_PAGE, account_id, list(reminder_ids), window.limit, window.offset, near):
        found[row["reminder_id"]].append(_send(row))
    return found


def _send(row: Any) -> Send:
    values = {name: value for name, value in dict(row).items() if name != "which"}
    attempts = [_attempt(one) for one in orjson.loads(row["attempts"] or "[]")]
    kind, state = Kind(row["kind"]), State(row["state"])
    return Send(**{**values, "kind": kind, "state": state, "attempts": tuple(attempts)})


def _attempt(told: dict[str, Any]) -> Attempt:
    times = {name: datetime.fromisoformat(told[name]) for name in ("started_at", "ended_at")}
    return Attempt(**{**told, **times})


_OF_REMINDER: Final = (
    "id", "number", "account_id", "door", "external_id", "channel", "address", "country_code", "phone_number",
    "national_digits", "recipient_name", "template_name", "parameters", "text", "subject", "category", "contact_id",
    "enrollment_id", "birthday", "details", "schedule_json", "time_zone", "status", "fingerprint", "sequence",
    "last_send_at", "last_attempts", "created_at", "updated_at", "next_send_at", "last_sent_for", "sent", "skipped",
    "configuration_id",
)  # fmt: skip


def _circumstances(row: Any, ends: dict[str, Send], fallback: Policy, now: datetime) -> Circumstances:
    reminder = reminder_of({name: row[name] for name in _OF_REMINDER})
    following = ends.get("next")
    due_itself = following is not None and following.scheduled_for <= now
    changed = row["changed_at"] is not None
    return Circumstances(
        now=now,
        reminder=reminder,
        planned_with=row["planned_with"],
        settings=settle_settings(tuple(_layer(row, source) for source in _LEVELS), fallback, reminder),
        running=row["running"],
        agent_id=row["agent_id"],
        configuration_id=row["configuration_name"],
        suppressed=Suppressed(row["suppressed_at"], row["suppressed_by"]) if row["suppressed_at"] else None,
        agreement=_agreement(row),
        campaign=_campaign(row),
        pause=_pause(row),
        counts={State(state): n for state, n in orjson.loads(row["counts"] or "{}").items()},
        next=following,
        later_is_due=row["later_due"] > due_itself,
        last=ends.get("last"),
        last_change=HistoryEntry(
            row["changed_at"], Action.STATUS_CHANGED, row["changed_detail"], Status(row["changed_status"])
        )
        if changed
        else None,
    )


_LEVELS: Final = (Source.REMINDER, Source.CONFIGURATION, Source.ACCOUNT)


def _layer(row: Any, source: Source) -> Layer:
    catch_up, on_unknown = row[f"{source}_catch_up"], row[f"{source}_on_unknown"]
    return Layer(
        source,
        row[f"{source}_grace"],
        CatchUp(catch_up) if catch_up else None,
        OnUnknown(on_unknown) if on_unknown else None,
    )


def _agreement(row: Any) -> Agreement | None:
    if row["marketing_consent"] is None:
        return None
    return Agreement(row["marketing_consent"], row["agreed_by"], row["agreed_at"])


def _campaign(row: Any) -> CampaignState | None:
    if row["campaign_id"] is None:
        return None
    return CampaignState(row["campaign_id"], row["campaign_name"], row["campaign_status"], row["stale"])


def _pause(row: Any) -> Pause | None:
    if row["pause_until"] is None:
        return None
    return Pause(row["pause_provider"], row["pause_reason"], row["pause_since"], row["pause_until"])
