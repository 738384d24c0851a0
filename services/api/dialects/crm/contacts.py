"""The contact routes: the people whom reminders are about, with their birthdates (B-172 to B-176)."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.api.core import people
from services.api.dialect import Call, RouteDef
from services.api.dialects.crm import answers, translate, wire
from services.api.dialects.crm.edges import number_in, whole_path
from services.api.dialects.crm.pages import Asked
from services.api.responses import json_response


async def create(call: Call) -> web.Response:
    """Add a contact; its birthday's reminder comes with it."""
    body = call.read(wire.NewContact)
    given, account_id = translate.to_given(body), call.caller.account_id
    person = await people.add_person(call.tx, call.core, given, account_id=account_id, feb29=body.feb29, now=call.now)
    return _one(person, status=201)


async def read(call: Call) -> web.Response:
    """One contact."""
    number = number_in(call.request, "contact")
    return _one(await people.get_person(call.tx, account_id=call.caller.account_id, number=number))


async def change(call: Call) -> web.Response:
    """Change a contact; its birthday's reminder moves, comes or goes with the date (B-173)."""
    number = number_in(call.request, "contact")
    body = call.read(wire.ContactChange)
    person = await people.change_person(
        call.tx,
        call.core,
        translate.to_given(body),
        account_id=call.caller.account_id,
        number=number,
        feb29=body.feb29,
        now=call.now,
    )
    return _one(person)


async def remove(call: Call) -> web.Response:
    """Remove a contact, and its reminders with it."""
    call.read_query(wire.Removal)
    number = number_in(call.request, "contact")
    await people.remove_person(call.tx, call.core, account_id=call.caller.account_id, number=number, now=call.now)
    gone: answers.Deleted = {"deleted": True, "id": number}
    return json_response(gone)


async def list_all(call: Call) -> web.Response:
    """Every contact of the account, whichever door it came in by."""
    asked = Asked.of(call.read_query(wire.PageQuery), whole_path(call.request))
    found = await people.list_people(call.tx, account_id=call.caller.account_id, limit=asked.size, skip=asked.skip)
    body: answers.Contacts = {
        "data": [translate.to_contact(person) for person in found.found],
        "links": asked.links(found.total),
        "meta": asked.meta(found.total, len(found.found)),
    }
    return json_response(body)


def _one(person: people.Person, status: int = 200) -> web.Response:
    body: answers.OneContact = {"data": translate.to_contact(person)}
    return json_response(body, status=status)


_ALL: Final = "/api/contacts"
_ONE: Final = f"{_ALL}/{{id}}"

CONTACT_ROUTES: Final = (
    RouteDef("POST", _ALL, create, body=wire.NewContact, answers={201: answers.OneContact}),
    RouteDef("GET", _ALL, list_all, query=wire.PageQuery, answers={200: answers.Contacts}),
    RouteDef("GET", _ONE, read, answers={200: answers.OneContact}),
    RouteDef("PUT", _ONE, change, body=wire.ContactChange, answers={200: answers.OneContact}),
    RouteDef("DELETE", _ONE, remove, query=wire.Removal, answers={200: answers.Deleted}),
)
