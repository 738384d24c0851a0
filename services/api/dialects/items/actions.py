"""What each action of a bulk request does to one reminder, and how its result is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.api.core.bulk import Act, Result
from services.api.core.changes import Change, change_reminder
from services.api.core.configurations import get_configuration_by_row
from services.api.core.reminders import Held, delete_reminder
from services.api.dialect import Call
from services.api.dialects.items import answers, translate, wire
from shared.domain.draft import Draft, draft_of
from shared.domain.refusal import Conflict, Invalid, NotFound, Refused
from shared.domain.reminder import Status
from shared.domain.schedule import DstRule, zone

_STATUSES: Final = {
    "cancel": Status.CANCELLED,
    "activate": Status.ACTIVE,
    "complete": Status.COMPLETED,
    "reschedule": Status.ACTIVE,
}


def action(call: Call, body: wire.Bulk) -> Act[answers.Done]:
    """What the body asks for, as one step for each reminder; rescheduling makes an ended one active again."""

    async def delete(held: Held) -> answers.Done:
        outcome = await delete_reminder(call.tx, held, now=call.now)
        return {"result": "deleted", "cancelOutcome": outcome}

    async def change(held: Held) -> answers.Done:
        configuration = await get_configuration_by_row(
            call.tx, account_id=call.caller.account_id, id=held.reminder.configuration_id
        )
        wanted = Change(draft=_draft(body, held, configuration.dst), status=_STATUSES[body.action])
        changed = await change_reminder(call.tx, call.core, configuration, held, wanted, now=call.now)
        told: answers.Done = {
            "result": "ok",
            "status": changed.seen.reminder.status,
            "nextSendTime": translate.maybe_utc(changed.seen.reminder.next_send_at),
        }
        if changed.cancel_outcome:
            told["cancelOutcome"] = changed.cancel_outcome
        return told

    return delete if body.action == "delete" else change


def _draft(body: wire.Bulk, held: Held, dst: DstRule) -> Draft | None:
    if body.send_times is None:
        return None
    kept = draft_of(held.reminder)
    time_zone = body.timezone or kept.time_zone
    return replace(kept, schedule=translate.to_times(body.send_times, zone(time_zone), dst), time_zone=time_zone)


def to_result(result: Result[answers.Done]) -> answers.BulkDone | answers.BulkRefused:
    """`{id, result, …}`, or `{id, error: {code, message}}`."""
    if result.refusal is not None:
        return {"id": result.external_id, "error": _error(result.refusal)}
    if result.done is None:
        raise TypeError("a result says what was done, or why not")
    return {"id": result.external_id, **result.done}


def _error(refusal: Refused) -> answers.BulkError:
    match refusal:
        case NotFound(what=what):
            code = f"{what}_not_found"
        case Conflict(code=code):
            pass
        case Invalid():
            code = "invalid_request"
        case _:
            code = "refused"
    return {"code": code, "message": str(refusal)}
