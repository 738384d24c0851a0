"""Adds a contact and sends it one message. Standard library only; copy it.

Safe to repeat after a lost answer: a contact is known by its phone, and the message by its `Idempotency-Key`.

Try it: python examples/remind_contact.py http://127.0.0.1:8080 sk_live_… +447912345678 "See you at nine."
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


class Refused(Exception):
    """The API said no; `code` is a word for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def call(base: str, key: str, path: str, body: dict[str, Any], *, once: str | None = None) -> dict[str, Any]:
    """POST `body` and return the answer; `once` makes the same call again the same answer. Raises `Refused`."""
    headers = {"x-api-key": key, "Content-Type": "application/json"}
    if once is not None:
        headers["Idempotency-Key"] = once
    request = Request(f"{base}{path}", json.dumps(body).encode(), headers, method="POST")
    try:
        with urlopen(request, timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
    except HTTPError as refused:
        error = json.load(refused)["error"]
        raise Refused(error["code"], error["message"]) from None
    return told


def remind(base: str, key: str, phone: str, text: str, *, once: str) -> str:
    """The id of the message, which webhooks call `data.id`."""
    contact = call(base, key, "/v1/contacts", {"phone": phone})
    message = call(base, key, "/v1/messages", {"contact_id": contact["contact_id"], "body": text}, once=once)
    return str(message["message_id"])


if __name__ == "__main__":
    _, address, api_key, number, words = sys.argv
    print(remind(address, api_key, number, words, once=f"{number} {words}"))
