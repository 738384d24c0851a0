"""`belltower up` as a newcomer meets it: one command, a proof, keys that are kept, and a clean end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from rig.command import Up, belltower, environment, open_folder, up
from shared.runtime.embedded import running_dsn
from shared.store import dead_letters
from shared.store.database import Database


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as found:
        yield found


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    """One `up` for the tests that only talk to it."""
    with open_folder() as found, up(found) as one:
        yield one


def get(url: str, **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:  # noqa: S310
        return json.load(answer)


def demo(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / ".data" / "demo.json").read_text())
    return found


def servers_of(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or ())
    ]


def test_a_first_start_proves_itself_and_a_second_one_keeps_everything(folder: Path) -> None:
    with up(folder) as first:
        proof = first.wait_for(r"(first-start-\w+) was delivered by the sandbox provider, (-?[\d.]+) ms after its time")
        keys = demo(folder)
        assert all(key in first.text for key in keys.values())
        assert float(proof[2]) >= 0
        assert first.stop() == 0
    assert servers_of(folder) == []
    with up(folder) as second:
        assert demo(folder) == keys
        [message] = get(f"{second.api}/sandbox/messages", **{"x-api-key": keys["api_key"]})["messages"]
        assert message["reminder_id"] == proof[1]
        item = get(f"{second.api}/api/reminder/default/default/{proof[1]}?secret={keys['primary_key']}")
        assert [entry["action"] for entry in item["history"]] == ["Created", "Sent"]
        assert second.stop(signal.SIGTERM) == 0
        assert "First start" not in second.text
    assert servers_of(folder) == []


def test_keys_are_readable_by_their_owner_alone(running: Up) -> None:
    modes = {name: (running.folder / ".data" / name).stat().st_mode & 0o777 for name in ("demo.json", "master.key")}
    assert modes == {"demo.json": 0o600, "master.key": 0o600}


@pytest.mark.parametrize("name", ["demo.json", "master.key"])
def test_keys_that_others_can_read_are_refused(folder: Path, name: str) -> None:
    data = folder / ".data"
    data.mkdir()
    (data / name).write_text("{}")
    (data / name).chmod(0o640)
    ended = belltower("up", cwd=folder, settings={"BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0"})
    assert ended.returncode == 1
    assert re.fullmatch(rf"belltower: \S*{name} holds secrets .*chmod 600.*\n", ended.stderr)
    assert servers_of(folder) == []


def test_a_master_key_that_went_missing_is_not_replaced(folder: Path) -> None:
    with up(folder) as first:
        first.wait_for("was delivered by the sandbox provider")
    (folder / ".data" / "master.key").unlink()
    ended = belltower("up", cwd=folder, settings={"BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0"})
    assert ended.returncode == 1
    assert "master.key is gone" in ended.stderr


def test_a_second_one_on_the_same_folder_says_so(running: Up) -> None:
    ended = belltower("up", cwd=running.folder, settings={"BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0"})
    assert ended.returncode == 1
    assert re.fullmatch(r"belltower: Another process runs Belltower on \.data.*\n", ended.stderr)


@pytest.mark.parametrize("name", ["BELLTOWER_API_PORT", "BELLTOWER_OPS_PORT"])
def test_a_taken_port_is_named(running: Up, folder: Path, name: str) -> None:
    taken = (running.api if name == "BELLTOWER_API_PORT" else running.ops).rpartition(":")[2]
    settings = {"BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0", name: taken}
    ended = belltower("up", cwd=folder, settings=settings)
    assert ended.returncode == 1
    assert re.fullmatch(rf"belltower: cannot listen on 127\.0\.0\.1:{taken} .*{name}.*\n", ended.stderr)


def test_a_stop_while_it_starts_leaves_no_server(folder: Path) -> None:
    starting = Up(folder)
    deadline = time.monotonic() + 20
    while not (folder / ".data" / "postgres").exists():
        assert time.monotonic() < deadline, starting.text
        time.sleep(0.01)
    assert starting.stop(signal.SIGTERM) != 0
    assert "Traceback" not in starting.text
    assert servers_of(folder) == []


BSD_DATE = """#!/bin/sh
# As on macOS: it knows -v and not -d.
case "$*" in
    *-d*) echo "usage: date" >&2; exit 1 ;;
    "-u -v+2S "*) shift 2; exec {date} -u -d '+2 seconds' "$@" ;;
    *) exec {date} "$@" ;;
