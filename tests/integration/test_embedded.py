"""The private PostgreSQL of `belltower up`: kept data, closed files, and nobody else's folder touched."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from shared.runtime.embedded import CannotStart, binaries, home, running_dsn, start_postgres

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")


def modes(*folders: Path) -> dict[Path, int]:
    return {step: step.stat().st_mode for folder in folders for step in (folder, *folder.parents)}


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder where another user can go; those of pytest are closed."""
    folder = Path(tempfile.mkdtemp(prefix="belltower-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data_dir(open_folder: Path) -> Path:
    return open_folder / "data"


async def test_data_and_address_are_kept_over_a_restart(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    first = server.dsn
    await ask(first, "create table kept as select 'bell' as word")
    assert running_dsn(data_dir) == first
    await server.stop()
    assert running_dsn(data_dir) is None

    server = await start_postgres(data_dir)
    assert server.dsn == first
    assert await ask(server.dsn, "select word from kept") == "bell"
    await server.stop()


async def test_it_is_durable_and_listens_on_loopback_alone(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert await ask(server.dsn, f"show {setting}") == "on"
    process = psutil.Process(server.cluster.pid())
    listening = [at for at in process.net_connections() if at.status == psutil.CONN_LISTEN]
    assert {at.laddr.ip for at in listening} == {"127.0.0.1"}
    assert process.uids().effective != 0
    assert await ask(server.dsn, "show unix_socket_directories") == ""
    await server.stop()


async def test_the_password_is_for_the_owner_alone(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    secret = data_dir / "postgres.json"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert server.cluster.data.parent.stat().st_mode & 0o777 == 0o700
    password = json.loads(secret.read_text())["password"]
    assert password not in repr(server)
    assert password not in server.cluster.data.with_name("log").read_text()
    await server.stop()

    secret.chmod(0o644)
    with pytest.raises(CannotStart, match="others can read"):
        running_dsn(data_dir)


async def test_a_terminal_cannot_interrupt_the_server(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    assert os.getsid(server.cluster.pid()) != os.getsid(0)
    await server.stop()


async def test_one_data_folder_serves_one_process(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    with pytest.raises(CannotStart, match="Another process"):
        await start_postgres(data_dir)
    assert await ask(server.dsn, "select 1") == 1
    await server.stop()


async def test_a_server_that_a_crash_left_running_is_adopted(data_dir: Path) -> None:
    left = await start_postgres(data_dir)
    pid = left.cluster.pid()
    left.cluster.release()  # what the death of our process does

    server = await start_postgres(data_dir)
    assert server.cluster.pid() == pid
    assert server.dsn == left.dsn
    await server.stop()
    assert not server.cluster.is_running()


async def test_it_starts_after_its_server_was_killed(data_dir: Path) -> None:
    killed = await start_postgres(data_dir)
    await ask(killed.dsn, "create table kept as select 1 as answer")
    sleeper = await asyncpg.connect(killed.dsn)
    killed.cluster.kill()
    killed.cluster.release()

    server = await start_postgres(data_dir)
    sleeper.terminate()
    assert await ask(server.dsn, "select answer from kept") == 1
    await server.stop()


async def test_a_lock_file_whose_process_id_was_reused_does_not_stop_it(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    lock_file = server.cluster.data / "postmaster.pid"
    lines = lock_file.read_text().splitlines()
    await server.stop()
    lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert running_dsn(data_dir) is None

    server = await start_postgres(data_dir)
    assert await ask(server.dsn, "select 1") == 1
    await server.stop()


async def test_a_cancelled_start_leaves_no_server(data_dir: Path) -> None:
    starting = asyncio.create_task(start_postgres(data_dir))
    await asyncio.sleep(0.2)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert running_dsn(data_dir) is None


async def test_lost_data_are_missed_and_not_made_anew(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    await server.stop()
    server.cluster.data.rename(data_dir / "moved")
    with pytest.raises(CannotStart, match="gone"):
        await start_postgres(data_dir)


async def test_data_whose_password_is_lost_are_set_aside(data_dir: Path) -> None:
    server = await start_postgres(data_dir)
    await server.stop()
    (data_dir / "postgres.json").unlink()
    server = await start_postgres(data_dir)
    assert len(list((data_dir / "postgres").glob("cluster-until-*/data"))) == 1
    await server.stop()


async def test_without_the_wheel_it_says_what_to_install(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_PACKAGE", "belltower_no_such_wheel")
    with pytest.raises(CannotStart, match=r"pip install belltower\[embedded\], or|DATABASE_URL"):
        await start_postgres(data_dir)


@needs_root
async def test_below_a_closed_folder_the_data_live_elsewhere_and_no_mode_changes(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "ELSEWHERE", open_folder)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed, open_folder, binaries.find_server(None))

    server = await start_postgres(closed / "data")
    await ask(server.dsn, "create table kept as select 'bell' as word")
    await server.stop()
    server = await start_postgres(closed / "data")
    assert await ask(server.dsn, "select word from kept") == "bell"
    assert server.cluster.data.is_relative_to(open_folder)
    await server.stop()

    assert modes(closed, open_folder, binaries.find_server(None)) == before


@needs_root
async def test_programs_that_the_user_cannot_reach_are_copied(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = binaries.find_server(None)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in (f"{wheel.parent.name}.libs", f"{wheel.parent.name}/{wheel.name}"):
        shutil.copytree(wheel.parent.parent / name, closed / name, symlinks=True)
    monkeypatch.setattr(binaries, "find_server", lambda _: closed / wheel.parent.name / wheel.name)

    server = await start_postgres(data_dir)
    assert await ask(server.dsn, "select 1") == 1
    assert Path(psutil.Process(server.cluster.pid()).exe()).is_relative_to(data_dir)
    assert closed.stat().st_mode & 0o777 == 0o700
    await server.stop()
