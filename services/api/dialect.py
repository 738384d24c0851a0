"""What a dialect is, and how its routes are mounted: read, authenticate, handle, commit, or refuse.

A dialect translates. Everything in which it differs from the others is a field of one value: its routes, how it
proves a caller, and how each refusal sounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog
from aiohttp import web

from services.api.body import expect_later, read_body
from services.api.core.caller import Caller
from services.api.core.idempotency import Answer, key_of, remembered
from services.api.core.policy import Core
from services.api.limits import Limits
from services.api.parse import SECRET_PARAMETER, M, Wire, parse, parse_query
from services.api.presented import account_key
from services.api.request_keys import ACCOUNT_ID, REQUEST_ID
from shared.domain.refusal import Broken, NotFound, Refusal, Refused, Unauthenticated, Unavailable
from shared.runtime.logging import where
from shared.store.database import Connection, Database, DatabaseAway, DatabaseError
from shared.store.failures import lost_a_race

log = structlog.get_logger()

BODY_LIMIT: Final = 256_000
"""Bytes of a request's body, where its route says nothing else."""

DEADLINE: Final = 8.0
"""Seconds from the end of the body to the answer; then 503."""

TRIES: Final = 4
"""Of a transaction that loses a deadlock or a serialization race."""


@dataclass(slots=True)
class Call:
    """One authenticated request, as a handler gets it."""

    request: web.Request
    body: bytes
    tx: Connection
    """A transaction for a write, a connection for a read."""
    caller: Caller
    core: Core
    request_id: str
    route: RouteDef

    @property
    def now(self) -> datetime:
        """The database's clock, read when the caller was authenticated."""
        return self.caller.now

    def read(self, model: type[M], context: Mapping[str, Any] | None = None) -> M:
        """The body as the model that its route declares; `context` is for its checks. Raises `Invalid`."""
        if model is not self.route.body:
            raise TypeError(f"{self.route.path} declares another body than {model.__name__}")
        if self.route.body_optional and not self.body.strip():
            return model()
        return parse(self.request, self.body, model, context)

    def read_query(self, model: type[M], context: Mapping[str, Any] | None = None) -> M:
        """The query parameters, likewise. Raises `Invalid`."""
        if model is not self.route.query:
            raise TypeError(f"{self.route.path} declares another query than {model.__name__}")
        return parse_query(self.request, model, context)


Handler = Callable[[Call], Awaitable[web.Response]]
Authenticate = Callable[[web.Request, Connection], Awaitable[Caller]]
Presented = Callable[[web.Request], str]
Refuse = Callable[[Refusal, str], web.Response]


