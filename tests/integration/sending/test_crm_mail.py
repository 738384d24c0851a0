"""The CRM door's mail: to the account's user, through an SMTP server, at the hour that the account chose (B-177)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from integration.sending.conftest import Sending

from services.api.core import crm
from services.api.core.contacts import add_contact, new_contact
from services.api.core.policy import Core
from services.api.core.recurring import Asked
from services.api.dialects.crm.answers import ReminderBody
from services.api.dialects.crm.translate import to_reminder
from shared.domain.schedule import Unit
from shared.runtime.settings import Settings
from tests.rig.smtp_server import SmtpServer

GRACE = timedelta(hours=2)


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with SmtpServer.running() as server:
        yield server


@pytest.fixture
def settings(smtp: SmtpServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("BELLTOWER_PROVIDER_EMAIL", "smtp")
    monkeypatch.setenv("BELLTOWER_SMTP_URL", f"smtp://127.0.0.1:{smtp.port}?starttls=never")
    monkeypatch.setenv("BELLTOWER_SMTP_FROM_ADDRESS", "Belltower <bell@example.com>")
    monkeypatch.setenv("BELLTOWER_MASTER_KEY", base64.b64encode(bytes(32)).decode())
    return settings.model_copy(update=Settings(provider_timeout=5.0).model_dump())


class Owner:
    """An account's user who is between 12 and 13 o'clock, and is reminded at 12."""

    def __init__(self, sending: Sending, smtp: SmtpServer, contact: int, zone: str) -> None:
        self.sending, self.smtp, self.contact, self.zone = sending, smtp, contact, zone
        self.core = Core.from_settings(sending.runtime.settings)

    @property
    def today(self) -> date:
        return datetime.now(ZoneInfo(self.zone)).date()

    async def is_reminded(self, *, asked_ago: timedelta, **given: Any) -> int:
        """The number of a reminder that was made so long ago."""
        asked = Asked(**{"title": "Call Jean", "description": "Ask him", "on": self.today, "unit": None, **given})
        async with self.sending.runtime.db.transaction() as tx:
            shown = await crm.create(
                tx,
                self.core,
                asked,
                account_id=self.sending.account,
                contact_number=self.contact,
                now=datetime.now(UTC) - asked_ago,
            )
        return shown.reminder.number

    async def sees(self, number: int) -> ReminderBody:
        async with self.sending.runtime.db.connection() as db:
            return to_reminder(await crm.show(db, account_id=self.sending.account, number=number))

    def mails(self) -> list[EmailMessage]:
        found = [message_from_bytes(envelope.original_content, policy=default) for envelope in self.smtp.messages]
        assert all(isinstance(mail, EmailMessage) for mail in found)
        return found  # type: ignore[return-value]


@pytest.fixture
async def owner(sending: Sending, smtp: SmtpServer) -> Owner:
    now = datetime.now(UTC)
    zone = f"Etc/GMT{now.hour - 12:+d}"
    await sending.execute(
        """update accounts set owner_email = 'owner@example.com', time_zone = $2, reminder_hour = 12, grace = $3
           where id = $1""",
        sending.account,
        zone,
        GRACE,
    )
    async with sending.runtime.db.transaction() as tx:
        contact = await add_contact(tx, new_contact(sending.account, now=now, first_name="Jean"), source="crm", now=now)
    assert contact is not None
    return Owner(sending, smtp, contact.number, zone)


async def test_b_177_the_mail_goes_to_the_user_with_the_reminder_as_its_content(owner: Owner) -> None:
    """B-178, B-179: what fired says when; one date alone is over then, and stays readable."""
    number = await owner.is_reminded(asked_ago=timedelta(hours=3))
    await owner.sending.ring()
    (mail,) = owner.mails()
    assert (mail["To"], mail["Subject"]) == ("owner@example.com", "Call Jean")
    assert mail.get_content().strip() == "Ask him"
    (row,) = await owner.sending.fetch("select scheduled_for, state from occurrences")
    assert row["state"] == "sent"
    local = row["scheduled_for"].astimezone(ZoneInfo(owner.zone))
    assert (local.date(), local.hour, local.minute) == (owner.today, 12, 0)
    over = await owner.sees(number)
    assert (over["active"], over["next_expected_date"]) == (False, None)
    assert over["last_triggered_date"] == f"{owner.today}T00:00:00Z"


async def test_b_178_after_firing_the_next_date_is_one_interval_on(owner: Owner) -> None:
    number = await owner.is_reminded(asked_ago=timedelta(hours=3), unit=Unit.WEEK, number=2)
    await owner.sending.ring()
    assert len(owner.mails()) == 1
    seen = await owner.sees(number)
    assert seen["last_triggered_date"] == f"{owner.today}T00:00:00Z"
    assert seen["next_expected_date"] == f"{owner.today + timedelta(days=14)}T00:00:00Z"
    assert seen["active"]
    await owner.sending.ring()
    assert len(owner.mails()) == 1


async def test_b_264_after_days_of_standstill_the_latest_is_sent_and_no_other(owner: Owner) -> None:
    number = await owner.is_reminded(
        asked_ago=timedelta(days=4, hours=3), unit=Unit.DAY, on=owner.today - timedelta(days=4)
    )
    for _ in range(4):
        await owner.sending.ring()
    assert len(owner.mails()) == 1
    states = await owner.sending.fetch("select state, count(*) as n from occurrences group by state order by state")
    assert [(row["state"], row["n"]) for row in states] == [("expired", 1), ("scheduled", 1), ("sent", 1)]
    seen = await owner.sees(number)
    assert seen["last_triggered_date"] == f"{owner.today}T00:00:00Z"
    assert seen["next_expected_date"] == f"{owner.today + timedelta(days=1)}T00:00:00Z"


async def test_b_264_beyond_the_grace_none_is_sent(owner: Owner) -> None:
    await owner.sending.execute("update accounts set reminder_hour = 8")
    number = await owner.is_reminded(asked_ago=timedelta(days=1), unit=Unit.DAY, on=owner.today)
    await owner.sending.ring()
    assert owner.mails() == []
    seen = await owner.sees(number)
    assert (seen["last_triggered_date"], seen["active"]) == (None, True)
    assert seen["next_expected_date"] == f"{owner.today + timedelta(days=1)}T00:00:00Z"


async def test_b_203_what_a_change_of_date_replaced_never_fires(owner: Owner) -> None:
    number = await owner.is_reminded(asked_ago=timedelta(hours=3))
    asked = Asked("Call Jean", None, owner.today + timedelta(days=3), None)
    async with owner.sending.runtime.db.transaction() as tx:
        await crm.change(
            tx,
            owner.core,
            asked,
            account_id=owner.sending.account,
            number=number,
            contact_number=owner.contact,
            now=datetime.now(UTC),
        )
    await owner.sending.ring()
    assert owner.mails() == []
    assert (await owner.sees(number))["next_expected_date"] == f"{owner.today + timedelta(days=3)}T00:00:00Z"


async def test_b_177_a_title_of_100_000_characters_and_lines_is_a_mail_like_any(owner: Owner) -> None:
    title = "Call Jean\nabout the wedding 🔔\r\n" * 3_000
    await owner.is_reminded(asked_ago=timedelta(hours=3), title=title, description="é" * 1_000_000)
    await owner.sending.ring()
    (mail,) = owner.mails()
    assert len(mail["Subject"]) == 200
    assert mail["Subject"].startswith("Call Jean about the wedding 🔔 Call")
    text = mail.get_content()
    assert text.count("Call Jean") == 3_000
    assert text.count("é") == 1_000_000


async def test_b_267_a_user_who_opted_out_gets_no_mail(owner: Owner) -> None:
    await owner.sending.execute(
        """insert into suppressions (account_id, address, source, created_at)
           values ($1, 'owner@example.com', 'api', now())""",
        owner.sending.account,
    )
    number = await owner.is_reminded(asked_ago=timedelta(hours=3), unit=Unit.DAY)
    await owner.sending.ring()
    assert owner.mails() == []
    assert (await owner.sees(number))["last_triggered_date"] is None
