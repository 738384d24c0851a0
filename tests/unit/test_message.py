"""What a provider is given: whatever a caller wrote as a title, an e-mail can be made of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from services.dispatcher.message import MOST_SUBJECT, Unsendable, outgoing
from services.dispatcher.providers.smtp import compose
from services.dispatcher.smtp_settings import SmtpSettings
from shared.domain.outcome import Rejected
from shared.store.occurrences import Begun

SETTINGS = SmtpSettings(url=SecretStr("smtp://mail.example"), from_address="bell@example.com")


def begun(**changes: Any) -> Begun:
    now = datetime.now(UTC)
    plain = Begun(
        id=uuid4(),
        account_id=uuid4(),
        reminder_id=uuid4(),
        external_id=None,
        attempt_id=uuid4(),
        attempt=1,
        key_epoch=0,
        scheduled_for=now,
        provider="smtp",
        channel="email",
        address="owner@example.com",
        template_name=None,
        registered=False,
        provider_name=None,
        language=None,
        body=None,
        template_subject=None,
        parameters=[],
        text="Ask how the wedding went",
        subject="Call Jean",
    )
    return replace(plain, **changes)


def mailed(**changes: Any) -> tuple[str, str]:
    """Subject and body of the e-mail."""
    mail = compose(SETTINGS, outgoing(begun(**changes)))
    assert not isinstance(mail, Rejected)
    mail.as_bytes()
    return str(mail["Subject"]), mail.get_content().replace("\r\n", "\n").rstrip("\n")


def test_b_177_the_title_is_the_subject_and_the_description_the_text() -> None:
    assert mailed() == ("Call Jean", "Ask how the wedding went")


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_b_177_without_a_description_the_title_is_the_text_too(text: str | None) -> None:
    assert mailed(text=text) == ("Call Jean", "Call Jean")


@pytest.mark.parametrize("title", ["Call\nJean", "Call\r\n Jean", "\tCall\u2028Jean\x85", "Call\x07 Jean\x7f\n"])
def test_b_177_a_title_of_several_lines_is_a_subject_of_one(title: str) -> None:
    assert mailed(subject=title) == ("Call Jean", "Ask how the wedding went")


def test_b_177_what_a_subject_cannot_hold_stands_in_the_text() -> None:
    """B-193 takes titles of 100,000 characters; nobody's mail program shows them."""
    title = "Call Jean about the wedding, " * 3_448
    subject, text = mailed(subject=title)
    assert len(subject) == MOST_SUBJECT
    assert subject.endswith("…")
    assert text == f"{title}\n\nAsk how the wedding went"


def test_b_194_a_million_characters_are_an_e_mail() -> None:
    for description in ("é" * 1_000_000, "a" * 1_000_000, "line\n" * 200_000):
        assert mailed(text=description)[1] == description.rstrip("\n")


def test_a_title_of_which_nothing_can_be_seen_leaves_the_subject_to_the_provider() -> None:
    assert mailed(subject="\x07\n") == ("Reminder", "Ask how the wedding went")


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
@pytest.mark.parametrize("text", [None, "", " \n", "x" * 1_601])
def test_b_139_a_telephone_is_given_no_text_that_is_empty_or_endless(channel: str, text: str | None) -> None:
    """What a campaign says is known only when it is filled in: a custom field may be 64,000 characters, or none."""
    with pytest.raises(Unsendable):
        outgoing(begun(channel=channel, subject=None, text=text))


@pytest.mark.parametrize("channel", ["sms", "whatsapp"])
def test_b_139_a_telephone_is_given_a_text_of_1600_characters(channel: str) -> None:
    """Counted as code points; and a template that its provider knows needs none."""
    assert outgoing(begun(channel=channel, subject=None, text="\U0001f600" * 1_600)).text == "\U0001f600" * 1_600
    assert outgoing(begun(channel=channel, subject=None, text=None, template_name="hello")).text is None
