"""Writes `docs/events.md` from the catalogue: what is spoken on the broker, and how to listen to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import NoneType
from typing import Any, ClassVar, Final, get_args, get_origin, get_type_hints
from uuid import UUID

from shared.messages.catalogue import COMMANDS, EVENTS, Message
from shared.messages.meanings import DATA, ENVELOPE
from shared.messages.schemas import name_of

_WORDS: Final[Mapping[Any, str]] = {UUID: "UUID", datetime: "time", int: "integer", str: "text"}
_ENVELOPE_TYPES: Final = {
    "id": "UUID",
    "type": "text",
    "version": "integer",
    "account_id": "UUID or null",
    "at": "time",
    "subject": "UUID or null",
    "sequence": "integer",
    "data": "object",
}

_HEAD: Final = """\
<!-- Generated from shared/domain/events.py and shared/messages/ by `make golden`; a test keeps it true. -->

# Events

Belltower tells what happens on RabbitMQ. An event is written in the same transaction as the change that caused it,
and published until the broker confirms it: a change without its event, or an event without its change, does not exist.

| | |
|---|---|
| Exchange | `belltower.events`, topic, durable |
| Routing key | type and version: `message.sent.v1` |
| Body | JSON, UTF-8: the envelope below. Times are RFC 3339 in UTC, ids are UUIDs |
| AMQP properties | persistent, `message_id` = the envelope's `id`, `content_type` = `application/json` |

## Listening

Bind a queue of your own to the exchange; never consume from Belltower's (`webhooks.events`, `dispatcher.send-due`).
A durable queue keeps what is published while you are away, but only from the moment that it is bound.

```
queue    yours.reminders          durable, x-queue-type: quorum
bind to  belltower.events         message.sent.v1     exactly this
                                  message.*.v1        all that happens to messages
                                  #                   everything, future types included
```

`examples/consume_events.py` is a whole consumer to start from.

## What is promised

- **At least once.** After a crash or a lost confirm an event is published again, with the same `id`. Remember the ids
  that you have handled, and drop what you know.
- **No order.** Events may overtake each other. `sequence` counts the events of one `subject` from 1 without gaps: sort
  by it, and take a missing number as an event that is still under way.
- **Nothing personal.** Events carry ids, states, times and codes; no name, no address, no phone number, no text.
- **Seven days.** Published events are kept for seven days, to be sent again to webhook endpoints on request.

## Versions

- The same version may get new fields that may be null: ignore fields that you do not know.
- Any other change is a new version with a routing key of its own (`….v2`). Both are published side by side for at least
  one release, and the changelog names the one that will go.
- New types come without warning: acknowledge what you do not know. It is no error, only newer than you.
- Each type has a JSON Schema in [`schemas/`](schemas/), and an example that is a test of its own: an example, once
  released, is read by every later release.
"""

_COMMAND: Final = """\
On the exchange `belltower.commands`, for the dispatcher alone; it is written down here for operators who look into a
queue. It is a hint: what is lost is sent again after its lease, what is stale drops out.
"""


def page(examples: Mapping[str, Any]) -> str:
    """The whole page; `examples` are golden messages by their routing key."""
    parts = [
        _HEAD,
        "## The envelope\n",
        _table((name, _ENVELOPE_TYPES[name], meaning) for name, meaning in ENVELOPE.items()),
        "## The events\n",
        "\n".join(f"- [`{name_of(event)}`](#{_anchor(event)}): {sentence(event)}" for event in EVENTS) + "\n",
        *(_section(event, examples[name_of(event)]) for event in EVENTS),
        "## The command\n",
        _COMMAND,
        *(_section(command, examples[name_of(command)]) for command in COMMANDS),
    ]
    return "\n".join(parts)


def sentence(message: type[Message]) -> str:
    """What the class says of itself."""
    return (message.__doc__ or "").strip().splitlines()[0]


def _anchor(message: type[Message]) -> str:
    return name_of(message).replace(".", "")


def _section(message: type[Message], example: Any) -> str:
    fields = _table((name, _type_words(hint), DATA[name]) for name, hint in _fields(message).items())
    shown = json.dumps(example, indent=2, ensure_ascii=False)
    name = name_of(message)
    return f"### {name}\n\n{sentence(message)} [Schema](schemas/{name}.json)\n\n{fields}\n```json\n{shown}\n```\n"


def _fields(message: type[Message]) -> dict[str, Any]:
    """Name and type, without what the class says of itself."""
    return {name: hint for name, hint in get_type_hints(message).items() if get_origin(hint) is not ClassVar}


def _type_words(hint: Any) -> str:
    kinds = get_args(hint)
    if NoneType in kinds:
        return f"{_type_words(kinds[0])} or null"
    return _WORDS.get(hint, "list")


def _table(rows: Any) -> str:
    lines = ["| Field | Type | Meaning |", "|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in rows]
    return "\n".join(lines) + "\n"