@dataclass(frozen=True, slots=True)
class RouteDef:
    """One method on one full path, written as aiohttp writes paths."""

    method: str
    path: str
    handler: Handler
    body: type[Wire] | None = None
    """What `Call.read` reads."""
    query: type[Wire] | None = None
    """What `Call.read_query` reads."""
    answers: Mapping[int, Any] = field(default_factory=dict)
    """Each status of success with the type of its body, a `TypedDict`; None for no body. OpenAPI is made from it."""
    body_limit: int = BODY_LIMIT
    body_optional: bool = False
    """An empty body is read as one that leaves everything out."""
    headers: Sequence[str] = ()
    """Headers of a success beside those that every answer has."""

    @property
    def writes(self) -> bool:
        return self.method not in {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class About:
    """What OpenAPI says of a dialect beside its routes."""

    title: str
    description: str
    proofs: Mapping[str, Mapping[str, str]]
    """The security schemes, by name: any one of them proves a caller."""
    error: Any
    """The body of every refusal, a `TypedDict`."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """The type of each path parameter; any other is a text."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One HTTP API that we speak."""

    name: str
    prefix: str
    """Unknown paths that begin so are refused in this dialect's shape."""
    routes: Sequence[RouteDef]
    authenticate: Authenticate
    """Finds out who calls, in one statement that reads the clock too. Raises `Refused`."""
    refuse: Refuse
    """The answer to a refusal; the second argument is the request's id."""
    about: About
    presented: Presented = account_key
    """The key that `authenticate` looks at: what a request is counted under."""


@dataclass(frozen=True, slots=True)
class House:
    """What every route stands on."""

    db: Database
    core: Core
    limits: Limits
    written: Callable[[], None]
    """Called after each commit of a write: the relay looks for events at once."""


def mount(app: web.Application, dialect: Dialect, house: House) -> None:
    """Add the dialect's routes flat, each with and without a trailing slash (B-254)."""
    for route in dialect.routes:
        handler = _wrapped(_Mounted(dialect, route, house))
        for path in (route.path, f"{route.path}/"):
            if route.method == "GET":
                app.router.add_get(path, handler, allow_head=True, expect_handler=expect_later)
            else:
                app.router.add_route(route.method, path, handler, expect_handler=expect_later)


@dataclass(frozen=True, slots=True)
class _Mounted:
    dialect: Dialect
    route: RouteDef
    house: House


def _wrapped(at: _Mounted) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        request_id = request[REQUEST_ID]
        try:
            return await _answer(at, request)
        except Refused as refusal:
            return at.dialect.refuse(refusal, request_id)  # type: ignore[arg-type]
        except (DatabaseAway, *DatabaseError) as error:
            log.warning("database_away", error=type(error).__name__)
            return at.dialect.refuse(Unavailable(), request_id)
        except Exception as error:  # noqa: BLE001 - the edge: a bug becomes a logged 500
            log.error("request_broke", error=where(error))
            return at.dialect.refuse(Broken(), request_id)

    return handle


async def _answer(at: _Mounted, request: web.Request) -> web.Response:
    """Read the body before a connection is taken, then answer within the deadline."""
    at.house.limits.admit(at.dialect.presented(request))
    body = await read_body(request, at.route.body_limit) if at.route.writes else b""
    async with asyncio.timeout(DEADLINE):
        if not at.route.writes:
            async with at.house.db.connection() as db:
                return await at.route.handler(await _call(at, request, body, db))
        return await _write(at, request, body)


async def _write(at: _Mounted, request: web.Request, body: bytes) -> web.Response:
    """One transaction, again where it lost a race; the same `Idempotency-Key` gets the same answer."""
    key = key_of(request.headers.getall("Idempotency-Key", []))
    for tries in range(1, TRIES + 1):
        try:
            async with at.house.db.transaction() as tx:
                call = await _call(at, request, body, tx)
                response = await _once(at.route, call, key) if key else await at.route.handler(call)
        except DatabaseError as error:
            if tries == TRIES or not lost_a_race(error):
                raise
            await asyncio.sleep(at.house.core.random() * 0.02 * tries)
        else:
            at.house.written()
            return response
    raise AssertionError("unreachable")


async def _call(at: _Mounted, request: web.Request, body: bytes, db: Connection) -> Call:
    caller = await _proved(at, request, db)
    request[ACCOUNT_ID] = caller.account_id
    return Call(request, body, db, caller, at.house.core, request[REQUEST_ID], at.route)


async def _proved(at: _Mounted, request: web.Request, db: Connection) -> Caller:
    """Who calls. Raises `RateLimited` where too many from that address proved nobody."""
    try:
        caller = await at.dialect.authenticate(request, db)
    except (Unauthenticated, NotFound):
        at.house.limits.failed(request)
        raise
    at.house.limits.proved(at.dialect.presented(request))
    return caller


async def _once(route: RouteDef, call: Call, key: str) -> web.Response:
    """Answer as before where this key was answered before; else handle, and keep the answer in the transaction."""

    async def handle() -> Answer:
        response = await route.handler(call)
        headers = {str(name): value for name, value in response.headers.items()}
        return Answer(response.status, headers, bytes(response.body or b""))  # type: ignore[arg-type]

    query = sorted((name, value) for name, value in call.request.query.items() if name != SECRET_PARAMETER)
    answer = await remembered(
        call.tx,
        account_id=call.caller.account_id,
        key=key,
        request=(route.method, call.request.path.rstrip("/"), query, call.body),
        keyring=call.core.keyring,
        now=call.now,
        handle=handle,
    )
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
