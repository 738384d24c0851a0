"""What each provider's codes mean, and how Retry-After, the SMTP address and the choice of providers are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import aiosmtplib
import orjson
import pytest
from pydantic import ValidationError

from services.dispatcher.http_call import Answer
from services.dispatcher.providers import http, smtp, twilio, whatsapp
from services.dispatcher.registration import ProviderConfigurationError
from services.dispatcher.routing import open_providers
from services.dispatcher.smtp_settings import SmtpSettings, server_of
from shared.domain.outcome import Accepted, Failed, Outcome, Rejected, Unavailable, Unknown
from shared.domain.recipient import Channel
from tests.rig.provider_situations import KeptInMemory, message

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


def _answer(status: int, body: object) -> Answer:
    return Answer(status, orjson.dumps(body), timedelta(seconds=3))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Accepted), (202, Accepted), (204, Accepted), (301, Failed), (400, Rejected), (401, Unavailable),
        (403, Unavailable), (404, Rejected), (408, Failed), (409, Failed), (410, Rejected), (422, Rejected),
        (425, Failed), (429, Failed), (500, Failed), (503, Failed),
    ],
)  # fmt: skip
def test_the_gateways_statuses(status: int, kind: type[Outcome]) -> None:
    outcome = http.outcome_of(_answer(status, {}))
    assert type(outcome) is kind
    if isinstance(outcome, Failed):
        assert outcome.counts == (status != 429)
        assert outcome.ambiguous == (status not in {425, 429})


def test_a_gateway_that_is_busy_with_the_key_is_asked_again_under_it_when_it_says() -> None:
    outcome = http.outcome_of(_answer(409, {"error": "in_progress"}))
    assert isinstance(outcome, Failed)
    assert (outcome.ambiguous, outcome.counts, outcome.retry_after) == (True, True, timedelta(seconds=3))


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({"id": "m1"}, "m1"), ({"message_id": "m2"}, "m2"), ({"id": 7}, None), ({"id": "a\x00b"}, None),
        ({"id": "x" * 256}, None), ({"id": "", "message_id": "m3"}, "m3"), (["id"], None),
    ],
)  # fmt: skip
def test_the_gateways_id_is_kept_only_where_it_can_be(body: object, kept: str | None) -> None:
    assert http.outcome_of(_answer(200, body)) == Accepted(kept)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21211, Rejected), (400, 21610, Rejected), (400, 21614, Rejected), (403, 21408, Rejected),
        (400, 99999, Rejected), (401, 20003, Unavailable), (400, 20003, Unavailable), (403, 20005, Unavailable),
        (404, 20404, Unavailable), (429, 20429, Failed), (400, 21611, Failed), (429, 63018, Failed),
        (500, 20500, Unknown), (503, 20503, Unknown), (500, 21211, Unknown), (408, 400, Unknown),
        (201, 21211, Unknown),
    ],
)  # fmt: skip
def test_twilios_codes(status: int, code: int, kind: type[Outcome]) -> None:
    outcome = twilio.outcome_of(_answer(status, {"code": code, "status": status}))
    assert type(outcome) is kind
    if isinstance(outcome, Failed):
        assert not outcome.counts
        assert not outcome.ambiguous
        assert outcome.retry_after == timedelta(seconds=3)
    if isinstance(outcome, Rejected):
        assert outcome.code == str(code)
        assert outcome.opted_out == (code == 21610)


def test_a_message_that_twilio_gives_up_while_creating_it_is_not_sent() -> None:
    body = {"sid": "SM1", "status": "failed", "error_code": 30001}
    assert twilio.outcome_of(_answer(201, body)) == Failed(
        "Twilio asked us to slow down", "30001", timedelta(seconds=3), counts=False
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 130429, Failed), (400, 131056, Failed), (400, 80007, Failed), (400, 4, Failed), (429, 131048, Failed),
        (400, 131026, Rejected), (400, 132000, Rejected), (404, 132001, Rejected), (400, 132015, Rejected),
        (400, 131050, Rejected), (400, 999999, Rejected), (401, 190, Unavailable), (401, 0, Unavailable),
        (500, 3, Unavailable), (403, 10, Unavailable), (403, 200, Unavailable), (403, 131031, Unavailable),
        (400, 1, Unknown), (503, 2, Unknown), (500, 131000, Unknown), (500, 131016, Unknown), (500, 999999, Unknown),
        (500, 131057, Failed), (200, 131026, Rejected), (200, 190, Unavailable),
    ],
)  # fmt: skip
def test_metas_codes(status: int, code: int, kind: type[Outcome]) -> None:
    for spelling in (code, str(code)):
        outcome = whatsapp.outcome_of(_answer(status, {"error": {"code": spelling, "message": "(#1) text"}}))
        assert type(outcome) is kind
        assert getattr(outcome, "code", None) == str(code)
        assert getattr(outcome, "counts", True) == (code not in {130429, 131056, 80007, 4, 131048})
        assert getattr(outcome, "opted_out", False) == (code == 131050)


@pytest.mark.parametrize("body", [{}, [], {"error": "x"}, {"error": {"code": None}}, {"messages": [{"id": 7}]}, 7])
def test_an_unreadable_200_of_meta_is_unknown(body: object) -> None:
    assert isinstance(whatsapp.outcome_of(_answer(200, body)), Unknown)


@pytest.mark.parametrize(
    ("error", "data_began", "kind"),
    [
        (aiosmtplib.SMTPAuthenticationError(535, "no"), False, Unavailable),
        (aiosmtplib.SMTPAuthenticationError(454, "later"), False, Failed),
        (aiosmtplib.SMTPSenderRefused(530, "log in", "a"), False, Unavailable),
        (aiosmtplib.SMTPRecipientRefused(452, "full", "a"), False, Failed),
        (aiosmtplib.SMTPRecipientRefused(550, "no", "a"), False, Rejected),
        (aiosmtplib.SMTPDataError(552, "big"), True, Rejected),
        (aiosmtplib.SMTPDataError(451, "later"), True, Failed),
        (aiosmtplib.SMTPConnectResponseError(554, "no"), False, Failed),
        (aiosmtplib.SMTPResponseException(-1, "?"), False, Failed),
        (aiosmtplib.SMTPResponseException(-1, "?"), True, Unknown),
        (aiosmtplib.SMTPServerDisconnected("x"), False, Failed),
        (aiosmtplib.SMTPServerDisconnected("x"), True, Unknown),
        (aiosmtplib.SMTPReadTimeoutError("x"), False, Failed),
        (aiosmtplib.SMTPReadTimeoutError("x"), True, Unknown),
        (aiosmtplib.SMTPNotSupported("x"), False, Rejected),
        (aiosmtplib.SMTPException("no AUTH"), False, Unavailable),
    ],
)  # fmt: skip
def test_what_smtp_says(error: Exception, data_began: bool, kind: type[Outcome]) -> None:
    assert type(smtp.outcome_of(error, data_began=data_began)) is kind


def test_a_password_goes_over_tls_only_unless_the_url_says_never() -> None:
    assert server_of("smtp://ada:p%40ss@mail.example").start_tls is True
    assert server_of("smtp://ada:p%40ss@mail.example").password == "p@ss"
    assert server_of("smtp://mail.example").start_tls is None
    assert server_of("smtp://ada:x@localhost:25?starttls=never").start_tls is False
    assert (server_of("smtps://mail.example").port, server_of("smtp://mail.example").port) == (465, 587)


@pytest.mark.parametrize(
    "url",
    [
        "hunter2.example",
        "http://hunter2.example",
        "smtp://:hunter2@",
        "smtp://a:hunter2@h:port",
        "smtp://a:hunter2@h?starttls=maybe",
        "smtp://a:b@h?hunter2=1",
        "smtp://a:hunter2@[::1",
    ],
)
def test_a_bad_smtp_url_is_named_and_not_shown(url: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        SmtpSettings.model_validate({"url": url, "from_address": "a@example.org"})
    assert "hunter2" not in str(refusal.value)


async def test_only_the_chosen_providers_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLTOWER_HTTP_PROVIDER_URL", "http://gateway.example/send")
    names = {Channel.SMS: "http", Channel.WHATSAPP: "http", Channel.EMAIL: "sandbox"}
    providers = open_providers(names, KeptInMemory())
    assert providers.for_channel(Channel.SMS) is providers.for_channel(Channel.WHATSAPP)
    assert providers.for_channel(Channel.EMAIL).name == "sandbox"
    assert set(providers.by_name) == {"http", "sandbox"}
    await providers.close()


async def test_a_channel_that_the_chosen_provider_does_not_carry_waits_to_be_mended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BELLTOWER_WHATSAPP_PHONE_NUMBER_ID", "123")
    monkeypatch.setenv("BELLTOWER_WHATSAPP_ACCESS_TOKEN", "t0ken")
    providers = open_providers(dict.fromkeys(Channel, "whatsapp"), KeptInMemory())
    assert providers.unserved == {Channel.SMS, Channel.EMAIL}
    assert isinstance(await providers.for_channel(Channel.SMS).send(message("http")), Unavailable)
    await providers.close()


@pytest.mark.parametrize(
    ("chosen", "environment", "said"),
    [
        ("pigeon", {}, ["BELLTOWER_PROVIDER_SMS"]),
        ("smtp", {"URL": "smtp://h", "FROM_ADDRESS": "a@h.example"}, ["smtp", "email"]),
        ("http", {}, ["BELLTOWER_HTTP_PROVIDER_URL is missing"]),
        ("http", {"URL": "n0t-shown"}, ["BELLTOWER_HTTP_PROVIDER_URL"]),
        ("twilio", {"ACCOUNT_SID": "n0t-shown"}, ["BELLTOWER_TWILIO_ACCOUNT_SID", "BELLTOWER_TWILIO_AUTH_TOKEN is"]),
        ("twilio", {"ACCOUNT_SID": "AC" + "0" * 32, "AUTH_TOKEN": "n0t-shown"}, ["SMS_FROM"]),
        ("whatsapp", {}, ["BELLTOWER_WHATSAPP_PHONE_NUMBER_ID", "BELLTOWER_WHATSAPP_ACCESS_TOKEN"]),
        ("email:smtp", {"URL": "n0t-shown"}, ["BELLTOWER_SMTP_URL", "BELLTOWER_SMTP_FROM_ADDRESS is missing"]),
    ],
)
def test_a_start_with_bad_settings_names_them_and_never_their_values(
    monkeypatch: pytest.MonkeyPatch, chosen: str, environment: dict[str, str], said: list[str]
) -> None:
    name = chosen.removeprefix("email:")
    channels = {"whatsapp": Channel.WHATSAPP, "email:smtp": Channel.EMAIL}
    prefix = "BELLTOWER_HTTP_PROVIDER_" if name == "http" else f"BELLTOWER_{name.upper()}_"
    for key, value in environment.items():
        monkeypatch.setenv(prefix + key, value)
    with pytest.raises(ProviderConfigurationError) as refusal:
        open_providers({channels.get(chosen, Channel.SMS): name}, KeptInMemory())
    for words in said:
        assert words in str(refusal.value)
    assert "n0t-shown" not in str(refusal.value)
    assert "pigeon" not in str(refusal.value)
