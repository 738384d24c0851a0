"""Every request of the five documents, word for word, against the running API (B-272, B-029).

The values stand in `tests/contract/dialects`; only keys and placeholder ids are put in. Names and types are compared,
and values where they do not come from a clock or a counter (`computed`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from integration.api.conftest import Door
from yarl import URL

DOCUMENTS: Final = Path(__file__).parents[2] / "contract" / "dialects"
STORIES: Final = {
    f"{path.parent.name}-{path.stem}": json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(DOCUMENTS.glob("*/*.json"))
}

_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("story", STORIES)
async def test_b_272_the_examples_of_the_documents_are_answered_as_they_say(door: Door, story: str) -> None:
    dialect = story.split("-", maxsplit=1)[0]
    known = await _fixtures(door, dialect)
    for step in STORIES[story]["steps"]:
        request, wanted = _filled(step["request"], known), _filled(step["answer"], known)
        response = await door.client.request(
            request["method"],
            URL(request["path"], encoded=True),
            data=json.dumps(request["body"]) if "body" in request else None,
            headers=_proof(door, dialect) | {"Content-Type": "application/json"},
        )
        body = await response.read()
        answer = json.loads(body) if body else None
        assert response.status == step["status"], (step["name"], answer)
        if step["status"] == 204:
            assert body == b""
        if wanted is not None:
            assert not list(_differences(wanted, answer, frozenset(step["computed"]))), step["name"]
        assert not [name for name in step.get("absent", ()) if name in answer], step["name"]
        known |= {name: _at(answer, place) for name, place in step.get("keep", {}).items()}


def _proof(door: Door, dialect: str) -> dict[str, str]:
    """Each document's own way to say who calls; 001 and 003 do not say, and take the account's key."""
    match dialect:
        case "integration":
            return {}
        case "campaigns":
            return {"x-api-key": door.account.api_key}
        case _:
            return {"Authorization": f"Bearer {door.account.api_key}"}


async def _fixtures(door: Door, dialect: str) -> dict[str, Any]:
    """What the documents take for granted, made through the API."""
    match dialect:
        case "integration":
            return {"agentId": "default", "configurationId": "default", "key": door.account.default.primary_key}
        case "campaigns":
            campaign = {"name": "Appointment Reminder", "type": "recurring", "body": "See you!", "offsets": ["P1D"]}
            _, made = await door.call("POST", "/v1/campaigns", campaign | {"status": "running"})
            return {"campaign": made["campaign"]["id"]}
        case "crm":
            await door.execute("update accounts set owner_email = 'owner@example.com'")
            jean = {"first_name": "Jean", "last_name": "Valjean", "gender": "female", "birthdate": "1983-10-23"}
            _, one = await door.call("POST", "/api/contacts", jean | {"is_birthdate_approximate": "exact"})
            danny = {"first_name": "Danny", "gender": "female", "birthdate": "1983-10-23"}
            _, other = await door.call("POST", "/api/contacts", danny | {"is_birthdate_approximate": "exact"})
            return {"contact": one["data"]["id"], "other": other["data"]["id"]}
        case "appointments":
            _, kind = await door.call("POST", "/events/types", {"type": "check-up"})
            for name in ("REMINDER", "FOLLOW_UP", "NO_SHOW"):
                message = {"eventType": {"uuid": kind["uuid"]}, "messageType": name, "text": "In {eventLocation}."}
                await door.call("POST", "/events/types/messages", message)
            return {"type": kind["uuid"]}
        case _:
            return {}


def _filled(value: Any, known: dict[str, Any]) -> Any:
    """`{name}` is replaced; where it is a whole text, by the value as it is."""
    if isinstance(value, dict):
        return {name: _filled(inner, known) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, known) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value)
    if whole and whole[1] in known:
        return known[whole[1]]
    return _PLACEHOLDER.sub(lambda found: str(known.get(found[1], found[0])), value)


def _at(answer: Any, place: str) -> Any:
    for part in place.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


def _differences(wanted: Any, answer: Any, computed: frozenset[str], place: str = "") -> Iterator[str]:
    """What a documented answer has and ours has not, has of another type, or, unless it is computed, otherwise."""
    inside = f"{place}." if place else ""
    if type(wanted) is not type(answer):
        yield f"{place}: {answer!r} is no {type(wanted).__name__}"
    elif isinstance(wanted, dict):
        yield from (f"{inside}{name} is missing" for name in wanted.keys() - answer.keys())
        for name in wanted.keys() & answer.keys():
            yield from _differences(wanted[name], answer[name], computed, f"{inside}{name}")
    elif isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        if len(answer) < len(wanted):
            yield f"{place} has {len(answer)} of {len(wanted)}"
        for number, (one, other) in enumerate(zip(wanted, answer, strict=False)):
            yield from _differences(one, other, computed, f"{inside}{number}")
    elif place in computed:
        if isinstance(wanted, str) and _INSTANT.fullmatch(wanted) and not _INSTANT.fullmatch(answer):
            yield f"{place}: {answer!r} is no instant in UTC"
    elif wanted not in (answer, []):
        yield f"{place}: {answer!r} is not {wanted!r}"


def test_a_field_that_is_missing_of_another_type_or_value_is_noticed() -> None:
    """The comparison can fail."""
    documented = {"id": 1, "name": "a", "at": "2026-01-01T00:00:00Z", "inner": [{"x": None}]}
    found = {"id": "1", "name": "b", "at": "yesterday", "inner": [{}]}
    assert len(list(_differences(documented, found, frozenset({"at"})))) == 4
    assert not list(_differences(documented, documented, frozenset()))
