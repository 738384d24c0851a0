"""The command line: settings that are wrong are named, outages are one line, and services wait for their database."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from rig.command import belltower
from rig.postgres import PostgresServer
from rig.processes import Process
from shared.store import schema_version
from shared.store.migrate import newest_revision

ROOT = Path(__file__).parents[2]
COMMANDS = ("up", "api", "scheduler", "dispatcher", "webhooks", "migrate", "settings", "admin")
NOWHERE = "postgresql://user:hidden@127.0.0.1:1/nothing"
MASTER_KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="

_serial = count(1)


def test_help_names_every_command() -> None:
    shown = belltower("--help", cwd=ROOT).stdout
    assert all(re.search(rf"^  {command} +[A-Z]", shown, re.MULTILINE) for command in COMMANDS)


def test_help_loads_nothing_that_takes_a_while() -> None:
    heavy = "{'aiohttp', 'asyncpg', 'aiormq', 'pydantic', 'sqlalchemy', 'phonenumbers', 'rich'}"
    script = f"import sys, services.__main__; print({heavy} & set(sys.modules))"
    asked = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "set()"


SERVERS = {"DATABASE_URL": NOWHERE, "BUS_URL": "amqp://127.0.0.1:1/"}


@pytest.mark.parametrize(
    ("command", "settings", "key"),
    [
        ("up", {"BELLTOWER_API_PORT": "hidden"}, "BELLTOWER_API_PORT"),
        ("up", {"BELLTOWER_OPS_PORT": "hidden"}, "BELLTOWER_OPS_PORT"),
        ("up", {"BELLTOWER_LEASE": "-17.25"}, "BELLTOWER_LEASE"),
        ("up", {"BELLTOWER_LEASE": "9"}, "BELLTOWER_LEASE"),
        ("up", {"BELLTOWER_WEBHOOK_LEASE": "9"}, "BELLTOWER_WEBHOOK_LEASE"),
        ("up", {"BELLTOWER_LOG_LEVEL": "hidden"}, "BELLTOWER_LOG_LEVEL"),
        ("up", {"BELLTOWER_GRACE": "hidden"}, "BELLTOWER_GRACE"),
        ("up", {"BELLTOWER_GRACE": "-PT17.25S"}, "BELLTOWER_GRACE"),
        ("up", {"BELLTOWER_GRACE": "PT0S"}, "BELLTOWER_GRACE"),
        ("up", {"BELLTOWER_PROVIDER": "hidden"}, "BELLTOWER_PROVIDER"),
        ("up", {"BELLTOWER_PROVIDER": "http"}, "BELLTOWER_HTTP_PROVIDER_URL"),
        ("up", {"BELLTOWER_PROVIDER_SMS": "twilio", "BELLTOWER_TWILIO_ACCOUNT_SID": "hidden"}, "BELLTOWER_TWILIO_"),
        ("up", {"BELLTOWER_PROVIDER_EMAIL": "smtp", "BELLTOWER_SMTP_URL": "hidden"}, "BELLTOWER_SMTP_URL"),
        ("up", {"BELLTOWER_WEBHOOK_ALLOW": "10.0.0.0/8,hidden"}, "BELLTOWER_WEBHOOK_ALLOW"),
        ("up", {"BELLTOWER_MASTER_KEY": "hidden"}, "BELLTOWER_MASTER_KEY"),
        ("up", {"DATABASE_URL": "mysql://hidden@127.0.0.1/"}, "DATABASE_URL"),
        ("up", {"DATABASE_URL": "postgresql://user:hid/den@127.0.0.1/"}, "DATABASE_URL"),
        ("up", {"BUS_URL": "redis://hidden@127.0.0.1/"}, "BUS_URL"),
        ("up", {"BUS_URL": "amqp://user:hid/den@127.0.0.1/"}, "BUS_URL"),
        ("api", {"DATABASE_URL": NOWHERE}, "BELLTOWER_MASTER_KEY"),
        ("api", {**SERVERS, "BELLTOWER_MASTER_KEY": "hidden"}, "BELLTOWER_MASTER_KEY"),
        ("webhooks", SERVERS, "BELLTOWER_MASTER_KEY"),
        ("api", {"BELLTOWER_MASTER_KEY": MASTER_KEY, "DATABASE_URL": NOWHERE}, "BUS_URL"),
        ("scheduler", {"DATABASE_URL": NOWHERE}, "BUS_URL"),
        ("scheduler", {"BUS_URL": "amqp://127.0.0.1:1/"}, "DATABASE_URL"),
        ("dispatcher", {**SERVERS, "BELLTOWER_PROVIDER": "whatsapp"}, "BELLTOWER_WHATSAPP_"),
        ("migrate", {}, "DATABASE_URL"),
        ("admin list-accounts", {"BELLTOWER_POOL_SIZE": "hidden"}, "BELLTOWER_POOL_SIZE"),
    ],
)
def test_a_bad_setting_ends_the_start_naming_the_key_and_never_its_value(
    tmp_path: Path, command: str, settings: Mapping[str, str], key: str
) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # On ports of its own: another deployment on this machine must not be what ends it.
    free = {"BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0"}
    ended = belltower(*command.split(), cwd=tmp_path, settings={**free, **settings})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode == 2
    assert re.search(rf"^(provider \w+: )?{key}", ended.stderr, re.MULTILINE), ended.stderr
    assert not any(word in ended.stderr + ended.stdout for word in ("hid", "-17.25", "Traceback", MASTER_KEY))
    assert after.ru_utime - before.ru_utime < 2
    assert list(tmp_path.iterdir()) in ([], [tmp_path / ".data"])


def test_a_service_names_all_that_it_misses_at_once(tmp_path: Path) -> None:
    ended = belltower("api", cwd=tmp_path)
    assert ended.returncode == 2
    assert re.findall(r"^(\w+): ", ended.stderr, re.MULTILINE) == [
        "belltower",
        "DATABASE_URL",
        "BUS_URL",
        "BELLTOWER_MASTER_KEY",
    ]
    ended = belltower("dispatcher", cwd=tmp_path, settings={"BELLTOWER_PROVIDER": "twilio"})
    assert all(key in ended.stderr for key in ("DATABASE_URL", "BUS_URL", "BELLTOWER_TWILIO_ACCOUNT_SID"))


def test_a_mistyped_setting_is_told_of_with_the_nearest_that_exists(tmp_path: Path) -> None:
    """In the environment or in `.env`; a provider's setting is one of ours too."""
    (tmp_path / ".env").write_text("BELLTOWER_SMPT_URL=hidden\nOTHERS_GRACEE=hidden\n")
    settings = {"BELLTOWER_GRACEE": "hidden", "BELLTOWER_QQQQ": "hidden", "BELLTOWER_TWILIO_AUTH_TOKEN": "hidden"}
    ended = belltower("api", cwd=tmp_path, settings=settings)
    told = [json.loads(line) for line in ended.stderr.splitlines() if line.startswith("{")]
    assert {line["event"] for line in told} == {"unknown_setting"}
    assert [(line["setting"], line["nearest"]) for line in told] == [
        ("BELLTOWER_GRACEE", "BELLTOWER_GRACE"),
        ("BELLTOWER_QQQQ", None),
        ("BELLTOWER_SMPT_URL", "BELLTOWER_SMTP_URL"),
    ]
    assert "hidden" not in ended.stderr


