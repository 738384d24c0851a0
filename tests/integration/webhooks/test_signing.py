"""What a receiver can check: both signatures on every delivery, and both verifiers all through a rotation (W-15)."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.api.core import endpoints
from tests.rig.receiver import Received

if TYPE_CHECKING:
    from conftest import Webhooks

ROOT = Path(__file__).parents[3]


def example() -> Any:
    spec = importlib.util.spec_from_file_location("verify_webhook", ROOT / "examples" / "verify_webhook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERIFY = example().verify


def first_only(received: Received, secret: str) -> bool:
    """As receivers do that read the first `v1` and no other."""
    header = received.headers["x-remindlo-signature"]
    return bool(VERIFY(received.body, header, secret, now=int(received.headers["webhook-timestamp"])))


def any_of(received: Received, secret: str) -> bool:
    """As the Standard Webhooks libraries do."""
    try:
        Webhook(secret).verify(received.body, _fresh(received.headers))
    except WebhookVerificationError:
        return False
    return True


def _fresh(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("webhook-")}


@pytest.fixture(autouse=True)
def _patient_verifier(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library compares with the wall clock; the tests have a `now` of their own."""

    def read(self: Webhook, header: str) -> datetime:
        return datetime.fromtimestamp(float(header), tz=UTC)

    monkeypatch.setattr(Webhook, "_Webhook__verify_timestamp", read)


async def test_b_158_both_schemes_verify_one_delivery(webhooks: Webhooks) -> None:
    """B-155, B-158, B-159, B-160, B-161."""
    _, secret = await webhooks.endpoint()
    await webhooks.happen()
    await webhooks.tick()
    received = webhooks.receiver.ledger[0]
    assert first_only(received, secret)
    assert any_of(received, secret)
    header = received.headers["x-remindlo-signature"]
    t, v1 = header.split(",")
    assert t == f"t={int(webhooks.now.timestamp())}" == f"t={received.headers['webhook-timestamp']}"
    assert len(v1.removeprefix("v1=")) == 64
    assert " " not in header
    assert received.headers["webhook-id"] == received.json()["id"]
    assert received.headers["content-type"] == "application/json"
    another = secret[:-2] + ("A=" if secret[-2] != "A" else "Q=")
    assert not first_only(received, another)


async def test_w_15_a_rotation_never_fails_a_verifier(webhooks: Webhooks) -> None:
    """B-154: 300 deliveries over all phases. Readers of the first signature change over at `promote`."""
    endpoint, old = await webhooks.endpoint()
    new = ""
    expected = {"none": (True, False), "staged": (True, False), "promoted": (False, True), "retired": (False, True)}
    for phase, (old_is_first, new_is_first) in expected.items():
        async with webhooks.runtime.db.transaction() as tx:
            facts: Any = {"account_id": webhooks.account, "id": endpoint, "now": webhooks.now}
            if phase == "staged":
                new = (await endpoints.stage_secret(tx, webhooks.core, **facts)).secret
            elif phase == "promoted":
                await endpoints.promote_secret(tx, **facts)
            elif phase == "retired":
                await endpoints.retire_secret(tx, **facts)
        seen = len(webhooks.receiver.ledger)
        await webhooks.happen(*(webhooks.sent() for _ in range(75)))
        while await webhooks.tick():
            pass
        got = webhooks.receiver.ledger[seen:]
        assert len(got) == 75
        for received in got:
            assert any_of(received, old) is (phase != "retired")
            assert first_only(received, old) is old_is_first
            if new:
                assert any_of(received, new)
                assert first_only(received, new) is new_is_first


async def test_secrets_are_sealed_in_the_database_for_their_row_alone(webhooks: Webhooks) -> None:
    """B-150: and a ciphertext that is moved to another row signs nothing and spends no attempt."""
    first, secret = await webhooks.endpoint()
    second, _ = await webhooks.endpoint()
    row = await webhooks.health(first)
    assert secret.encode() not in row["secret"]
    await webhooks.execute("update endpoints set secret = $1 where id = $2", row["secret"], second)
    await webhooks.happen()
    await webhooks.tick()
    assert len(webhooks.receiver.ledger) == 1
    assert sorted(delivery["state"] for delivery in await webhooks.deliveries()) == ["delivered", "sending"]
