"""A private RabbitMQ node for tests, with an epmd of its own, which may be killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rig.ports import new_port

_START_WITHIN = 60.0  # seconds; about 5 on two idle cores
_PLACES = (Path("/usr/lib/rabbitmq/bin"), Path("/usr/local/sbin"), Path("/opt/homebrew/sbin"))
_MISSING = (
    "These tests need RabbitMQ. Run tests/rig/install_rabbitmq.sh (`make test` does), "
    "or set BELLTOWER_TEST_AMQP_URL to a broker of yours."
)


class RabbitNode:
    """One node in a folder of its own, listening on 127.0.0.1 alone."""

    def __init__(self, folder: Path) -> None:
        self.port = new_port()
        self._folder = folder
        self._programs = _find_programs()
        self._name = f"belltower{self.port}@localhost"
        self._epmd_port = new_port()
        self._environment = self._describe(dist_port=new_port())
        self._epmd: subprocess.Popen[bytes] | None = None
        self._node: subprocess.Popen[bytes] | None = None

    def url(self, vhost: str = "/") -> str:
        """The address of a virtual host; quorum queues need no more than this one node."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{'%2F' if vhost == '/' else vhost}"

    def start(self) -> None:
        """Start the node, with what it kept, and wait until it speaks AMQP."""
        if self._epmd is None:
            # Our own child and not a daemon, so that it can be ended by its id.
            self._epmd = self._spawn("epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1")
            _wait_for(lambda: _listens(self._epmd_port), "epmd", self._log)
        self._node = self._spawn(str(self._programs / "rabbitmq-server"))
        _wait_for(self._speaks_amqp, "RabbitMQ", self._log)

    def stop(self) -> None:
        """Stop the node and its epmd: politely for 15 s, then by force."""
        for process in (self._node, self._epmd):
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=5)
        self._node = self._epmd = None

    def kill(self) -> None:
        """Kill -9 the node; `start` brings it back with its durable queues, if `settle` came after their making."""
        assert self._node is not None
        self._node.kill()
        self._node.wait(timeout=5)
        self._node = None

    def settle(self) -> None:
        """Have the node write down which quorum queues it has, about 1 s.

        By itself it does so within seconds. Killed before that, 3.10 comes back with a queue that has no leader, and
        a publish to it is confirmed by nobody until it times out after a minute.
        """
        self.ctl("eval", "[dets:sync(Table) || Table <- dets:all()].")

    @property
    def running(self) -> bool:
        """Whether the node's process is there."""
        return self._node is not None and self._node.poll() is None

    @property
    def pid(self) -> int:
        assert self._node is not None
        return self._node.pid

    def ctl(self, *words: str) -> str:
        """Run rabbitmqctl, about 1 s, and return what it prints. Raises AssertionError when it fails."""
        command = [str(self._programs / "rabbitmqctl"), "--quiet", "--node", self._name, *words]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **self._identity())
        assert answer.returncode == 0, f"rabbitmqctl {words}: {answer.stdout}{answer.stderr}"
        return answer.stdout.strip()

    def add_vhosts(self, names: list[str]) -> None:
        """Make virtual hosts that the guest may use, all in one call: rabbitmqctl takes a second each time."""
        made = ", ".join(f'<<"{name}">>' for name in names)
        self.ctl(
            "eval",
            f'[begin rabbit_vhost:add(V, <<"test">>), rabbit_auth_backend_internal:set_permissions('
            f'<<"guest">>, V, <<".*">>, <<".*">>, <<".*">>, <<"test">>) end || V <- [{made}]].',
        )

    def _describe(self, dist_port: int) -> dict[str, str]:
        folder = self._folder
        (folder / "enabled_plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text("disk_free_limit.absolute = 50MB\nlog.console = false\n")
        return {
            "PATH": f"{self._programs}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(folder),  # holds the cookie
            "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the node instead of watching over it
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(dist_port),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "no-environment-file"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _identity(self) -> dict[str, Any]:
        """Who runs the programs, where and with what environment: never root."""
        where: dict[str, Any] = {"cwd": self._folder, "env": self._environment}
        owner = self._folder.stat()
        if os.geteuid() == 0:
            where |= {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        return where

    def _spawn(self, *command: str) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity(),
            )

    @property
    def _log(self) -> Path:
        return self._folder / "output.log"

    def _speaks_amqp(self) -> bool:
        assert self._node is not None
        assert self._node.poll() is None, f"RabbitMQ ended at once: {self._log.read_text()[-2000:]}"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False


@contextmanager
def private_rabbitmq() -> Iterator[RabbitNode]:
    """A new node for the time of the block."""
    folder = Path(tempfile.mkdtemp(prefix="belltower-rabbitmq-"))
    node: RabbitNode | None = None
    try:
        _give_away(folder)
        node = RabbitNode(folder)
        node.start()
        yield node
    finally:
        if node:
            node.stop()
        shutil.rmtree(folder)


def _give_away(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    for name in ("rabbitmq", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        return
    raise AssertionError("RabbitMQ shall not run as root and there is no other user for it")


def _find_programs() -> Path:
    """The folder with the server's own scripts; Debian's on the PATH would switch users by themselves."""
    on_path = shutil.which("rabbitmq-server")
    for place in (*_PLACES, *([Path(on_path).parent] if on_path else [])):
        if (place / "rabbitmq-server").exists():
            return place
    raise AssertionError(_MISSING)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _wait_for(ready: Callable[[], bool], name: str, log: Path) -> None:
    deadline = time.monotonic() + _START_WITHIN
    while not ready():
        assert time.monotonic() < deadline, f"{name} does not start: {log.read_text()[-2000:]}"
        time.sleep(0.05)
