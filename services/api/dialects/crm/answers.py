"""The bodies of answers, as they are on the wire (document 003)."""

from __future__ import annotations

from typing_extensions import TypedDict


class AccountBody(TypedDict):
    id: int


class DateBody(TypedDict):
    name: str
    is_birthdate_approximate: str
    birthdate: str | None


class InformationBody(TypedDict):
    dates: list[DateBody]


class ShortContactBody(TypedDict):
    """What stands of a contact in its reminders (B-180)."""

    id: int
    object: str
    first_name: str | None
    last_name: str | None
    gender: str | None
    is_partial: bool
    information: InformationBody
    account: AccountBody


class ContactBody(ShortContactBody):
    """The contact itself; what it has more is ours."""

    email: str | None
    phone: str | None
    uuid: str
    created_at: str
    updated_at: str


class ReminderBody(TypedDict):
    """A reminder (B-181); the last four fields are ours."""

    id: int
    object: str
    title: str
    description: str | None
    frequency_type: str
    frequency_number: int
    last_triggered_date: str | None
    next_expected_date: str | None
    account: AccountBody
    contact: ShortContactBody
    created_at: str
    updated_at: str
    active: bool
    status: str
    next_send_at: str | None
    feb29: str | None


class LinksBody(TypedDict):
    first: str
    last: str
    prev: str | None
    next: str | None


MetaBody = TypedDict(
    "MetaBody",
    {
        "current_page": int,
        "from": int | None,
        "last_page": int,
        "path": str,
        "per_page": int,
        "to": int | None,
        "total": int,
    },
)


class OneReminder(TypedDict):
    data: ReminderBody


class Reminders(TypedDict):
    data: list[ReminderBody]
    links: LinksBody
    meta: MetaBody


class OneContact(TypedDict):
    data: ContactBody


class Contacts(TypedDict):
    data: list[ContactBody]
    links: LinksBody
    meta: MetaBody


class Deleted(TypedDict):
    """What was removed (B-204)."""

    deleted: bool
    id: int
