"""From what the store knows of an attempt to what a provider is given. Pure."""

from __future__ import annotations

from services.dispatcher.provider import OutgoingMessage
from shared.domain.occurrence import idempotency_key
from shared.domain.recipient import Channel
from shared.domain.template import placeholders, render
from shared.store.occurrences import Begun


class Unsendable(Exception):
    """The message cannot be made; the text is for history."""


def outgoing(begun: Begun) -> OutgoingMessage:
    """The message of one attempt. Raises `Unsendable` where its template was changed under it."""
    return OutgoingMessage(
        account_id=begun.account_id,
        reminder_id=begun.reminder_id,
        external_id=begun.external_id or str(begun.reminder_id),
        occurrence_id=begun.id,
        attempt_id=begun.attempt_id,
        idempotency_key=idempotency_key(begun.id, begun.key_epoch),
        scheduled_for=begun.scheduled_for,
        channel=Channel(begun.channel),
        to=begun.address,
        template=begun.provider_name or begun.template_name,
        language=begun.language,
        parameters=tuple(begun.parameters),
        text=_filled(begun.text if begun.body is None else begun.body, begun),
        subject=_filled(begun.subject if begun.body is None else begun.template_subject, begun),
    )


def _filled(text: str | None, begun: Begun) -> str | None:
    """A registered template's text with its parameters; a caller's own text as it is."""
    if text is None or begun.body is None:
        return text
    if placeholders(text) > len(begun.parameters):
        raise Unsendable("the template takes more parameters than the reminder has")
    return render(text, begun.parameters)
