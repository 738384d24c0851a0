"""What an e-mail address is: one that a mail server could take; nobody is asked whether it exists."""

from __future__ import annotations

from typing import Final

from email_validator import EmailNotValidError, validate_email

LONGEST: Final = 254


class BadEmail(ValueError):
    """Not an e-mail address."""


def check_email(text: str) -> str:
    """`text`, where it is an e-mail address and nothing else. Raises `BadEmail`."""
    try:
        if len(text) > LONGEST or text != text.strip():
            raise BadEmail("not an e-mail address, such as name@example.com")
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise BadEmail("not an e-mail address, such as name@example.com") from None
    return text
