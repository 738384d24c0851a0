"""The contact routes (B-099 to B-129)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from services.api.core.contact_listing import list_contacts
from services.api.core.contact_removal import remove_contact
from services.api.core.contact_upsert import upsert_contact
from services.api.core.contacts import find_contact, hold_contact
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import contacts_translate as translate
from services.api.dialects.campaigns import contacts_wire as wire
from services.api.dialects.campaigns.wire import read_id
from services.api.responses import json_response
from shared.domain.refusal import NotFound


async def _upsert(call: Call) -> web.Response:
    """Add a contact, or change the one with this phone or e-mail, and enrol it (B-099 to B-118)."""
    body = call.read(wire.NewContact)
    done = await upsert_contact(
        call.tx,
        call.core,
        account_id=call.caller.account_id,
        account_zone=call.caller.time_zone,
        phone=body.phone,
        email=body.email,
        given=translate.to_given(body),
        campaign_ids=translate.to_campaign_ids(body),
        now=call.now,
    )
    answer: translate.UpsertedBody = {
        "success": True,
        "contact_id": done.contact.id,
        "action": "created" if done.created else "updated",
        "contact": translate.to_contact(done.contact),
        "enrollments": [translate.to_enrollment(one) for one in done.enrollments],
    }
    return json_response(answer, status=201 if done.created else 200)


async def _list(call: Call) -> web.Response:
    """One page of contacts; `phone` or `email` alone asks for that one contact (B-119 to B-127)."""
    query = call.read_query(wire.ContactQuery)
    if len(query.model_fields_set) == 1 and query.model_fields_set <= {"phone", "email"}:
        return await _one(call, phone=query.phone, email=query.email)
    limit, offset = translate.to_page(query)
    page = await list_contacts(
        call.tx,
        translate.to_filter(query, account_zone=call.caller.time_zone),
        account_id=call.caller.account_id,
        sort=query.sort_by,
        order=query.sort_order,
        limit=limit,
        skip=offset,
    )
    answer: translate.ContactsBody = {
        "success": True,
        "contacts": [translate.to_contact(contact) for contact in page.found],
        "total": page.total,
        "limit": limit,
        "offset": offset,
    }
    return json_response(answer)


async def _get(call: Call) -> web.Response:
    """One contact by id, phone or e-mail (B-126); what is none of them is nobody's."""
    text = call.request.match_info["id"]
    if (id := read_id(text)) is not None:
        return await _one(call, id=id)
    if "@" in text:
        return await _one(call, email=text)
    return await _one(call, phone=wire.with_plus(text))


async def _one(call: Call, **name: Any) -> web.Response:
    contact = await find_contact(call.tx, account_id=call.caller.account_id, **name)
    answer: translate.OneContactBody = {"success": True, "contact": translate.to_contact(contact)}
    return json_response(answer)


async def _delete(call: Call) -> web.Response:
    """Remove a contact, and with it what was still to be sent to it (B-129)."""
    query = call.read_query(wire.Removal)
    id = read_id(call.request.match_info["id"])
    if id is None:
        raise NotFound("contact")
    held = await hold_contact(call.tx, account_id=call.caller.account_id, id=id)
    await remove_contact(call.tx, call.core, held, erase=query.erase == "true", now=call.now)
    answer: translate.DeletedBody = {"success": True, "deleted": True}
    return json_response(answer)


_ONE: Final = "/v1/contacts/{id}"

CONTACT_ROUTES: Final = (
    RouteDef(
        "POST",
        "/v1/contacts",
        _upsert,
        body=wire.NewContact,
        answers={200: translate.UpsertedBody, 201: translate.UpsertedBody},
    ),
    RouteDef(
        "GET",
        "/v1/contacts",
        _list,
        query=wire.ContactQuery,
        answers={200: translate.ContactsBody | translate.OneContactBody},
    ),
    RouteDef("GET", _ONE, _get, answers={200: translate.OneContactBody}),
    RouteDef("DELETE", _ONE, _delete, query=wire.Removal, answers={200: translate.DeletedBody}),
)
