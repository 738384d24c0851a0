"""Templates of a configuration, and the reminders that must fit them."""

from __future__ import annotations

from typing import Any

import pytest

from services.api.core.policy import Core
from shared.domain.recipient import Channel
from shared.runtime.settings import Settings
from tests.builders import a_reminder, an_item
from tests.integration.api.conftest import Door, open_door

TEMPLATES = "/api/reminder/configuration/default/default/templates"
GREETING = {"name": "greeting", "body": "Hello {{1}}, see you on {{2}}.", "language": "en_US", "subject": "Hello"}


async def test_a_template_is_made_read_changed_and_removed(visitor: Door) -> None:
    """B-051: placeholders are numbered."""
    status, made = await visitor.call("POST", TEMPLATES, GREETING)
    assert (status, made["channel"], made["parameterCount"]) == (201, "sms", 2)
    assert {name: made[name] for name in GREETING} == GREETING
    assert await visitor.call("GET", f"{TEMPLATES}/greeting") == (200, made)
    assert await visitor.call("GET", TEMPLATES) == (200, {"items": [made]})
    assert (await visitor.call("POST", TEMPLATES, GREETING))[0] == 409
    status, changed = await visitor.call("PUT", f"{TEMPLATES}/greeting", {"body": "Hi", "providerName": "hi_v2"})
    assert (status, changed["body"], changed["parameterCount"], changed["providerName"]) == (200, "Hi", 0, "hi_v2")
    assert {name: changed[name] for name in ("language", "subject")} == {"language": "en_US", "subject": "Hello"}
    _, cleared = await visitor.call("PUT", f"{TEMPLATES}/greeting", {"language": None, "subject": None})
    assert (cleared["body"], cleared["language"], cleared["subject"]) == ("Hi", None, None)
    for change in ({"body": None}, {"body": "{{x}}"}, {"channel": None}):
        status, refused = await visitor.call("PUT", f"{TEMPLATES}/greeting", change)
        assert (status, [problem["field"] for problem in refused["error"]["details"]]) == (400, list(change))
    assert await visitor.call("DELETE", f"{TEMPLATES}/greeting") == (204, None)
    for method in ("GET", "DELETE"):
        assert (await visitor.call(method, f"{TEMPLATES}/greeting"))[0] == 404
    assert (await visitor.call("PUT", f"{TEMPLATES}/greeting", {"body": "Hi"}))[0] == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": ""}, "name"),
        ({"body": ""}, "body"),
        ({"body": "a\u0000b"}, "body"),
        ({"body": "Hello {{0}}"}, "body"),
        ({"body": "Hello {{name}}"}, "body"),
        ({"body": "Hello {{1"}, "body"),
        ({"body": "x" * 10_001}, "body"),
        ({"subject": "a\r\nBcc: b@example.com"}, "subject"),
        ({"language": "english please"}, "language"),
        ({"channel": "fax"}, "channel"),
        ({"providerName": "a\nb"}, "providerName"),
    ],
)
async def test_a_template_that_cannot_be_is_400(visitor: Door, change: dict[str, Any], field: str) -> None:
    status, refused = await visitor.call("POST", TEMPLATES, GREETING | change)
    assert (status, [problem["field"] for problem in refused["error"]["details"]]) == (400, [field])


async def test_b_019_with_templates_registered_an_unknown_one_is_refused(door: Door) -> None:
    """B-019, B-021, B-052."""
    assert (await door.reminder("POST", "before", a_reminder()))[0] == 201
    await door.call("POST", TEMPLATES, GREETING)
    status, refused = await door.reminder("POST", "rem-1", a_reminder())
    assert (status, refused["error"]["details"][0]["field"]) == (400, "notificationTemplateName")
    fitting = a_reminder(notificationTemplateName="greeting", templateParameters=["Ani", "Monday"])
    for parameters in (["Ani"], ["Ani", "Monday", "noon"], []):
        status, refused = await door.reminder("POST", "rem-1", fitting | {"templateParameters": parameters})
        assert (status, refused["error"]["details"][0]["field"]) == (400, "templateParameters")
    assert await door.fetch("select 1 from reminders where external_id = 'rem-1'") == []
    assert (await door.reminder("POST", "rem-1", fitting))[0] == 201


async def test_an_update_must_fit_too(visitor: Door) -> None:
    """B-019, B-021, B-068."""
    await visitor.call("POST", TEMPLATES, GREETING | {"body": "Hello {{1}} {{2}}"})
    await visitor.call("POST", "/api/reminder/item/create", an_item(notificationTemplateName="greeting"))
    for change in ({"notificationTemplateName": "other"}, {"templateParameters": ["one"]}):
        status, _ = await visitor.call("PUT", "/api/reminder/item/update", {"id": "item-1"} | change)
        assert status == 400
    status, _ = await visitor.call(
        "PUT", "/api/reminder/item/update", {"id": "item-1", "templateParameters": ["a", "b"]}
    )
    assert status == 200


async def test_a_provider_that_needs_the_text_takes_registered_templates_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-019: Twilio's SMS and SMTP cannot send a template by its name."""
    monkeypatch.setenv("BELLTOWER_PROVIDER", "twilio")
    async with open_door(Settings()) as door:
        status, refused = await door.reminder("POST", "rem-1", a_reminder())
        assert (status, refused["error"]["details"][0]["code"]) == (400, "unknown_template")
        body = {"agentId": "default", "configurationId": "default", "channel": "whatsapp"}
        await door.call("PUT", "/api/reminder/configuration", body)
        assert (await door.reminder("POST", "rem-1", a_reminder()))[0] == 201


def test_which_channels_need_a_text_follows_from_the_providers(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """B-019."""
    assert Core.from_settings(settings).needs_text == frozenset()
    monkeypatch.setenv("BELLTOWER_PROVIDER_EMAIL", "smtp")
    assert Core.from_settings(Settings()).needs_text == {Channel.EMAIL}


async def test_a_configuration_that_sends_mail_takes_no_phone_numbers(visitor: Door) -> None:
    body = {"agentId": "default", "configurationId": "default", "channel": "email"}
    await visitor.call("PUT", "/api/reminder/configuration", body)
    status, refused = await visitor.reminder("POST", "rem-1", a_reminder())
    assert (status, refused["error"]["details"][0]["field"]) == (400, "phoneNumber")
