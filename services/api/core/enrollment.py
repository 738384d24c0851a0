"""Takes contacts into campaigns, each once (B-130 to B-137)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.api.core.arming import rearm_contact
from services.api.core.policy import Core
from shared.domain.campaign import Campaign, EnrollmentStatus, skip_reason
from shared.domain.contact import Contact
from shared.domain.events import CampaignEnrolled
from shared.domain.refusal import NotFound
from shared.store import campaigns, outbox
from shared.store import enrollments as store
from shared.store.database import Connection
from shared.store.outbox import Recorded


@dataclass(frozen=True, slots=True)
class Enrollment:
    """What came of an enrolment."""

    id: UUID | None
    """None where it was skipped."""
    campaign_id: UUID
    status: EnrollmentStatus
    reason: str | None = None
    """Why it was skipped: `campaign_not_running`, `missing_phone_number` or `missing_email`."""


async def enroll(
    tx: Connection, core: Core, *, account_id: UUID, campaign_id: UUID, contact: Contact, now: datetime
) -> Enrollment:
    """Enrol a contact, whom the caller holds, and plan its sends; the event comes only where it is new (B-137).

    Raises `NotFound`. Enrolling the same contact again changes nothing, whatever the campaign's status (B-136).
    """
    campaign = await campaigns.get(tx, account_id=account_id, id=campaign_id)
    if campaign is None:
        raise NotFound("campaign")
    already = await store.find(tx, account_id=account_id, campaign_id=campaign_id, contact_id=contact.id)
    if already is not None:
        return Enrollment(already, campaign_id, EnrollmentStatus.ALREADY_ENROLLED)
    if skip_reason(campaign, contact) is None:
        # Only now, as all that enrol in it wait for this lock; its status may have changed since.
        campaign = await campaigns.hold(tx, account_id=account_id, id=campaign_id) or campaign
    reason = skip_reason(campaign, contact)
    if reason is not None:
        return Enrollment(None, campaign_id, EnrollmentStatus.SKIPPED, reason)
    return await _enroll(tx, core, campaign, contact, now=now)


async def _enroll(tx: Connection, core: Core, campaign: Campaign, contact: Contact, *, now: datetime) -> Enrollment:
    account_id = campaign.account_id
    id = await store.insert(tx, account_id=account_id, campaign_id=campaign.id, contact_id=contact.id, now=now)
    event = CampaignEnrolled(campaign_id=campaign.id, contact_id=contact.id, enrollment_id=id)
    sequence = await campaigns.next_sequence(tx, account_id=account_id, id=campaign.id)
    await outbox.append(tx, [Recorded(event, account_id, now, sequence)])
    await rearm_contact(tx, core, contact, now=now, only=[id])
    return Enrollment(id, campaign.id, EnrollmentStatus.ENROLLED)
