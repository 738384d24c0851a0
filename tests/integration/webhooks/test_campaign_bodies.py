"""What webhooks tell of campaigns and of the messages to contacts (B-147, B-155)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from integration.webhooks.conftest import Webhooks

from services.api.core.campaigns import create_campaign
from services.api.core.contacts import add_contact, new_contact
from shared.domain.campaign import Campaign, CampaignStatus, CampaignType
from shared.domain.draft import Category
from shared.domain.events import CampaignCreated, CampaignEnrolled
from shared.domain.recipient import Channel
from shared.domain.schedule import Duration


async def a_campaign(webhooks: Webhooks) -> Campaign:
    async with webhooks.runtime.db.transaction() as tx:
        return await create_campaign(
            tx,
            account_id=webhooks.account,
            now=webhooks.now,
            name="Appointment Reminder",
            type=CampaignType.RECURRING,
            status=CampaignStatus.RUNNING,
            channel=Channel.SMS,
            category=Category.MARKETING,
            subject=None,
            body="Hi {first_name}",
            offsets=(Duration.parse("P1D"),),
            send_at=None,
        )


def shown(id: UUID) -> dict[str, Any]:
    return {
        "id": str(id),
        "name": "Appointment Reminder",
        "type": "recurring",
        "status": "running",
        "channel": "sms",
        "category": "marketing",
        "subject": None,
        "body": "Hi {first_name}",
        "offsets": ["P1D"],
        "send_at": None,
        "created_at": "2026-03-25T10:30:00Z",
        "updated_at": "2026-03-25T10:30:00Z",
    }


async def told(webhooks: Webhooks) -> dict[str, dict[str, Any]]:
    while await webhooks.tick():
        pass
    bodies = [received.json() for received in webhooks.receiver.ledger]
    return {body["type"]: body["data"] for body in bodies}


async def test_b_147_a_new_campaign_is_told_of_whole_and_an_enrolment_with_its_contact(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "campaign.created", "campaign.enrolled")
    campaign, contact_id, enrollment_id = await a_campaign(webhooks), uuid4(), uuid4()
    await webhooks.happen(CampaignCreated(campaign.id))
    await webhooks.happen(CampaignEnrolled(campaign.id, contact_id=contact_id, enrollment_id=enrollment_id))
    assert await told(webhooks) == {
        "campaign.created": shown(campaign.id),
        "campaign.enrolled": {
            **shown(campaign.id),
            "contact_id": str(contact_id),
            "enrollment_id": str(enrollment_id),
        },
    }


async def test_b_147_a_campaign_that_is_gone_is_told_of_by_its_id(webhooks: Webhooks) -> None:
    await webhooks.endpoint("ok", "campaign.created")
    id = uuid4()
    await webhooks.happen(CampaignCreated(id))
    assert await told(webhooks) == {"campaign.created": {"id": str(id)}}


async def test_b_166_a_message_says_whom_it_was_for(webhooks: Webhooks) -> None:
    await webhooks.endpoint()
    async with webhooks.runtime.db.transaction() as tx:
        john = new_contact(webhooks.account, now=webhooks.now - timedelta(days=1), phone="+447912345678")
        added = await add_contact(tx, john, source="test", now=webhooks.now)
    assert added is not None
    await webhooks.execute("update reminders set contact_id = $1", added.id)
    await webhooks.happen(webhooks.sent())
    assert (await told(webhooks))["message.sent"]["contact_id"] == str(added.id)
