"""Makes secrets and digests. A secret exists in the clear once: in the answer that shows it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from shared.domain.account import CredentialKind

RANDOM_BYTES: Final = 24
"""192 random bits: too many to guess, so a plain sha256 is enough at rest."""

_PREFIX: Final = {
    CredentialKind.API_KEY: "sk_live_",
    CredentialKind.PRIMARY: "pri_",
    CredentialKind.SECONDARY: "sec_",
}
_SHOWN: Final = 4
"""Characters of the random part that stay readable, so that an owner can tell keys apart."""


@dataclass(frozen=True, slots=True)
class NewKey:
    secret: str
    digest: bytes
    prefix: str


def make_key(kind: CredentialKind) -> NewKey:
    """A new secret of this kind."""
    secret = f"{_PREFIX[kind]}{secrets.token_urlsafe(RANDOM_BYTES)}"
    return NewKey(secret, hashlib.sha256(secret.encode()).digest(), secret[: len(_PREFIX[kind]) + _SHOWN])


def digest_of(presented: str) -> bytes | None:
    """The sha256 of what a caller presents; None where it cannot be a secret of ours."""
    if not presented or not presented.isascii():
        return None
    return hashlib.sha256(presented.encode()).digest()
