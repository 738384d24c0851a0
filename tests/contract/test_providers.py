"""Every provider in every situation a network or a server can put it in: one table, one test per cell.

The situations are made by real servers: `tests.rig.provider_server` speaks the HTTP providers' wire formats,
aiosmtpd is the SMTP server. A cell is either the outcome that must come back or a sentence that says why the
situation cannot exist for that provider; a test holds that no cell is empty.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from services.dispatcher.http_call import Answer
from services.dispatcher.providers import PROVIDERS
from services.dispatcher.providers.http import HttpProvider
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.provider import ProviderName
from tests.rig.provider_situations import SECRETS, TIMEOUTS, Bench, Situation, message
from tests.rig.smtp_server import SmtpBehaviour

S = Situation
DEFINITE = {"ambiguous": False, "counts": True}
AGAIN_SAME_KEY = {"ambiguous": True, "counts": True}
NOT_COUNTED = {"ambiguous": False, "counts": False, "retry_after": timedelta(seconds=7)}
IN_DOUBT = {S.TIMEOUT_AFTER, S.RESET_AFTER, S.NOT_HTTP, S.SERVER_ERROR, S.REDIRECT}
NEVER_SENT = {S.REFUSED: "refused", S.DNS: "dns", S.TLS: "tls", S.TIMEOUT_BEFORE: "connect_timeout"}
UNREADABLE = {S.HTML, S.EMPTY, S.TRUNCATED, S.CUT_OFF, S.HUGE, S.GZIP_BOMB, S.SLOW_BODY}

Cell = tuple[type[Outcome], dict[str, object]] | str


def _cells(situations: Iterable[Situation], cell: Cell) -> dict[Situation, Cell]:
    return dict.fromkeys(situations, cell)


KEYLESS: dict[Situation, Cell] = {
    S.ACCEPTED: (Accepted, {}),
    S.REJECTED: (Rejected, {}),
    S.SLOW_DOWN: (Failed, NOT_COUNTED),
    S.UNAUTHORIZED: (Unavailable, {}),
    **{situation: (Failed, DEFINITE | {"code": code}) for situation, code in NEVER_SENT.items()},
    **_cells(IN_DOUBT, (Unknown, {})),
    **_cells(UNREADABLE, (Unknown, {})),
}
TABLE: dict[str, dict[Situation, Cell]] = {
    "http": KEYLESS
    | _cells(IN_DOUBT, (Failed, AGAIN_SAME_KEY))
    | _cells(UNREADABLE, (Accepted, {"provider_message_id": None}))  # the gateway's 2xx says it all
    | {S.ERROR_INSIDE: (Accepted, {"provider_message_id": None})},
    "twilio": KEYLESS | {S.ERROR_INSIDE: (Unknown, {})},
    "whatsapp": KEYLESS | {S.ERROR_INSIDE: (Rejected, {"code": "131026"})},
    "smtp": {
        S.ACCEPTED: (Accepted, {}),
        S.REJECTED: (Rejected, {"code": "550"}),
        S.SLOW_DOWN: (Failed, DEFINITE | {"code": "450"}),  # SMTP has no word for a rate limit
        S.UNAUTHORIZED: (Unavailable, {"code": "535"}),
        S.SERVER_ERROR: (Failed, DEFINITE | {"code": "451"}),  # a 4xx reply to DATA says: not taken
        **{situation: (Failed, DEFINITE | {"code": code}) for situation, code in NEVER_SENT.items()},
        S.TIMEOUT_BEFORE: (Failed, DEFINITE | {"code": "timeout"}),
        S.TIMEOUT_AFTER: (Unknown, {"code": "timeout"}),
        S.RESET_AFTER: (Unknown, {"code": "reset"}),
        S.NOT_HTTP: (Unknown, {"code": "garbage"}),
        **_cells(UNREADABLE | {S.REDIRECT, S.ERROR_INSIDE}, "an SMTP reply is a number and has no body"),
    },
    "sandbox": dict.fromkeys(S, "it calls nobody")
    | {S.ACCEPTED: (Accepted, {}), S.SERVER_ERROR: (Failed, AGAIN_SAME_KEY)},
}
CASES = [
    pytest.param(name, situation, cell, id=f"{name}-{situation.value}")
    for name, row in TABLE.items()
    for situation, cell in row.items()
    if not isinstance(cell, str)
]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        yield Bench(stack)


def test_the_table_has_a_cell_for_every_provider_in_every_situation() -> None:
    assert set(TABLE) == {registration.name for registration in PROVIDERS}
    for name, row in TABLE.items():
        assert set(row) == set(Situation), name


@pytest.mark.parametrize(("name", "situation", "cell"), CASES)
async def test_a_provider_names_what_came_of_a_call(
    bench: Bench, name: str, situation: Situation, cell: tuple[type[Outcome], dict[str, object]]
) -> None:
    provider = await bench.provider(name, situation)
    started = time.monotonic()
    outcome = await provider.send(message(name))
    took = time.monotonic() - started

    kind, fields = cell
    assert type(outcome) is kind, outcome
    for field, value in fields.items():
        assert getattr(outcome, field) == value, (field, outcome)
    assert took < TIMEOUTS.total + 0.5
    assert not [secret for secret in SECRETS if secret in repr(outcome)]
    if not isinstance(outcome, Accepted):
        assert outcome.reason


@pytest.mark.parametrize(("name", "situation", "cell"), [case for case in CASES if case.values[1] not in NEVER_SENT])
async def test_a_provider_is_usable_after_anything(bench: Bench, name: str, situation: Situation, cell: object) -> None:
    provider = await bench.provider(name, situation)
    await provider.send(message(name))
    bench.heal()
    assert isinstance(await provider.send(message(name)), Accepted | Unavailable), "Unavailable: a wrong password"


@pytest.mark.parametrize("name", ["http", "sandbox"])
async def test_the_same_key_again_is_the_same_message(bench: Bench, name: str) -> None:
    provider = await bench.provider(name, Situation.ACCEPTED)
    one = message(name)
    first, second = await provider.send(one), await provider.send(one)
    assert isinstance(first, Accepted)
    assert first == second
    assert bench.taken() == 1


@pytest.mark.parametrize("situation", [Situation.TIMEOUT_AFTER, Situation.RESET_AFTER])
async def test_a_lost_answer_repeated_under_its_key_sends_once(bench: Bench, situation: Situation) -> None:
    provider = await bench.provider("http", situation)
    one = message("http")
    lost = await provider.send(one)
    assert isinstance(lost, Failed)
    assert lost.ambiguous
    bench.heal()
    assert isinstance(await provider.send(one), Accepted)
    assert bench.taken() == 1


@pytest.mark.parametrize("name", ["http", "twilio", "whatsapp"])
async def test_a_redirect_is_not_followed(bench: Bench, name: str) -> None:
    provider = await bench.provider(name, Situation.REDIRECT)
    await provider.send(message(name))
    assert len(bench.server.calls) == 1


@pytest.mark.parametrize("situation", [Situation.HUGE, Situation.GZIP_BOMB])
async def test_an_answer_is_read_as_it_came_and_no_further_than_64_kb(bench: Bench, situation: Situation) -> None:
    provider = await bench.provider("http", situation)
    assert isinstance(provider, HttpProvider)
    headers = {"Idempotency-Key": "k", "Belltower-Occurrence": "o", "Belltower-Scheduled-At": "t"}
    answer = await provider.caller.post(bench.server.url, b"{}", headers)
    assert isinstance(answer, Answer)
    assert len(answer.body) <= 64 * 1024
    assert answer.body.startswith(b"[" if situation is Situation.HUGE else b"\x1f\x8b")


@pytest.mark.parametrize("behaviour", list(SmtpBehaviour))
async def test_an_smtp_call_ends_in_time_whatever_the_server_does(bench: Bench, behaviour: SmtpBehaviour) -> None:
    provider = await bench.provider("smtp", Situation.ACCEPTED)
    bench.smtp.behaviour = behaviour
    started = time.monotonic()
    outcome = await provider.send(message("smtp"))
    assert time.monotonic() - started < TIMEOUTS.total + 0.7
    taken_or_in_doubt = isinstance(outcome, Accepted | Unknown)
    assert taken_or_in_doubt == (bench.taken() == 1), "a taken message is never reported as unsent"


def test_every_provider_says_of_itself_what_its_line_in_the_list_says() -> None:
    for registration in PROVIDERS:
        assert registration.needs_text <= registration.channels, registration.name


def test_b_019_the_list_of_providers_is_the_table_that_settings_and_api_read() -> None:
    assert {line.name: line.needs_text for line in PROVIDERS} == {name.value: name.needs_text for name in ProviderName}


@pytest.mark.parametrize("name", list(TABLE))
async def test_an_open_provider_answers_as_its_registration(bench: Bench, name: str) -> None:
    provider = await bench.provider(name, Situation.ACCEPTED)
    registration = next(line for line in PROVIDERS if line.name == name)
    for word in ("name", "channels", "idempotency", "needs_text"):
        assert getattr(provider, word) == getattr(registration, word)
