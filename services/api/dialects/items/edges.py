"""Who may come in at both doors, and how a no sounds."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from services.api.core.caller import Caller
from services.api.core.credentials import authenticate_key, authenticate_secret
from services.api.dialects.items.translate import FIELDS
from services.api.error_body import render
from services.api.presented import account_key, configuration_secret
from shared.domain.refusal import Refusal

Connection = Any
"""The store's, handed through."""


async def authenticate_by_secret(request: web.Request, db: Connection) -> Caller:
    """The integration door: `?secret=`, or the same in a header, where no proxy logs it (B-001, B-007)."""
    return await authenticate_secret(
        db,
        agent_id=request.match_info["agentId"],
        configuration_id=request.match_info["configurationId"],
        presented=configuration_secret(request),
    )


async def authenticate_by_key(request: web.Request, db: Connection) -> Caller:
    """The items door: the account's key as `x-api-key` or `Authorization: Bearer` (B-065)."""
    return await authenticate_key(db, account_key(request))


def refuse(refusal: Refusal, request_id: str) -> web.Response:
    """The details name fields as the caller wrote them (B-034)."""
    return render(refusal, request_id, fields=FIELDS)
