"""The master keys that seal secrets at rest: AES-256-GCM for each row, the key's id inside the ciphertext.

Layout: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext with its tag. The account's and the row's id
are bound in as associated data, so a ciphertext that is moved to another row does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.runtime.settings import BadSettings, Settings

_VERSION: Final = b"\x01"
_ID: Final = 4
_NONCE: Final = 12
_HEAD: Final = len(_VERSION) + _ID + _NONCE


class CannotOpen(Exception):
    """No master key of ours opens it, or it belongs to another row."""


class Keyring:
    """Seals with the newest key and opens with any."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` of 32 bytes each, newest first. Raises `ValueError`."""
        if not keys or any(len(key) != 32 for key in keys):
            raise ValueError("master keys have 32 bytes")
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = _key_id(keys[0])

    @classmethod
    def from_settings(cls, settings: Settings) -> Keyring:
        """The keys of BELLTOWER_MASTER_KEY. Raises `BadSettings`, which names the key and never its value."""
        if settings.master_key is None:
            raise BadSettings("BELLTOWER_MASTER_KEY: missing; 32 random bytes in base64")
        parts = settings.master_key.get_secret_value().split(",")
        try:
            return cls([base64.b64decode(part.strip(), validate=True) for part in parts])
        except (binascii.Error, ValueError):
            raise BadSettings(
                "BELLTOWER_MASTER_KEY: each key is 32 bytes in base64; several are joined by commas, newest first"
            ) from None

    def seal(self, secret: str, *, account_id: UUID, row_id: UUID) -> bytes:
        """Encrypt for one row of one account."""
        nonce = os.urandom(_NONCE)
        cipher = self._ciphers[self._newest]
        sealed = cipher.encrypt(nonce, secret.encode(), account_id.bytes + row_id.bytes)
        return _VERSION + self._newest + nonce + sealed

    def open(self, sealed: bytes, *, account_id: UUID, row_id: UUID) -> str:
        """Decrypt what was sealed for this row. Raises `CannotOpen`."""
        cipher = self._ciphers.get(sealed[1 : 1 + _ID])
        if cipher is None or sealed[:1] != _VERSION:
            raise CannotOpen("sealed with a master key that is not in BELLTOWER_MASTER_KEY")
        nonce = sealed[1 + _ID : _HEAD]
        try:
            return cipher.decrypt(nonce, sealed[_HEAD:], account_id.bytes + row_id.bytes).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen("damaged, or sealed for another row") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether the newest key sealed it; what is not current can be sealed again before the old key goes."""
        return sealed[: 1 + _ID] == _VERSION + self._newest


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"belltower key id" + key).digest()[:_ID]
