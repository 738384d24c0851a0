"""JSON Schemas of whole messages, envelope included, derived from the classes."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from shared.messages.catalogue import COMMANDS, Message
from shared.messages.envelope import Envelope
from shared.messages.meanings import DATA, ENVELOPE

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def name_of(message: type[Message]) -> str:
    """The routing key, which also names the golden file and the schema: `message.sent.v1`."""
    return f"{message.TYPE}.v{message.VERSION}"


def schema(message: type[Message]) -> dict[str, Any]:
    """The schema of this message in its envelope. Other fields are allowed: a later release may add some."""
    envelope, data = Envelope.model_json_schema(), TypeAdapter(message).json_schema()
    definitions = data.pop("$defs", None)
    whole = {
        "$schema": _DIALECT,
        "title": name_of(message),
        "description": data.pop("description", ""),
        "type": "object",
        "properties": {**_described(envelope, ENVELOPE), **_fixed(message), "data": _plain(data)},
        "required": envelope["required"],
    }
    return whole | ({"$defs": definitions} if definitions else {})


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    data.pop("title", None)
    return data | {"properties": _described(data, DATA)}


def _described(part: dict[str, Any], meanings: Any) -> dict[str, Any]:
    """The properties, with our sentences in place of the titles that pydantic makes up."""
    return {
        name: {key: value for key, value in found.items() if key != "title"} | {"description": meanings[name]}
        for name, found in part["properties"].items()
    }


def _fixed(message: type[Message]) -> dict[str, Any]:
    """What is narrower in this message than in any envelope."""
    word = {"type": "string", "format": "uuid"}
    command = message in COMMANDS
    narrowed: dict[str, dict[str, Any]] = {
        "type": {"const": message.TYPE},
        "version": {"const": message.VERSION},
        "account_id": {"type": "null"} if command else word,
        "subject": {"type": "null"} if command else word,
        "sequence": {"const": 0} if command else {"type": "integer", "minimum": 1},
    }
    return {name: found | {"description": ENVELOPE[name]} for name, found in narrowed.items()}
