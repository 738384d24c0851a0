"""Every error code of document 002, each in its envelope."""

from __future__ import annotations

import json

import pytest

from services.api.dialects.campaigns.edges import refuse
from shared.domain import refusal as no


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        *(
            (no.Invalid([no.Problem("phone", "is wrong", code)]), 400, code)
            for code in ("INVALID_PHONE_FORMAT", "INVALID_EMAIL_FORMAT", "MISSING_IDENTIFIER", "MISSING_PHONE_NUMBER")
        ),
        (no.Unauthenticated(), 401, "INVALID_API_KEY"),
        (no.Unauthenticated(expired=True), 401, "API_KEY_EXPIRED"),
        (no.Forbidden("plan_required", "needs a paid plan"), 403, "PLAN_REQUIRED"),
        (no.NotFound("contact"), 404, "CONTACT_NOT_FOUND"),
        (no.NotFound("campaign"), 404, "CAMPAIGN_NOT_FOUND"),
        (no.QuotaExceeded(60), 429, "SMS_LIMIT_EXCEEDED"),
        (no.Broken(), 500, "INTERNAL_ERROR"),
    ],
)
def test_b_092_each_refusal_has_its_code(refusal: no.Refusal, status: int, code: str) -> None:
    """B-090 and B-094: in the envelope, with the request's id."""
    answer = refuse(refusal, "r-1")
    body = json.loads(bytes(answer.body or b""))  # type: ignore[arg-type]
    assert (answer.status, body["success"], body["error"]["code"]) == (status, False, code)
    assert body["error"]["message"]
    assert body["error"]["details"]["request_id"] == "r-1"


def test_b_143_a_used_up_quota_says_when_it_begins_anew() -> None:
    assert refuse(no.QuotaExceeded(60), "r-1").headers["Retry-After"] == "60"


def test_b_144_who_cannot_be_reached_is_not_found_and_says_why() -> None:
    body = json.loads(bytes(refuse(no.NotFound("contact", reason="MISSING_PHONE_NUMBER"), "r-1").body or b""))  # type: ignore[arg-type]
    assert body["error"]["code"] == "CONTACT_NOT_FOUND"
    assert body["error"]["details"]["reason"] == "MISSING_PHONE_NUMBER"
