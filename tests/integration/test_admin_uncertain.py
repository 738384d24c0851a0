"""`belltower admin uncertain`: what may or may not have been sent is listed, and a person's word settles it (B-263)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from rig.command import belltower

_PARK = """
with r as (
    insert into reminders (id, account_id, configuration_id, door, external_id, channel, address, schedule,
        tzdata_version, status, sequence, created_at, updated_at, ended_at)
    select gen_random_uuid(), c.account_id, c.id, 'integration', $1, 'sms', '+6281234567890', '{}', '2026.6', 'expired',
        0, now(), now(), now() from configurations c
    returning *)
insert into occurrences (id, reminder_id, account_id, seq, scheduled_for, due_at, state, attempt, failures, attempt_id,
    attempt_started_at, provider, takes_key, reason, ended_at)
select gen_random_uuid(), r.id, r.account_id, 1, now(), now(), 'uncertain', 1, 1, gen_random_uuid(), now(), 'twilio',
    false, 'no answer came in time', r.ended_at
from r returning id
"""


class Operator:
    """Runs `belltower admin uncertain` on one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder, self._settings = folder, {"DATABASE_URL": database_url}

    def run(self, *words: str) -> tuple[int, str, str]:
        ended = belltower("admin", *words, cwd=self._folder, settings=self._settings)
        return ended.returncode, ended.stdout, ended.stderr

    def json(self, *words: str) -> Any:
        code, said, complained = self.run(*words, "--json")
        assert code == 0, complained
        return json.loads(said)


@pytest.fixture
async def parked(tmp_path: Path, database_url: str) -> tuple[Operator, UUID]:
    operator = Operator(tmp_path, database_url)
    operator.json("create-account", "Acme")
    connection = await asyncpg.connect(database_url)
    id = await connection.fetchval(_PARK, "visit-7")
    await connection.close()
    return operator, id


def test_a_parked_send_is_listed_and_settled_once_b_263(parked: tuple[Operator, UUID]) -> None:
    operator, id = parked
    (row,) = operator.json("uncertain", "list")
    assert (row["id"], row["external_id"], row["provider"]) == (str(id), "visit-7", "twilio")
    assert operator.json("uncertain", "list", "--account", str(uuid4())) == []
    settled = operator.json("uncertain", "resolve", str(id), "--outcome", "sent", "--message-id", "SM1")
    assert (settled["status"], settled["reminder_status"]) == ("sent", "completed")
    assert operator.json("uncertain", "list", "--account", row["account_id"]) == []
    code, _, complained = operator.run("uncertain", "resolve", str(id), "--outcome", "closed")
    assert (code, complained.count("\n")) == (1, 1)
    assert "not in doubt" in complained


def test_a_wrong_word_is_one_line_and_changes_nothing(parked: tuple[Operator, UUID]) -> None:
    operator, id = parked
    for words in (
        (str(uuid4()), "--outcome", "sent"),
        (str(id), "--outcome", "closed", "--message-id", "SM1"),
    ):
        code, _, complained = operator.run("uncertain", "resolve", *words)
        assert code != 0
        assert complained.count("\n") == 1, complained
    assert len(operator.json("uncertain", "list")) == 1
