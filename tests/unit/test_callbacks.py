"""What providers' callbacks say, and that nobody else can say it (V-09)."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from services.api.callbacks.callback import Forged, Unreadable
from services.api.callbacks.twilio import TwilioReceiver, urls
from services.api.callbacks.whatsapp import WhatsAppReceiver, receipts_of
from shared.domain.receipt import Receipt, Report, read_reference, reference

URL, TOKEN = "https://bell.example.com/callbacks/twilio", b"12345"
ATTEMPT, OCCURRENCE = UUID(int=4), UUID(int=1)
QUERY = f"attempt={ATTEMPT}&occurrence={OCCURRENCE}"
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+15550001111", "From": "+15550009999"}
SECRET = b"app secret"


def signed(url: str, form: dict[str, str], token: bytes = TOKEN) -> str:
    """As Twilio's own page describes it."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.new(token, text.encode(), sha1).digest()).decode()


def twilio(form: dict[str, str], given: str | None, *, url: str = URL, query: str = QUERY) -> Receipt:
    headers = {"X-Twilio-Signature": given} if given is not None else {}
    request = make_mocked_request("POST", f"/callbacks/twilio?{query}", headers=headers)
    (receipt,) = TwilioReceiver(url, TOKEN).read(request, urlencode(form).encode())
    return receipt


def test_a_signed_form_of_twilio_is_read_with_the_references_of_its_url() -> None:
    receipt = twilio(FORM, signed(f"{URL}?{QUERY}", FORM))
    assert receipt == Receipt("twilio", "SM1", ATTEMPT, OCCURRENCE, Report.DELIVERED)


