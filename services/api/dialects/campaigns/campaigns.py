"""The routes of campaigns and enrolments (B-095 to B-098, B-130 to B-137)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from services.api.core import campaigns
from services.api.core.contacts import hold_contact
from services.api.core.enrollment import enroll
from services.api.dialect import Call, RouteDef
from services.api.dialects.campaigns import campaigns_translate as translate
from services.api.dialects.campaigns import campaigns_wire as wire
from services.api.dialects.campaigns.wire import read_id
from services.api.responses import json_response
from shared.domain.campaign import Campaign, CampaignStatus
from shared.domain.refusal import NotFound


def _answer(campaign: Campaign, status: int = 200) -> web.Response:
    answer: wire.CampaignAnswer = {"success": True, "campaign": translate.to_campaign(campaign)}
    return json_response(answer, status=status)


def _id(call: Call) -> UUID:
    """The campaign of the path. An id that is no UUID is nobody's."""
    return _uuid(call.request.match_info["id"], "campaign")


def _uuid(text: str, what: str) -> UUID:
    id = read_id(text)
    if id is None:
        raise NotFound(what)
    return id


async def _list(call: Call) -> web.Response:
    """Every campaign of the account."""
    found = await campaigns.list_campaigns(call.tx, account_id=call.caller.account_id)
    answer: wire.CampaignList = {"campaigns": [translate.to_listed(campaign) for campaign in found]}
    return json_response(answer)


async def _create(call: Call) -> web.Response:
    """A new campaign (B-097)."""
    fields = translate.given(call.read(wire.NewCampaign), call.caller.time_zone)
    return _answer(
        await campaigns.create_campaign(call.tx, account_id=call.caller.account_id, now=call.now, **fields), 201
    )


async def _get(call: Call) -> web.Response:
    """One campaign."""
    return _answer(await campaigns.get_campaign(call.tx, account_id=call.caller.account_id, id=_id(call)))


async def _change(call: Call) -> web.Response:
    """The campaign with what the body gives; what is left out stays."""
    fields = translate.given(call.read(wire.CampaignChange), call.caller.time_zone)
    return _answer(
        await campaigns.change_campaign(
            call.tx, account_id=call.caller.account_id, id=_id(call), now=call.now, **fields
        )
    )


async def _pause(call: Call) -> web.Response:
    """Nothing of it is sent until it is resumed."""
    return await _become(call, CampaignStatus.PAUSED)


async def _resume(call: Call) -> web.Response:
    """It is sent again; starts a draft, too."""
    return await _become(call, CampaignStatus.RUNNING)


async def _become(call: Call, status: CampaignStatus) -> web.Response:
    return _answer(
        await campaigns.change_campaign(
            call.tx, account_id=call.caller.account_id, id=_id(call), now=call.now, status=status
        )
    )


async def _enroll(call: Call) -> web.Response:
    """Put a contact into a campaign, once (B-130 to B-134)."""
    body = call.read(wire.ToEnroll)
    campaign_id = _uuid(body.campaign_id, "campaign")
    contact_id = _uuid(body.contact_id or body.customer_id or "", "contact")
    contact = await hold_contact(call.tx, account_id=call.caller.account_id, id=contact_id)
    enrollment = await enroll(
        call.tx,
        call.core,
        account_id=call.caller.account_id,
        campaign_id=campaign_id,
        contact=contact,
        now=call.now,
    )
    return json_response(translate.to_enrolled(enrollment))


_ONE: Final = "/v1/campaigns/{id}"

CAMPAIGN_ROUTES: Final = (
    RouteDef("GET", "/v1/campaigns", _list, answers={200: wire.CampaignList}),
    RouteDef("POST", "/v1/campaigns", _create, body=wire.NewCampaign, answers={201: wire.CampaignAnswer}),
    RouteDef("GET", _ONE, _get, answers={200: wire.CampaignAnswer}),
    RouteDef("PATCH", _ONE, _change, body=wire.CampaignChange, answers={200: wire.CampaignAnswer}),
    RouteDef("POST", f"{_ONE}/pause", _pause, answers={200: wire.CampaignAnswer}),
    RouteDef("POST", f"{_ONE}/resume", _resume, answers={200: wire.CampaignAnswer}),
    RouteDef("POST", "/v1/campaigns-enroll", _enroll, body=wire.ToEnroll, answers={200: wire.Enrolled}),
)
