"""`belltower admin`: an operator gets what was asked, or one line that says why not."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rig.command import belltower
from shared.bus.bus import EVENTS, WEBHOOK_EVENTS, BusMessage, Undeliverable
from shared.bus.rabbit import RabbitBus


class Operator:
    """Runs `belltower admin` on one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder, self._settings = folder, {"DATABASE_URL": database_url}

    def run(self, *words: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        return belltower("admin", *words, cwd=self._folder, settings=self._settings, stdout=stdout)

    def json(self, *words: str) -> Any:
        ended = self.run(*words, "--json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)


@pytest.fixture
def operator(tmp_path: Path, database_url: str) -> Operator:
    return Operator(tmp_path, database_url)


def test_an_account_comes_with_its_keys_and_a_default_configuration(operator: Operator) -> None:
    made = operator.json("create-account", "Bell & Sons", "--email", "owner@example.com", "--time-zone", "Asia/Jakarta")
    assert made["api_key"].startswith("sk_live_")
    assert (made["agent_id"], made["configuration_id"]) == ("default", "default")
    [account] = operator.json("list-accounts")
    assert account["account_id"] == made["account_id"]
    assert (account["name"], account["time_zone"]) == ("Bell & Sons", "Asia/Jakarta")
    assert "Bell & Sons" in operator.run("list-accounts").stdout
    kinds = [key["kind"] for key in operator.json("list-keys", "--account", made["account_id"])]
    assert sorted(kinds) == ["api_key", "primary", "secondary"]


def test_a_configuration_is_made_once_and_takes_its_accounts_zone(operator: Operator) -> None:
    account = operator.json("create-account", "Zoned", "--time-zone", "Europe/Berlin")["account_id"]
    words = ("create-configuration", "--account", account, "--agent", "nurse", "--configuration", "ward-1")
    made = operator.json(*words, "--channel", "whatsapp")
    assert (made["agent_id"], made["configuration_id"]) == ("nurse", "ward-1")
    assert made["primary_key"] != made["secondary_key"]
    again = operator.run(*words)
    assert (again.returncode, again.stderr) == (1, "belltower: there is a configuration of that name\n")
    named = operator.json("create-configuration", "--account", account, "--agent", "nurse")
    assert named["configuration_id"].startswith("cfg_")
    zones = [found["time_zone"] for found in operator.json("list-configurations", "--account", account)]
    assert zones == ["Europe/Berlin"] * 3


def test_one_key_is_refreshed_and_the_other_left_alone(operator: Operator) -> None:
    made = operator.json("create-account", "Keys")
    account = made["account_id"]
    fresh = operator.json("refresh-keys", "--account", account, "--type", "primary", "--grace-seconds", "60")
    assert list(fresh) == ["primary_key"]
    assert fresh["primary_key"] != made["primary_key"]
    ending = [key["kind"] for key in operator.json("list-keys", "--account", account) if key["expires_at"]]
    assert ending == ["primary"]
    assert list(operator.json("refresh-keys", "--account", account)) == ["primary_key", "secondary_key"]


def test_a_key_is_made_and_ended(operator: Operator) -> None:
    account = operator.json("create-account", "Keys")["account_id"]
    key = operator.json("create-key", "--account", account)["api_key"]
    [found] = [
        listed for listed in operator.json("list-keys", "--account", account) if key.startswith(listed["begins_with"])
    ]
    ended = operator.json("expire-key", "--account", account, "--key", found["key_id"])
    assert ended["expires_at"]
    again = operator.run("expire-key", "--account", account, "--key", found["key_id"])
    assert (again.returncode, again.stderr) == (1, "belltower: credential not found\n")


def test_what_is_not_there_or_not_right_is_one_line(operator: Operator) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    for words in (("list-keys",), ("create-key",), ("list-configurations",), ("create-configuration", "--agent", "a")):
        ended = operator.run(*words, "--account", nobody)
        assert (ended.returncode, ended.stderr) == (1, "belltower: account not found\n")
    ended = operator.run("create-account", "x", "--time-zone", "Mars/Olympus")
    assert ended.returncode == 1
    assert re.fullmatch(r"belltower: time_zone: .*\n", ended.stderr)


@pytest.mark.parametrize(
    "email", ["x", "@example.com", "a b@example.com", "a@b@example.com", "a@localhost", "", "a@-x.com"]
)
def test_an_owners_address_that_is_none_is_one_line(operator: Operator, email: str) -> None:
    ended = operator.run("create-account", "x", "--email", email)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"belltower: email: .*\n", ended.stderr)


def test_b_184_an_accounts_owner_zone_and_hour_can_be_changed(operator: Operator) -> None:
    account = operator.json("create-account", "Late")["account_id"]
    changed = operator.json(
        "change-account", "--account", account, "--email", "owner@example.com", "--reminder-hour", "7"
    )
    assert changed == {
        "account_id": account,
        "owner_email": "owner@example.com",
        "time_zone": "UTC",
        "reminder_hour": 7,
        "plan": "paid",
        "quota": None,
    }
    changed = operator.json("change-account", "--account", account, "--time-zone", "Asia/Tokyo")
    assert (changed["owner_email"], changed["time_zone"], changed["reminder_hour"]) == (
        "owner@example.com",
        "Asia/Tokyo",
        7,
    )


def test_b_142_b_143_an_accounts_plan_and_quota_can_be_changed(operator: Operator) -> None:
    account = operator.json("create-account", "Thrifty")["account_id"]

    def change(*options: str) -> tuple[str, int | None]:
        changed = operator.json("change-account", "--account", account, *options)
        return changed["plan"], changed["quota"]

    assert change("--plan", "free") == ("free", None)
    assert change("--quota", "500") == ("free", 500)
    assert change("--plan", "paid", "--quota", "0") == ("paid", 0)
    assert change("--time-zone", "Asia/Tokyo") == ("paid", 0)
    assert change("--quota", "none") == ("paid", None)


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--email", "x", "email"),
        ("--time-zone", "Mars/Olympus", "time_zone"),
        ("--reminder-hour", "24", "reminder_hour"),
        ("--quota", "-1", "quota"),
        ("--quota", "2147483648", "quota"),
        ("--quota", "many", "quota"),
    ],
)
def test_a_wrong_change_of_an_account_is_one_line(operator: Operator, option: str, value: str, named: str) -> None:
    account = operator.json("create-account", "Late")["account_id"]
    ended = operator.run("change-account", "--account", account, option, value)
    assert ended.returncode == 1
    assert re.fullmatch(rf"belltower: {named}: .*\n", ended.stderr)


