"""The client among the examples, against the running API."""

from __future__ import annotations

import asyncio

import pytest
from integration.api.conftest import Door

from examples.remind_contact import Refused, remind


async def test_b_138_the_example_adds_a_contact_and_sends_one_message_however_often_it_is_run(door: Door) -> None:
    base, key = str(door.client.make_url("")).rstrip("/"), door.account.api_key
    first = await asyncio.to_thread(remind, base, key, "+447912345678", "See you at nine.", once="one")
    again = await asyncio.to_thread(remind, base, key, "+447912345678", "See you at nine.", once="one")
    assert first == again
    assert len(await door.fetch("select id from contacts")) == 1
    assert [str(row["id"]) for row in await door.fetch("select id from occurrences")] == [first]


async def test_b_101_the_example_tells_why_it_was_refused(door: Door) -> None:
    base = str(door.client.make_url("")).rstrip("/")
    with pytest.raises(Refused) as refused:
        await asyncio.to_thread(remind, base, door.account.api_key, "07912345678", "Hello", once="two")
    assert refused.value.code == "INVALID_PHONE_FORMAT"