def test_the_example_of_twilios_own_page_is_signed_so() -> None:
    """The values are those of the page on security: URL, five fields, token and signature."""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    assert signed(url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    with pytest.raises(Unreadable):  # the signature fits, and it is no report of a message
        twilio(form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", url="https://mycompany.com/myapp.php", query="foo=1&bar=2")


@pytest.mark.parametrize("port", ["", ":443"])
@pytest.mark.parametrize("signed_port", ["", ":443"])
def test_a_port_that_goes_without_saying_may_be_signed_or_not(port: str, signed_port: str) -> None:
    url = f"https://bell.example.com{port}/callbacks/twilio"
    given = signed(f"https://bell.example.com{signed_port}/callbacks/twilio?{QUERY}", FORM)
    assert twilio(FORM, given, url=url).report is Report.DELIVERED


def test_another_port_is_another_place() -> None:
    assert list(urls("https://bell.example.com:8443/t", "a=1")) == ["https://bell.example.com:8443/t?a=1"]


@pytest.mark.parametrize(
    ("status", "report"),
    [
        ("queued", Report.ACCEPTED),
        ("accepted", Report.ACCEPTED),
        ("sending", Report.ACCEPTED),
        ("sent", Report.SENT),
        ("delivered", Report.DELIVERED),
        ("undelivered", Report.UNDELIVERED),
        ("failed", Report.FAILED),
        ("read", Report.READ),
    ],
)
def test_every_status_of_twilio_has_its_place(status: str, report: Report) -> None:
    form = {**FORM, "MessageStatus": status}
    assert twilio(form, signed(f"{URL}?{QUERY}", form)).report is report


def test_a_code_that_says_that_a_person_opted_out_is_told_b_267() -> None:
    form = {**FORM, "MessageStatus": "failed", "ErrorCode": "21610"}
    receipt = twilio(form, signed(f"{URL}?{QUERY}", form))
    assert (receipt.code, receipt.opted_out) == ("21610", True)


@pytest.mark.parametrize("changed", [{"MessageStatus": "read"}, {"MessageSid": "SM2"}, {"More": "x"}])
def test_a_form_that_was_changed_is_forged(changed: dict[str, str]) -> None:
    with pytest.raises(Forged):
        twilio({**FORM, **changed}, signed(f"{URL}?{QUERY}", FORM))


def test_another_reference_token_or_place_and_no_signature_are_forged() -> None:
    good = signed(f"{URL}?{QUERY}", FORM)
    for proof, query in (
        (good, f"attempt={uuid4()}&occurrence={OCCURRENCE}"),
        (good, ""),
        (signed(f"{URL}?{QUERY}", FORM, b"other"), QUERY),
        (signed(f"https://evil.example/callbacks/twilio?{QUERY}", FORM), QUERY),
        (None, QUERY),
        ("", QUERY),
        ("é" * 28, QUERY),
    ):
        with pytest.raises(Forged):
            twilio(FORM, proof, query=query)


@given(st.binary(max_size=200))
def test_no_body_breaks_twilios_reader(body: bytes) -> None:
    request = make_mocked_request("POST", "/callbacks/twilio", headers={"X-Twilio-Signature": "x"})
    with pytest.raises(Forged):
        TwilioReceiver(URL, TOKEN).read(request, body)


def a_status(**changes: Any) -> dict[str, Any]:
    return {
        "id": "wamid.X",
        "status": "delivered",
        "timestamp": "1750857384",
        "recipient_id": "15550001111",
        "biz_opaque_callback_data": reference(OCCURRENCE, ATTEMPT),
        **changes,
    }


def of_meta(*statuses: Any) -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {}, "statuses": list(statuses)}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def whatsapp(body: bytes, given: str | None) -> list[Receipt]:
    headers = {"X-Hub-Signature-256": given} if given is not None else {}
    request = make_mocked_request("POST", "/callbacks/whatsapp", headers=headers)
    return list(WhatsAppReceiver(SECRET, "ours").read(request, body))


def hub(body: bytes, secret: bytes = SECRET) -> str:
    return f"sha256={hmac.new(secret, body, sha256).hexdigest()}"


def test_a_signed_body_of_meta_is_read_state_by_state() -> None:
    failed = a_status(id="wamid.Y", status="failed", errors=[{"code": 131050, "title": "made up"}])
    body = of_meta(a_status(), failed)
    at = datetime.fromtimestamp(1750857384, UTC)
    assert whatsapp(body, hub(body)) == [
        Receipt("whatsapp", "wamid.X", ATTEMPT, OCCURRENCE, Report.DELIVERED, at=at),
        Receipt("whatsapp", "wamid.Y", ATTEMPT, OCCURRENCE, Report.FAILED, code="131050", at=at, opted_out=True),
    ]


def test_a_body_of_meta_that_was_changed_or_not_signed_is_forged() -> None:
    body = of_meta(a_status())
    for proof, sent in (
        (hub(body), body + b" "),
        (hub(body, b"other"), body),
        (hub(body).upper(), body),
        (hub(body)[7:], body),
        (None, body),
    ):
        with pytest.raises(Forged):
            whatsapp(sent, proof)


@pytest.mark.parametrize(
    "odd",
    [
        a_status(status="warning"),
        a_status(status=7),
        a_status(id=None),
        a_status(id="x" * 256),
        "text",
        None,
    ],
)
def test_what_meta_adds_is_passed_over(odd: Any) -> None:
    body = of_meta(odd, a_status())
    assert [receipt.message_id for receipt in receipts_of(body)] == ["wamid.X"]


@pytest.mark.parametrize("timestamp", [None, "", "soon", "-1", "9" * 13, "9" * 12, 1e3, True, [1]])
def test_a_time_that_is_none_is_none(timestamp: Any) -> None:
    (receipt,) = receipts_of(of_meta(a_status(timestamp=timestamp)))
    assert receipt.at is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["entry", "changes", "value", "statuses", "id", "status", "errors"]), inner
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_breaks_the_reader_of_meta(value: Any) -> None:
    receipts_of(json.dumps(value).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"entry": [' * 2000])
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        receipts_of(body)


def test_meta_hears_its_word_back_if_it_knows_ours() -> None:
    def asked(receiver: WhatsAppReceiver, **query: str) -> str:
        return receiver.challenge(make_mocked_request("GET", f"/callbacks/whatsapp?{urlencode(query)}"))

    ours = {"hub.mode": "subscribe", "hub.verify_token": "ours", "hub.challenge": "1158201444"}
    assert asked(WhatsAppReceiver(SECRET, "ours"), **ours) == "1158201444"
    for receiver, query in (
        (WhatsAppReceiver(SECRET, "ours"), {**ours, "hub.verify_token": "theirs"}),
        (WhatsAppReceiver(SECRET, "ours"), {**ours, "hub.mode": "unsubscribe"}),
        (WhatsAppReceiver(SECRET, "ours"), {**ours, "hub.challenge": "a\nb"}),
        (WhatsAppReceiver(SECRET, "ours"), {}),
        (WhatsAppReceiver(SECRET, None), {**ours, "hub.verify_token": ""}),
    ):
        with pytest.raises(Forged):
            asked(receiver, **query)


@given(st.uuids(), st.uuids())
def test_a_reference_is_read_as_it_was_written(occurrence: UUID, attempt: UUID) -> None:
    assert read_reference(reference(occurrence, attempt)) == (occurrence, attempt)
    assert read_reference(str(attempt)) == (None, attempt)


@given(st.none() | st.text(max_size=80))
def test_any_reference_is_read(text: str | None) -> None:
    read_reference(text)