def test_help_has_a_short_name_everywhere_and_the_version_is_told(tmp_path: Path) -> None:
    for words in ((), ("up",), ("admin",), ("admin", "list-keys"), ("admin", "dead-letters", "list")):
        assert belltower(*words, "-h", cwd=tmp_path).stdout == belltower(*words, "--help", cwd=tmp_path).stdout != ""
    shown = belltower("--version", cwd=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, f"belltower {version('belltower')}\n")


def test_settings_name_the_words_that_they_take(tmp_path: Path) -> None:
    shown = " ".join(belltower("settings", cwd=tmp_path).stdout.split())
    for words in ("json, console", "debug, info, warning, error", "sandbox, http, twilio", "all, latest, none"):
        assert f"One of: {words}" in shown


@pytest.mark.parametrize("command", ["migrate", "admin list-accounts", "up"])
def test_a_database_that_is_away_is_one_line(tmp_path: Path, command: str) -> None:
    settings = {"DATABASE_URL": NOWHERE, "BELLTOWER_API_PORT": "0", "BELLTOWER_OPS_PORT": "0"}
    ended = belltower(*command.split(), cwd=tmp_path, settings=settings)
    assert ended.returncode == 1
    assert re.fullmatch(r"belltower: the database does not answer .*\n", ended.stderr)
    assert "hidden" not in ended.stderr


