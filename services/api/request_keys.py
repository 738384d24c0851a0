"""What is noted on a request on its way."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

REQUEST_ID: Final = web.RequestKey("request_id", str)
ACCOUNT_ID: Final = web.RequestKey("account_id", UUID)
