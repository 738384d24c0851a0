"""The bytes that each provider puts on the wire, read back by the servers of `tests.rig`."""

from __future__ import annotations

import base64
import email
import email.policy
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from services.dispatcher.provider import Idempotency
from shared.domain.outcome import Accepted, Rejected
from shared.domain.provider import LOOKED_UP, ProviderName
from shared.domain.receipt import read_reference
from shared.domain.recipient import Channel
from tests.rig.provider_situations import EMAIL, PHONE, TEXT, TOKEN, Bench, Situation, message
from tests.rig.smtp_server import SmtpBehaviour


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with AsyncExitStack() as stack:
        yield Bench(stack)


async def test_the_generic_gateway_gets_headers_and_body_as_documented(bench: Bench) -> None:
    provider = await bench.provider("http", Situation.ACCEPTED)
    one = message("http")
    outcome = await provider.send(one)
    (call,) = bench.server.calls
    assert outcome == Accepted(call.message_id)
    assert call.headers["Idempotency-Key"] == one.idempotency_key
    assert call.headers["Belltower-Occurrence"] == str(one.occurrence_id)
    assert call.headers["Belltower-Scheduled-At"] == "2030-01-02T03:04:05.000678Z"
    assert call.headers["Authorization"] == f"Bearer {TOKEN}"
    assert call.headers["Accept-Encoding"] == "identity"
    assert call.message == {
        "id": "visit-7",
        "occurrence_id": str(one.occurrence_id),
        "channel": "sms",
        "to": PHONE,
        "template": "visit",
        "language": "en_GB",
        "parameters": ["Ada", "nine"],
        "text": TEXT,
        "subject": "Your visit",
    }


async def test_the_generic_gateway_keeps_its_connection_and_the_keyless_ones_do_not(bench: Bench) -> None:
    for name in ("http", "twilio", "whatsapp"):
        provider = await bench.provider(name, Situation.ACCEPTED)
        await provider.send(message(name))
        asked_to_close = bench.server.calls[-1].headers.get("Connection") == "close"
        assert asked_to_close == (name != "http"), name


async def test_an_sms_through_twilio_is_a_form_with_basic_auth(bench: Bench) -> None:
    provider = await bench.provider("twilio", Situation.ACCEPTED)
    one = message("twilio")
    outcome = await provider.send(one)
    (call,) = bench.server.calls
    assert outcome == Accepted(call.message_id)
    user = base64.b64decode(call.headers["Authorization"].removeprefix("Basic ")).decode()
    assert user == f"AC{'0' * 32}:{TOKEN}"
    assert call.message["To"] == PHONE
    assert call.message["From"] == "+15550009999"
    assert call.message["Body"] == TEXT
    callback = urlsplit(call.message["StatusCallback"])
    assert parse_qs(callback.query) == {
        "kind": ["sms"],
        "attempt": [str(one.attempt_id)],
        "occurrence": [str(one.occurrence_id)],
    }


async def test_twilio_is_asked_for_a_message_by_its_number_and_day_and_nothing_is_sent(bench: Bench) -> None:
    provider = await bench.provider("twilio", Situation.ACCEPTED)
    one = message("twilio")
    await provider.send(one)
    assert provider.look_up is not None
    (found,) = await provider.look_up(one, datetime.now(UTC)) or ()
    (question,) = bench.server.questions
    assert (question["To"], question["DateSent>"]) == (PHONE, found.created_at.date().isoformat())
    assert found.message_id == bench.server.calls[0].message_id
    assert len(bench.server.calls) == 1
    template = replace(one, channel=Channel.WHATSAPP, template="HX" + "1" * 32, text=None)
    assert await provider.look_up(template, datetime.now(UTC)) is None  # its text is not known here
    assert len(bench.server.questions) == 1


async def test_those_are_looked_up_that_can_be_asked(bench: Bench) -> None:
    for name in ProviderName:
        provider = await bench.provider(name, Situation.ACCEPTED)
        assert (provider.look_up is not None) == (name in LOOKED_UP), name
        assert provider.look_up is None or provider.idempotency is Idempotency.NONE


async def test_a_whatsapp_template_through_twilio_is_a_content_sid_with_variables(bench: Bench) -> None:
    provider = await bench.provider("twilio", Situation.ACCEPTED)
    content = "HX" + "1" * 32
    await provider.send(replace(message("twilio"), channel=Channel.WHATSAPP, template=content, text=None))
    (call,) = bench.server.calls
    assert (call.message["To"], call.message["From"]) == (f"whatsapp:{PHONE}", "whatsapp:+15550008888")
    assert call.message["ContentSid"] == content
    assert json.loads(call.message["ContentVariables"]) == {"1": "Ada", "2": "nine"}
    assert "Body" not in call.message


async def test_a_whatsapp_template_carries_language_parameters_and_the_attempt(bench: Bench) -> None:
    provider = await bench.provider("whatsapp", Situation.ACCEPTED)
    one = message("whatsapp")
    outcome = await provider.send(one)
    (call,) = bench.server.calls
    assert outcome == Accepted(call.message_id)
    assert call.headers["Authorization"] == f"Bearer {TOKEN}"
    assert call.message["to"] == PHONE
    assert read_reference(call.message["biz_opaque_callback_data"]) == (one.occurrence_id, one.attempt_id)
    assert call.message["template"] == {
        "name": "visit",
        "language": {"code": "en_GB"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "nine"}]}
        ],
    }


async def test_a_whatsapp_template_without_parameters_has_no_components(bench: Bench) -> None:
    provider = await bench.provider("whatsapp", Situation.ACCEPTED)
    await provider.send(replace(message("whatsapp"), parameters=[], language="pt-BR"))
    (call,) = bench.server.calls
    assert call.message["template"] == {"name": "visit", "language": {"code": "pt_BR"}}


async def test_an_email_has_a_subject_a_text_and_the_same_message_id_at_every_try(bench: Bench) -> None:
    provider = await bench.provider("smtp", Situation.ACCEPTED)
    one = replace(message("smtp"), text="Grüße\n.\nbis morgen", subject="Größe " * 20)
    outcome = await provider.send(one)
    again = await provider.send(replace(one, idempotency_key="another"))
    envelope = bench.smtp.messages[0]
    mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
    assert outcome == again == Accepted(f"<{one.occurrence_id}@example.org>")
    assert mail["Message-ID"] == f"<{one.occurrence_id}@example.org>"
    assert (envelope.mail_from, envelope.rcpt_tos) == ("clinic@example.org", [EMAIL])
    assert mail["Subject"].strip() == ("Größe " * 20).strip()
    assert mail.get_content() == "Grüße\n.\nbis morgen\n"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    "broken",
    [
        {"subject": "hello\r\nBcc: eve@example.com"},
        {"subject": "hello\x00"},
        {"to": "ada@example.com\r\nRCPT TO:<eve@example.com>"},
        {"to": "ada@example.com, eve@example.com"},
        {"to": "nobody"},
        {"text": None},
    ],
)
async def test_an_email_that_would_break_its_headers_is_refused(bench: Bench, broken: dict[str, str]) -> None:
    provider = await bench.provider("smtp", Situation.ACCEPTED)
    assert isinstance(await provider.send(replace(message("smtp"), **broken)), Rejected)
    assert bench.smtp.messages == []


async def test_an_accepted_email_stays_accepted_though_the_server_never_says_goodbye(bench: Bench) -> None:
    provider = await bench.provider("smtp", Situation.ACCEPTED)
    bench.smtp.behaviour = SmtpBehaviour.SILENT_QUIT
    assert isinstance(await provider.send(message("smtp")), Accepted)
