"""Sends that fall due one by one, at a provider that is slow: each has a command of its own."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from uuid import uuid4

from shared.bus.bus import COMMANDS, BusMessage
from shared.messages.commands import Due, SendDue
from shared.messages.envelope import command, encode
from tests.integration.sending.conftest import Sending


async def test_a_command_is_done_with_once_its_send_has_begun(sending: Sending) -> None:
    """A broker gives a consumer few messages at once: held until the answer, they would be all that is under way."""
    count, latency = 12, 0.5
    sending.provider.latency = (latency, latency)
    for _ in range(count):
        await sending.remind(-0.1)
    hints = await sending.queue()
    began = time.monotonic()
    for occurrence, version in hints:
        envelope = command(SendDue((Due(occurrence, version),)), command_id=uuid4(), at=datetime.now(UTC))
        await sending.dispatcher.handle(BusMessage(COMMANDS, envelope.routing_key, envelope.id, encode(envelope)))
    handled = time.monotonic() - began
    await sending.dispatcher.drain(5)
    assert handled < latency * count / 2, "the calls were made one after the other"
    assert len(sending.provider.calls) == count
    rows = await sending.fetch("select state from occurrences")
    assert [row["state"] for row in rows] == ["sent"] * count


async def test_a_drain_that_is_cut_short_leaves_a_send_to_its_lease(sending: Sending) -> None:
    sending.provider.latency = (0.9, 0.9)
    await sending.remind(-0.1)
    task = asyncio.create_task(sending.dispatcher.send(await sending.queue()))
    await sending.until_called()
    await sending.dispatcher.drain(0.01)
    await asyncio.gather(task, return_exceptions=True)
    rows = await sending.fetch("select state, lease_until is not null as leased from occurrences")
    assert [(row["state"], row["leased"]) for row in rows] == [("sending", True)]
