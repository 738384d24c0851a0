"""The published language: what other programs read today, they can read tomorrow."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from contract.messages.golden_files import (
    FOLDER,
    checksum,
    expected_names,
    listed_checksums,
    present_names,
    write_missing,
)
from contract.messages.samples import sample
from golden import SCHEMAS, generated_docs

from shared.messages import envelope
from shared.messages.catalogue import CATALOGUE, COMMANDS, EVENTS, Message
from shared.messages.commands import SendDue
from shared.messages.envelope import Undecodable, UnknownType, decode, encode, unwrap, wrap
from shared.messages.schemas import name_of, schema

every_message = pytest.mark.parametrize("kind", CATALOGUE, ids=name_of)


def golden(kind: type[Message]) -> bytes:
    return FOLDER.joinpath(f"{name_of(kind)}.json").read_bytes()


def wrapped_again(kind: type[Message]) -> dict[str, Any]:
    """The golden message read into its class, and written by this release."""
    old = decode(golden(kind))
    message = unwrap(old)
    assert type(message) is kind
    if isinstance(message, SendDue):
        new = envelope.command(message, command_id=old.id, at=old.at)
    else:
        assert old.account_id is not None
        new = wrap(message, event_id=old.id, account_id=old.account_id, at=old.at, sequence=old.sequence)
    found: dict[str, Any] = json.loads(encode(new))
    return found


def without_later_fields(data: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """A version may get fields that may be null; an older message has none of them."""
    return {name: value for name, value in data.items() if name in known or value is not None}


@every_message
def test_a_golden_message_is_read_into_its_class_and_written_as_it_was(kind: type[Message]) -> None:
    old, new = json.loads(golden(kind)), wrapped_again(kind)
    assert without_later_fields(new.pop("data"), old["data"]) == old.pop("data")
    assert new == old


def test_every_type_and_version_has_a_golden_message_and_none_is_orphaned() -> None:
    assert present_names() == expected_names(), "run `make golden`; a type that was published is never taken away"


def test_no_golden_message_was_edited_or_deleted() -> None:
    found = {name: checksum(name) for name in present_names()}
    assert found == listed_checksums(), "a published message never changes: add a new version instead"


def test_writing_golden_messages_leaves_those_that_are_there() -> None:
    before = listed_checksums()
    assert write_missing() == []
    assert listed_checksums() == before


@every_message
def test_fields_that_this_release_does_not_know_are_ignored(kind: type[Message]) -> None:
    message = json.loads(golden(kind))
    expected = unwrap(decode(json.dumps(message).encode()))
    message["trace"] = {"of": "a later release"}
    message["data"]["mood"] = "cheerful"
    assert unwrap(decode(json.dumps(message).encode())) == expected


@pytest.mark.parametrize(("type_", "version"), [("message.sent", 99), ("message.sung", 1), ("", 0)])
def test_an_unknown_type_or_version_is_named(type_: str, version: int) -> None:
    message = json.loads(golden(EVENTS[0])) | {"type": type_, "version": version}
    with pytest.raises(UnknownType, match=rf"^{type_}\.v{version}$"):
        unwrap(decode(json.dumps(message).encode()))


SECRET = "+6281234567890"
BROKEN = {
    "nothing": b"",
    "not JSON": SECRET.encode(),
    "not UTF-8": b"\xff\xfe" + SECRET.encode(),
    "not an object": json.dumps([SECRET]).encode(),
    "no envelope": json.dumps({"to": SECRET}).encode(),
    "wrong types": json.dumps({"id": SECRET, "type": 1, "version": SECRET, "data": SECRET}).encode(),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_not_an_envelope_is_refused_without_repeating_it(body: bytes) -> None:
    with pytest.raises(Undecodable) as refused:
        decode(body)
    assert says_nothing(refused.value)


@every_message
def test_data_that_does_not_fit_its_type_is_refused_without_repeating_it(kind: type[Message]) -> None:
    message = json.loads(golden(kind))
    message["data"] = {name: {"to": SECRET} for name in message["data"]}
    with pytest.raises(Undecodable) as refused:
        unwrap(decode(json.dumps(message).encode()))
    assert name_of(kind) in str(refused.value)
    assert says_nothing(refused.value)


def says_nothing(error: BaseException) -> bool:
    """Neither the message nor what a traceback would show of its causes holds the content."""
    return SECRET not in str(error) and error.__suppress_context__


CODES = {"channel", "event_type", "external_id", "outcome", "provider", "provider_message_id", "reason"}
COUNTS = {"attempt"}


@pytest.mark.parametrize("kind", EVENTS, ids=name_of)
def test_no_field_of_an_event_could_carry_a_name_a_number_or_a_text(kind: type[Message]) -> None:
    """Free text and numbers are on a list here: whoever adds to it has thought of what it may hold."""
    for field in dataclasses.fields(kind):
        hint = get_type_hints(kind)[field.name]
        (type_,) = set(get_args(hint)) - {NoneType} or {hint}
        allowed = {
            UUID: field.name.endswith("_id"),
            datetime: field.name.endswith(("_at", "_for")),
            int: field.name in COUNTS,
            str: field.name in CODES,
            tuple[date, ...]: field.name.endswith("_dates"),
        }
        assert allowed.get(type_), f"{name_of(kind)} may not have {field.name}: {hint}"


@pytest.mark.parametrize("kind", EVENTS, ids=name_of)
def test_an_event_names_its_subject_by_one_of_its_own_ids(kind: type[Message]) -> None:
    message = sample(kind)
    assert message.subject is not None
    assert str(message.subject) in message.data.values()


def test_no_two_messages_share_a_type_and_version() -> None:
    assert len({(kind.TYPE, kind.VERSION) for kind in CATALOGUE}) == len(CATALOGUE)


@every_message
def test_a_schema_describes_its_golden_message(kind: type[Message]) -> None:
    described, message = schema(kind)["properties"], json.loads(golden(kind))
    assert set(described) == set(message)
    assert set(message["data"]) <= set(described["data"]["properties"])
    assert (described["type"]["const"], described["version"]["const"]) == (kind.TYPE, kind.VERSION)
    assert (message["account_id"] is None) == (kind in COMMANDS)


@pytest.mark.parametrize(("path", "text"), generated_docs().items(), ids=lambda value: getattr(value, "stem", ""))
def test_the_page_and_the_schemas_are_as_the_code_says(path: Any, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run `make golden`"


def test_there_is_no_schema_of_a_message_that_is_gone() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == {name_of(kind) for kind in CATALOGUE}