def test_a_database_that_refuses_or_is_not_there_is_one_line(tmp_path: Path, database_url: str) -> None:
    wrong_password = re.sub(r":[^:@/]+@", ":hidden@", database_url)
    ended = belltower("migrate", cwd=tmp_path, settings={"DATABASE_URL": wrong_password})
    assert (ended.returncode, ended.stderr) == (
        1,
        "belltower: the database refuses the user or the password of DATABASE_URL\n",
    )
    ended = belltower("admin", "list-accounts", cwd=tmp_path, settings={"DATABASE_URL": f"{database_url}_not"})
    assert (ended.returncode, ended.stderr) == (
        1,
        "belltower: the database that DATABASE_URL names does not exist on its server\n",
    )


def test_without_a_database_the_operator_is_told_what_to_do(tmp_path: Path) -> None:
    ended = belltower("admin", "list-accounts", cwd=tmp_path)
    assert ended.returncode == 1
    assert re.fullmatch(r"belltower: no database: set DATABASE_URL, or start `belltower up`.*\n", ended.stderr)


@pytest.fixture
async def empty_database(postgres_server: PostgresServer) -> AsyncIterator[str]:
    """A database that no migration has seen."""
    name = f"command_line_{next(_serial)}"
    connection = await asyncpg.connect(postgres_server.dsn("postgres"))
    await connection.execute(f"create database {name}")
    yield postgres_server.dsn(name)
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


async def test_migrate_may_run_again(tmp_path: Path, empty_database: str) -> None:
    settings = {"DATABASE_URL": empty_database}
    assert await schema_version.found_revision(empty_database) is None
    refused = belltower("admin", "list-accounts", cwd=tmp_path, settings=settings)
    assert refused.stderr == "belltower: the database is not migrated: run `belltower migrate`\n"
    assert "is now at revision" in belltower("migrate", cwd=tmp_path, settings=settings).stdout
    assert "was already at revision" in belltower("migrate", cwd=tmp_path, settings=settings).stdout
    assert schema_version.newest_known() == newest_revision()
    assert await schema_version.is_current(empty_database)


async def test_a_database_of_a_newer_belltower_is_left_alone(tmp_path: Path, empty_database: str) -> None:
    settings = {"DATABASE_URL": empty_database}
    belltower("migrate", cwd=tmp_path, settings=settings)
    connection = await asyncpg.connect(empty_database)
    await connection.execute("update alembic_version set version_num = '9999'")
    await connection.close()
    ended = belltower("migrate", cwd=tmp_path, settings=settings)
    assert ended.returncode == 1
    assert re.fullmatch(r"belltower: the database has schema 9999, .*\n", ended.stderr)


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize("service", ["api", "scheduler", "dispatcher", "webhooks"])
async def test_a_service_waits_alive_and_unready_until_the_database_is_migrated(
    tmp_path: Path, empty_database: str, bus_url: str, service: str
) -> None:
    """M-04."""
    settings = {
        "DATABASE_URL": empty_database,
        "BUS_URL": bus_url,
        "BELLTOWER_MASTER_KEY": MASTER_KEY,
        "BELLTOWER_OPS_PORT": "0",
        "BELLTOWER_API_PORT": "0",
        "BELLTOWER_READINESS_DELAY": "0",
    }
    process = Process(service, settings, tmp_path / "log").start()
    try:
        while not any(line["event"] == "database_not_migrated" for line in process.lines()):
            assert process._process.poll() is None, process.log.read_text()  # noqa: SLF001
        address = process.address("ops_listening")
        assert (status_of(f"{address}/livez"), status_of(f"{address}/readyz")) == (200, 503)
        assert belltower("migrate", cwd=tmp_path, settings={"DATABASE_URL": empty_database}).returncode == 0
        await process.ready()
        assert await process.stop() == 0
    finally:
        await process.stop()


def test_the_example_of_every_setting_is_current(tmp_path: Path) -> None:
    shown = belltower("settings", "--env", cwd=tmp_path).stdout
    assert shown == (ROOT / "deploy" / ".env.example").read_text(encoding="utf-8")
    assert all(line.startswith("#") for line in shown.splitlines() if line)
    plain = belltower("settings", cwd=tmp_path).stdout
    assert all(name in plain for name in re.findall(r"^#(\w+)=", shown, re.MULTILINE))
