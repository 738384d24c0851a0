"""What an operator reads of a send: one line for each attempt, with ids and nothing of a person's."""

from __future__ import annotations

import json

from structlog.testing import capture_logs

from tests.integration.sending.conftest import Sending
from tests.rig.provider_behaviour import Behaviour


async def test_b_007_each_attempt_is_one_line_with_its_ids_and_nothing_of_a_person(sending: Sending) -> None:
    """A success is information, anything else a warning."""
    reminder = await sending.remind(-2, text="canary text", parameters=["canary parameter"])
    sending.provider.default = Behaviour.FAIL_BEFORE
    with capture_logs() as lines:
        await sending.ring()
        sending.provider.default = Behaviour.ACCEPT
        await sending.make_due()
        await sending.ring()
    told = [line for line in lines if line["event"] == "attempt_recorded"]
    occurrence = str((await sending.occurrence(reminder))["id"])
    assert [(line["log_level"], line["outcome"], line["attempt"]) for line in told] == [
        ("warning", "failed", 1),
        ("info", "accepted", 2),
    ]
    assert all((line["reminder_id"], line["occurrence_id"]) == (str(reminder), occurrence) for line in told)
    assert all((line["provider"], line["channel"], line["lateness"] >= 2) == ("http", "sms", True) for line in told)
    assert not any(canary in json.dumps(lines, default=str) for canary in ("canary", "81234567890"))


async def test_refused_credentials_are_a_warning(sending: Sending) -> None:
    await sending.remind(0)
    sending.provider.default = Behaviour.UNAUTHORIZED
    with capture_logs() as lines:
        await sending.ring()
    assert [line["outcome"] for line in lines if line["log_level"] == "warning"] == ["unavailable"]


async def test_times_that_came_too_late_are_told_of(sending: Sending) -> None:
    await sending.remind(-7200)
    with capture_logs() as lines:
        await sending.ring()
    assert [line["occurrences"] for line in lines if line["event"] == "missed"] == [1]
