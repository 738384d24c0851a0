"""How a delivery proves where it comes from: two schemes on the same request, for the same secrets.

`X-Remindlo-Signature: t=<unix>,v1=<hex>` (B-158 … B-161) takes the whole `whsec_…` text as its key, and signs
`<t>.<body>`. Standard Webhooks 1.0.0 takes the decoded bytes after `whsec_`, and signs `<id>.<t>.<body>`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


class Rotation(StrEnum):
    """Where an endpoint is between two secrets.

    Verifiers that read only the first `v1` see one secret change hands at `promoted`, on the day the owner
    chooses; verifiers that try every signature never notice.
    """

    NONE = "none"
    STAGED = "staged"
    """Both sign, the old one first."""
    PROMOTED = "promoted"
    """Both sign, the new one first."""


def new_secret(entropy: bytes) -> str:
    """A secret in its written form, from `SECRET_BYTES` random bytes."""
    if len(entropy) != SECRET_BYTES:
        raise ValueError(f"a secret takes {SECRET_BYTES} bytes")
    return PREFIX + base64.b64encode(entropy).decode()


def signing_order(secret: str, next_secret: str | None, rotation: Rotation) -> tuple[str, ...]:
    """The secrets that sign, the one for first-signature-only verifiers first (`reliability.md` c.1)."""
    if next_secret is None or rotation is Rotation.NONE:
        return (secret,)
    return (secret, next_secret) if rotation is Rotation.STAGED else (next_secret, secret)


def sign(secrets: Sequence[str], *, id: UUID, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that sign `body` as the attempt at `at` of delivery `id`, with each of `secrets` in order."""
    timestamp = int(at.timestamp())
    return {
        "X-Remindlo-Signature": ",".join(
            [f"t={timestamp}", *(f"v1={_remindlo(secret, timestamp, body)}" for secret in secrets)]
        ),
        "webhook-id": str(id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_standard(secret, id, timestamp, body)}" for secret in secrets),
    }


def _remindlo(secret: str, timestamp: int, body: bytes) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (timestamp, body), hashlib.sha256).hexdigest()


def _standard(secret: str, id: UUID, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b"%b.%d.%b" % (str(id).encode(), timestamp, body)
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
