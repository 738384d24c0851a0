"""From what the store knows of an attempt to what a provider is given. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

from services.dispatcher.provider import OutgoingMessage
from shared.domain.campaign import MAX_TEXT
from shared.domain.occurrence import idempotency_key
from shared.domain.recipient import Channel
from shared.domain.template import placeholders, render
from shared.store.occurrences import Begun

MOST_SUBJECT: Final = 200
"""Characters of a subject; what a caller wrote beyond them stands in the text."""


class Unsendable(Exception):
    """The message cannot be made; the text is for history."""


def outgoing(begun: Begun) -> OutgoingMessage:
    """The message of one attempt.

    Raises `Unsendable` where its template was changed under it, or where a text is not one for a telephone.
    """
    text, subject = _said(begun)
    if begun.template_name is None and begun.channel != Channel.EMAIL:
        _check_for_telephone(text)
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
        text=text,
        subject=subject,
    )


def _said(begun: Begun) -> tuple[str | None, str | None]:
    """Text and subject. Of a caller's own words nothing is lost: what the subject cannot hold stands in the text."""
    if begun.body is not None:
        return _filled(begun.body, begun), _subject(_filled(begun.template_subject, begun))
    title, text = begun.subject, begun.text
    if title is not None and begun.template_name is None:
        if not (text or "").strip():
            text = title
        elif len(_one_line(title)) > MOST_SUBJECT:
            text = f"{title}\n\n{text}"
    return text, _subject(title)


def _check_for_telephone(text: str | None) -> None:
    """A text with macros has its length only when they are filled in (B-139)."""
    if not (text or "").strip():
        raise Unsendable("there is no text to send")
    if len(text or "") > MAX_TEXT:
        raise Unsendable(f"the text has more than {MAX_TEXT} characters")


def _subject(text: str | None) -> str | None:
    """`text` on one line of a length that mail programs show; None where nothing of it can be seen."""
    if text is None:
        return None
    line = _one_line(text)
    if len(line) > MOST_SUBJECT:
        line = f"{line[: MOST_SUBJECT - 1]}…"
    return "".join(character for character in line if unicodedata.category(character) != "Cc").strip() or None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _filled(text: str | None, begun: Begun) -> str | None:
    """A registered template's text with its parameters; a caller's own text as it is."""
    if text is None or begun.body is None:
        return text
    if placeholders(text) > len(begun.parameters):
        raise Unsendable("the template takes more parameters than the reminder has")
    return render(text, begun.parameters)
