"""Both signature schemes against fixed vectors, and against the libraries that will read them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.domain.signature import Rotation, new_secret, sign, signing_order

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw3rVYt0iIxqQ="
ID = UUID("018e7d3c-0000-7000-8000-000000000001")
AT = datetime(2024, 3, 25, 9, 50, tzinfo=UTC)
BODY = b'{"test": 2432232314}'

# Made with `openssl dgst -sha256 -hmac` and `-macopt hexkey`, not with code of ours.
REMINDLO = "t=1711360200,v1=c73aea3430d119121c353d8ee609b2915d11dfcfbf8b7ed253efcd39b2c2872c"
STANDARD = "v1,06Ja9LnYrprruVo856MCazECBJAQrt/Qszklz269vzM="


def test_b_158_the_remindlo_vector() -> None:
    """B-158, B-160, B-161: hex of HMAC-SHA256 over `<t>.<body>`, keyed with the whole text of the secret."""
    assert sign([SECRET], id=ID, at=AT, body=BODY)["X-Remindlo-Signature"] == REMINDLO


def test_b_160_the_standard_webhooks_vector() -> None:
    """B-160: keyed with the decoded bytes."""
    headers = sign([SECRET], id=ID, at=AT, body=BODY)
    assert headers["webhook-signature"] == STANDARD
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (str(ID), "1711360200")


def test_the_vectors_are_what_the_definitions_say() -> None:
    whole = hmac.new(SECRET.encode(), b"1711360200." + BODY, hashlib.sha256).hexdigest()
    assert f"t=1711360200,v1={whole}" == REMINDLO
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.new(key, f"{ID}.1711360200.".encode() + BODY, hashlib.sha256).digest()
    assert "v1," + base64.b64encode(signed).decode() == STANDARD


ASCII = st.text(st.characters(max_codepoint=127), min_size=1, max_size=300)


@given(text=ASCII, place=st.integers(0, 2**16), entropy=st.binary(min_size=32, max_size=32))
def test_the_published_library_verifies_and_one_bit_breaks_it(text: str, place: int, entropy: bytes) -> None:
    """B-158, B-160."""
    secret, now, body = new_secret(entropy), datetime.now(UTC), text.encode()
    headers = sign([secret], id=ID, at=now, body=body)
    reader = Webhook(secret)
    reader.verify(body, headers, json_parse=False)
    changed = bytearray(body)
    changed[place // 8 % len(body)] ^= 1 << place % 7
    with pytest.raises(WebhookVerificationError):
        reader.verify(bytes(changed), headers, json_parse=False)
    again = sign([secret], id=ID, at=now, body=bytes(changed))
    assert again["X-Remindlo-Signature"] != headers["X-Remindlo-Signature"]


def test_b_159_the_header_can_be_split_at_commas() -> None:
    """B-159: `t` first, then `v1` of 64 hex digits, no spaces."""
    t, v1 = REMINDLO.split(",")
    assert t.split("=") == ["t", "1711360200"]
    assert v1.split("=")[0] == "v1"
    assert len(bytes.fromhex(v1.split("=")[1])) == 32


def test_b_154_during_a_rotation_both_sign_and_the_first_changes_at_promote() -> None:
    """B-154."""
    old, new = new_secret(bytes(32)), new_secret(bytes([1] * 32))
    assert signing_order(old, None, Rotation.NONE) == (old,)
    assert signing_order(old, new, Rotation.STAGED) == (old, new)
    assert signing_order(old, new, Rotation.PROMOTED) == (new, old)
    headers = sign([old, new], id=ID, at=AT, body=BODY)
    by_old = sign([old], id=ID, at=AT, body=BODY)
    by_new = sign([new], id=ID, at=AT, body=BODY)
    assert headers["X-Remindlo-Signature"].startswith(by_old["X-Remindlo-Signature"] + ",v1=")
    assert headers["webhook-signature"] == f"{by_old['webhook-signature']} {by_new['webhook-signature']}"


def test_b_150_a_secret_is_32_random_bytes_and_never_less() -> None:
    assert len(base64.b64decode(new_secret(bytes(32)).removeprefix("whsec_"))) == 32
    with pytest.raises(ValueError, match="32 bytes"):
        new_secret(b"short")
