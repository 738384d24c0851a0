"""Secrets at rest: sealed for one row, opened by any key of the ring."""

from __future__ import annotations

import base64
from uuid import uuid4

import pytest

from shared.runtime.keyring import CannotOpen, Keyring
from shared.runtime.settings import BadSettings, Settings

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
ACCOUNT, ROW = uuid4(), uuid4()


def test_a_secret_opens_for_its_row_alone() -> None:
    ring = Keyring([NEW])
    sealed = ring.seal("whsec_x", account_id=ACCOUNT, row_id=ROW)
    assert ring.open(sealed, account_id=ACCOUNT, row_id=ROW) == "whsec_x"
    assert b"whsec_x" not in sealed
    assert sealed != ring.seal("whsec_x", account_id=ACCOUNT, row_id=ROW)
    for account, row in ((uuid4(), ROW), (ACCOUNT, uuid4())):
        with pytest.raises(CannotOpen):
            ring.open(sealed, account_id=account, row_id=row)


def test_keys_rotate_newest_first() -> None:
    sealed = Keyring([OLD]).seal("x", account_id=ACCOUNT, row_id=ROW)
    both = Keyring([NEW, OLD])
    assert both.open(sealed, account_id=ACCOUNT, row_id=ROW) == "x"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("x", account_id=ACCOUNT, row_id=ROW))
    with pytest.raises(CannotOpen, match="BELLTOWER_MASTER_KEY"):
        Keyring([NEW]).open(sealed, account_id=ACCOUNT, row_id=ROW)


@pytest.mark.parametrize("at", [0, 2, 8, 20, -1])
def test_a_damaged_secret_does_not_open(at: int) -> None:
    ring = Keyring([NEW])
    sealed = bytearray(ring.seal("x", account_id=ACCOUNT, row_id=ROW))
    sealed[at] ^= 1
    with pytest.raises(CannotOpen):
        ring.open(bytes(sealed), account_id=ACCOUNT, row_id=ROW)


@pytest.mark.parametrize("value", ["", "hunter2", "aGVsbG8=", base64.b64encode(OLD).decode() + ",hunter2"])
def test_a_bad_master_key_is_named_and_not_shown(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", value)
    with pytest.raises(BadSettings, match="BELLTOWER_MASTER_KEY") as bad:
        Keyring.from_settings(Settings())
    assert "hunter2" not in str(bad.value)


def test_several_keys_are_joined_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ", ".join(base64.b64encode(key).decode() for key in (NEW, OLD))
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", keys)
    ring = Keyring.from_settings(Settings())
    sealed = Keyring([OLD]).seal("x", account_id=ACCOUNT, row_id=ROW)
    assert ring.open(sealed, account_id=ACCOUNT, row_id=ROW) == "x"