def test_dead_letters_that_nobody_takes_stay_where_they_are(operator: Operator) -> None:
    listed = operator.run("dead-letters", "list")
    assert (listed.stdout, listed.stderr) == ("", "None.\n")
    assert operator.json("dead-letters", "replay", "--queue", "webhooks.events") == {"webhooks.events": 0}


def in_a_terminal(operator: Operator, *words: str) -> str:
    """What a narrow terminal is given."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    operator.run(*words, stdout=theirs)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the end of a terminal
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    return shown.decode()


def test_what_is_listed_can_be_copied_whole_from_a_pipe_and_from_a_narrow_terminal(operator: Operator) -> None:
    name = "A name that is longer than any column " * 6
    account = operator.json("create-account", name.strip(), "--email", "owner@example.com")["account_id"]
    header, piped = operator.run("list-accounts").stdout.splitlines()
    found = dict(zip(header.split("\t"), piped.split("\t"), strict=True))
    assert (found["account_id"], found["name"], found["owner_email"]) == (account, name.strip(), "owner@example.com")
    shown = in_a_terminal(operator, "list-keys", "--account", account)
    assert all(key["key_id"] in shown for key in operator.json("list-keys", "--account", account))
    assert len(shown.splitlines()) == 4


async def refuse(_: BusMessage) -> None:
    raise Undeliverable("nobody reads this")


async def make_dead_letter(bus_url: str) -> BusMessage:
    """One message that the webhook service's queue could not deliver."""
    message = BusMessage(EVENTS, "message.sent.v1", uuid4(), b"no json")
    bus = await RabbitBus.connect(bus_url)
    await bus.consume(WEBHOOK_EVENTS, refuse)
    await bus.publish([message])
    async with asyncio.timeout(10):
        while not await bus.dead_letters(WEBHOOK_EVENTS, limit=1):
            await asyncio.sleep(0.05)
    await bus.stop_consuming(drain=5)
    await bus.close()
    return message


async def test_dead_letters_on_a_broker_are_listed_and_given_back(tmp_path: Path, bus_url: str) -> None:
    def run(*words: str) -> Any:
        words = ("admin", "dead-letters", *words, "--json")
        ended = belltower(*words, cwd=tmp_path, settings={"BUS_URL": bus_url})
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    assert run("list") == []
    message = await make_dead_letter(bus_url)
    [listed] = run("list")
    assert (listed["id"], listed["queue"], listed["body"]) == (str(message.id), "webhooks.events", "no json")
    assert "nobody reads this" in listed["reason"]
    assert run("replay") == {"dispatcher.send-due": 0, "webhooks.events": 1}
    assert run("list") == []


def test_a_broker_that_is_away_is_one_line(tmp_path: Path) -> None:
    ended = belltower("admin", "dead-letters", "list", cwd=tmp_path, settings={"BUS_URL": "amqp://127.0.0.1:1/"})
    assert (ended.returncode, ended.stderr.splitlines()[-1][:35]) == (1, "belltower: the broker does not answ")
