"""What `deploy/` says fits the code: settings, commands, ports, and the statements of the runbook."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer

from services.__main__ import app
from services.options import sections
from shared.runtime.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")
SETTINGS = {option.name for _, options in sections() for option in options}
SERVICES = ("api", "scheduler", "dispatcher", "webhooks")
COMMANDS = typer.main.get_command(app)


class Yaml:
    """Reads the plain part of YAML that our files keep to, and refuses the rest: blocks, JSON lists, anchors, merges.

    Lists hold texts alone; numbers stay text.
    """

    _LINE = re.compile(r"(?P<indent> *)(?P<key>[\w.<-]+):(?: +(?P<value>.+))?")
    _ANCHOR = re.compile(r"&(?P<name>\w+)(?: +(?P<rest>.+))?")

    def __init__(self, text: str) -> None:
        kept = (line.rstrip() for line in text.splitlines())
        self._lines = [line for line in kept if line and not line.lstrip().startswith("#")]
        self._anchors: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        document = self._block(0)
        assert not self._lines, f"cannot be read: {self._lines[0]!r}"
        return document

    def _indent(self) -> int:
        return len(self._lines[0]) - len(self._lines[0].lstrip()) if self._lines else -1

    def _block(self, indent: int) -> Any:
        if self._lines[0].lstrip().startswith("- "):
            found = []
            while self._indent() == indent and self._lines[0].lstrip().startswith("- "):
                found.append(self._scalar(self._lines.pop(0).lstrip()[2:]))
            return found
        return self._mapping(indent)

    def _mapping(self, indent: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while self._indent() == indent:
            line = self._LINE.fullmatch(self._lines.pop(0))
            assert line is not None, "not a mapping"
            assert line["key"] not in own, f"{line['key']} stands twice"
            value = self._value(line["value"], indent)
            if line["key"] == "<<":
                merged = value
            else:
                own[line["key"]] = value
        return {**merged, **own}

    def _value(self, text: str | None, indent: int) -> Any:
        anchor = self._ANCHOR.fullmatch(text or "")
        rest = anchor["rest"] if anchor else text
        value = self._scalar(rest) if rest else self._nested(indent)
        if anchor:
            self._anchors[anchor["name"]] = value
        return value

    def _nested(self, indent: int) -> Any:
        assert self._indent() > indent, "a key without a value"
        return self._block(self._indent())

    def _scalar(self, text: str) -> Any:
        if text.startswith("*"):
            return self._anchors[text[1:]]
        if text[0] in '[{"':
            return json.loads(text)
        assert text[0] not in "|>!%@`'", f"not plain: {text!r}"
        assert " #" not in text, f"a comment, or a text that needs quotes: {text!r}"
        assert ": " not in text.replace(":?set it in", ""), f"needs quotes: {text!r}"
        return text


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return Yaml((DEPLOY / "compose.yaml").read_text(encoding="utf-8")).read()


@pytest.fixture(scope="module")
def ours(compose: dict[str, Any]) -> dict[str, Any]:
    """The services that run our image."""
    return {name: one for name, one in compose["services"].items() if "build" in one}


def test_a_text_outside_the_plain_part_of_yaml_is_noticed() -> None:
    assert Yaml('a: &x\n  b: ["1"]\nc:\n  <<: *x\n  d:\n    - e').read()["c"] == {"b": ["1"], "d": ["e"]}
    for text in ("a: |\n  b", "a: 'b'", "a: b: c", "a:\nb: c", "a: b\na: c", "a: b\n   c: d"):
        with pytest.raises(AssertionError):
            Yaml(text).read()


def test_compose_runs_every_service_and_the_migration_by_their_commands(ours: dict[str, Any]) -> None:
    assert set(ours) == {*SERVICES, "migrate"}
    for name, service in ours.items():
        assert service["command"] == [name]
        assert name in COMMANDS.commands


def test_compose_sets_only_settings_that_exist(ours: dict[str, Any]) -> None:
    for service in ours.values():
        assert set(service["environment"]) <= SETTINGS
        assert service["env_file"] == ".env"


def test_what_compose_leaves_to_the_operator_is_named_at_its_head(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    head = text.partition(f"name: {compose['name']}")[0]
    for name in set(re.findall(r"\$\{(\w+)", text)) | {"BELLTOWER_MASTER_KEY"}:
        assert name in head


def test_compose_starts_nothing_before_what_it_needs_is_healthy(compose: dict[str, Any], ours: dict[str, Any]) -> None:
    for name in SERVICES:
        waits = {needed: how["condition"] for needed, how in ours[name]["depends_on"].items()}
        assert waits == {
            "postgres": "service_healthy",
            "rabbitmq": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    assert ours["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for server in ("postgres", "rabbitmq"):
        assert compose["services"][server]["healthcheck"]["test"][0] == "CMD"


def test_the_database_and_the_broker_have_no_way_out_and_no_port(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"] == {"internal": "true"}
    for server in ("postgres", "rabbitmq"):
        assert compose["services"][server]["networks"] == ["inside"]
        assert "ports" not in compose["services"][server]


def test_only_the_api_is_published_and_on_this_machine_alone(ours: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in ours.items() if "ports" in service}
    port = ours["api"]["environment"]["BELLTOWER_API_PORT"]
    assert published == {"api": [f"127.0.0.1:{port}:{port}"]}


def test_our_containers_may_do_nothing_that_they_need_not(compose: dict[str, Any], ours: dict[str, Any]) -> None:
    for service in ours.values():
        assert (service["read_only"], service["cap_drop"]) == ("true", ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
    for service in compose["services"].values():
        assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()


def test_a_container_gets_the_time_that_a_stop_takes(ours: dict[str, Any]) -> None:
    drain, delay = (Settings.model_fields[name].default for name in ("drain", "readiness_delay"))
    for service in ours.values():
        assert int(service["stop_grace_period"].removesuffix("s")) > drain + delay


def test_images_are_named_by_a_version(compose: dict[str, Any]) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert all(re.fullmatch(r"[a-z]+:\d[\w.-]*", image) for image in images.values())
    assert images["api"] == f"{project['name']}:{project['version']}"
    base = re.search(r"^ARG BASE=python:(\d\.\d+)-slim-bookworm$", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert project["requires-python"] == f">={base[1]}"
    assert project["scripts"]["belltower"] == "services.__main__:main"


def test_the_image_runs_the_program_as_nobody_in_particular_and_is_asked_whether_it_lives() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert 'ENTRYPOINT ["belltower"]' in final
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", final, re.MULTILINE)
    assert "apt-get" not in DOCKERFILE
    assert "-c constraints.txt" in DOCKERFILE
    ports = [str(Settings.model_fields[name].default) for name in ("api_port", "ops_port")]
    assert f"EXPOSE {' '.join(ports)}" in final
    health = json.loads(final.partition("HEALTHCHECK")[2].partition("CMD ")[2].partition("\n")[0])
    assert f"or {ports[1]}}}/livez" in health[-1]
    compile(health[-1], "HEALTHCHECK", "exec")
    assert set(re.findall(r"\b(?:BELLTOWER|DATABASE|BUS)_[A-Z_]+\b", DOCKERFILE)) <= SETTINGS


def test_the_image_copies_only_what_is_there_and_what_is_sent_to_its_build() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in names)
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == names


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", RUNBOOK, re.DOTALL)


COMMAND_LINES = sorted(
    {line for block in _blocks("sh") for line in block.splitlines() if line.startswith("belltower ")}
    | set(re.findall(r"`(belltower [^`]+)`", RUNBOOK))
)


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_a_command_of_the_runbook_exists_with_its_options(line: str) -> None:
    command: Any = COMMANDS
    words = shlex.split(line)[1:]
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, line
        command = command.commands[words.pop(0)]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    needed = {parameter.opts[0] for parameter in command.params if parameter.required and parameter.opts[0][0] == "-"}
    assert needed <= set(words)


@pytest.mark.parametrize("statement", _blocks("sql"))
async def test_a_query_of_the_runbook_fits_the_schema_and_only_reads(database_url: str, statement: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction(readonly=True):
            await connection.fetch(statement)
    finally:
        await connection.close()


def test_the_metrics_and_log_lines_of_the_runbook_exist() -> None:
    source = "".join(
        path.read_text(encoding="utf-8") for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py")
    )
    metrics = set(re.findall(r"`(belltower_\w+)`", RUNBOOK))
    lines = {word for words in re.findall(r"[Ll]og ((?:`\w+`(?:, )?)+)", RUNBOOK) for word in re.findall(r"\w+", words)}
    assert metrics
    assert lines
    for name in metrics | lines:
        assert f'"{name}"' in source, name
