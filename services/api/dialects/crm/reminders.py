"""The reminder routes (B-167 to B-206)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core import crm
from services.api.dialect import Call, RouteDef
from services.api.dialects.crm import answers, translate, wire
from services.api.dialects.crm.edges import number_in, whole_path
from services.api.dialects.crm.pages import Asked
from services.api.responses import json_response

BODY_LIMIT: Final = 14_000_000
"""Bytes: a title and a description of the greatest length, each character written as two escapes."""


async def create(call: Call) -> web.Response:
    """Make a reminder about a contact (B-200)."""
    body = call.read(wire.ReminderGiven)
    asked, account_id = translate.to_asked(body), call.caller.account_id
    shown = await crm.create(
        call.tx, call.core, asked, account_id=account_id, contact_number=body.contact_id, now=call.now
    )
    return _one(shown, status=201)


async def read(call: Call) -> web.Response:
    """One reminder (B-191)."""
    number = number_in(call.request, "reminder")
    return _one(await crm.show(call.tx, account_id=call.caller.account_id, number=number))


async def change(call: Call) -> web.Response:
    """Replace a reminder; the old date never rings (B-201 to B-203)."""
    number = number_in(call.request, "reminder")
    body = call.read(wire.ReminderGiven)
    shown = await crm.change(
        call.tx,
        call.core,
        translate.to_asked(body),
        account_id=call.caller.account_id,
        number=number,
        contact_number=body.contact_id,
        now=call.now,
    )
    return _one(shown)


async def remove(call: Call) -> web.Response:
    """Remove a reminder; a second time 404 (B-204)."""
    call.read_query(wire.Removal)
    number = number_in(call.request, "reminder")
    await crm.remove(call.tx, account_id=call.caller.account_id, number=number, now=call.now)
    gone: answers.Deleted = {"deleted": True, "id": number}
    return json_response(gone)


async def list_all(call: Call) -> web.Response:
    """Every reminder of the account (B-185)."""
    return await _page(call, None)


async def list_of_contact(call: Call) -> web.Response:
    """Every reminder of one contact (B-190)."""
    return await _page(call, number_in(call.request, "contact"))


async def _page(call: Call, contact_number: int | None) -> web.Response:
    asked = Asked.of(call.read_query(wire.PageQuery), whole_path(call.request))
    page = await crm.list_all(
        call.tx,
        account_id=call.caller.account_id,
        contact_number=contact_number,
        limit=asked.size,
        skip=asked.skip,
    )
    body: answers.Reminders = {
        "data": [translate.to_reminder(shown) for shown in page.found],
        "links": asked.links(page.total),
        "meta": asked.meta(page.total, len(page.found)),
    }
    return json_response(body)


def _one(shown: crm.Shown, status: int = 200) -> web.Response:
    body: answers.OneReminder = {"data": translate.to_reminder(shown)}
    return json_response(body, status=status)


_ONE: Final = "/api/reminders/{id}"

REMINDER_ROUTES: Final = (
    *(
        RouteDef(
            "POST",
            path,
            create,
            body=wire.ReminderGiven,
            answers={201: answers.OneReminder},
            body_limit=BODY_LIMIT,
        )
        for path in ("/api/reminder", "/api/reminders")
    ),
    RouteDef("GET", "/api/reminders", list_all, query=wire.PageQuery, answers={200: answers.Reminders}),
    RouteDef("GET", _ONE, read, answers={200: answers.OneReminder}),
    RouteDef(
        "PUT",
        _ONE,
        change,
        body=wire.ReminderGiven,
        answers={200: answers.OneReminder},
        body_limit=BODY_LIMIT,
    ),
    RouteDef("DELETE", _ONE, remove, query=wire.Removal, answers={200: answers.Deleted}),
    RouteDef(
        "GET",
        "/api/contacts/{id}/reminders",
        list_of_contact,
        query=wire.PageQuery,
        answers={200: answers.Reminders},
    ),
)