esac
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("system", ["linux", "macos"])
def test_the_printed_lines_work_when_pasted(running: Up, tmp_path: Path, system: str) -> None:
    """B-007: no secret stands in a URL, where shells and proxies keep it."""
    path = os.environ["PATH"]
    if system == "macos":
        (tmp_path / "date").write_text(BSD_DATE.format(date=shutil.which("date")))
        (tmp_path / "date").chmod(0o755)
        path = f"{tmp_path}:{path}"
    assert "secret=" not in running.text
    lines = re.search(r"^API=.*message\.sent\"\]\}'$", running.text, re.MULTILINE | re.DOTALL)
    assert lines is not None
    pasted = subprocess.run(
        ["sh", "-euc", lines[0].replace("\ncurl -sS", "\necho; curl -sS")],
        env=environment({"PATH": path}),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    created, read, listed, given, endpoint = [json.loads(line) for line in pasted.stdout.splitlines() if line]
    assert created["status"] == read["status"] == "active"
    assert read["history"][0]["action"] == "Created"
    assert created["id"] in [item["id"] for item in listed["items"]]
    assert "messages" in given
    assert endpoint["signing_secret"].startswith("whsec_")


def test_the_operators_commands_find_the_database_of_a_running_one(running: Up) -> None:
    made = belltower("admin", "create-account", "Bell & Sons", "--json", cwd=running.folder)
    assert made.returncode == 0, made.stderr
    account = json.loads(made.stdout)
    listed = get(f"{running.api}/api/reminder/item/list", **{"x-api-key": account["api_key"]})
    assert listed["items"] == []


async def test_dead_letters_are_given_back_by_the_running_process(running: Up) -> None:
    dsn = running_dsn(running.folder / ".data")
    assert dsn is not None
    letter = dead_letters.DeadRow(uuid4(), "webhooks.events", "message.sent.v1", "tried", datetime.now(UTC), b"no json")
    db = await Database.open(dsn, size=1)
    async with db.connection() as connection:
        await dead_letters.save(connection, letter)
    await db.close()
    words = ("admin", "dead-letters")
    [listed] = json.loads(belltower(*words, "list", "--json", cwd=running.folder).stdout)
    assert (listed["id"], listed["body"], listed["reason"]) == (str(letter.id), "no json", "tried")
    replayed = belltower(*words, "replay", "--json", cwd=running.folder)
    assert json.loads(replayed.stdout) == {"dispatcher.send-due": 0, "webhooks.events": 1}, replayed.stderr
    [again] = json.loads(belltower(*words, "list", "--json", cwd=running.folder).stdout)
    assert again["id"] == listed["id"]
    assert again["dead_at"] > listed["dead_at"]


def test_a_given_database_is_used_and_migrated(folder: Path, database_url: str) -> None:
    with up(folder, {"DATABASE_URL": database_url}) as running:
        running.wait_for("was delivered by the sandbox provider")
    assert sorted(path.name for path in (folder / ".data").iterdir()) == ["demo.json", "master.key"]


def test_a_database_that_does_not_know_the_kept_keys_gets_a_demo_account_of_its_own(
    folder: Path, database_url: str
) -> None:
    with up(folder) as first:
        before = demo(folder)
        first.wait_for("was delivered by the sandbox provider")
    with up(folder, {"DATABASE_URL": database_url}) as second:
        second.wait_for("was delivered by the sandbox provider")
        assert demo(folder)["account_id"] != before["account_id"]
    [aside] = (folder / ".data").glob("demo-until-*.json")
    assert json.loads(aside.read_text()) == before
    assert aside.stat().st_mode & 0o777 == 0o600
