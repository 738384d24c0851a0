"""What a process counts. Names follow Prometheus' conventions; no label holds a person's or an account's data."""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
_LATE: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 60, 300, 3600)

CLAIMED: Final = Counter("belltower_occurrences_claimed_total", "Due occurrences that this process queued.")
RESCUED: Final = Counter("belltower_occurrences_rescued_total", "Occurrences whose lease ran out.", ["state"])
MISSED: Final = Counter("belltower_occurrences_missed_total", "Occurrences that came too late to be sent.", ["state"])
LATENESS: Final = Histogram(
    "belltower_send_lateness_seconds", "From the planned time to the start of the provider call.", buckets=_LATE
)
CALLS: Final = Counter("belltower_provider_calls_total", "Provider calls by outcome.", ["provider", "outcome"])
CALL_SECONDS: Final = Histogram(
    "belltower_provider_call_seconds", "How long provider calls took.", ["provider"], buckets=_FAST
)
PAUSED: Final = Counter(
    "belltower_provider_pauses_total", "Times that a provider refused our credentials.", ["provider"]
)
RESOLVED: Final = Counter(
    "belltower_uncertain_resolved_total",
    "Sends whose answer was lost, by what it was known from in the end.",
    ["provider", "how"],
)
RECEIPTS: Final = Counter(
    "belltower_receipts_total",
    "Reports of providers about single messages, by what was made of them.",
    ["provider", "as"],
)
REFUSED_CALLBACKS: Final = Counter(
    "belltower_callbacks_refused_total", "Callbacks whose signature was missing or wrong.", ["provider"]
)
LOOK_UPS: Final = Counter(
    "belltower_look_ups_total", "Questions to providers about messages in doubt, by answer.", ["provider", "answer"]
)
REPAIRED: Final = Counter(
    "belltower_schedule_repaired_total", "Reminders that could never have rung, mended by the sentinel.", ["how"]
)
PUBLISHED: Final = Counter("belltower_events_published_total", "Events that the broker confirmed.", ["type"])
IGNORED: Final = Counter("belltower_events_ignored_total", "Events of a type or version unknown here.", ["service"])
DEAD: Final = Counter("belltower_dead_letters_total", "Messages that no handler could take.", ["queue"])
REQUESTS: Final = Histogram(
    "belltower_http_request_seconds",
    "How long HTTP requests took.",
    ["door", "method", "route", "status"],
    buckets=_FAST,
)
BROKEN_DUTIES: Final = Counter(
    "belltower_duties_broken_total", "Times that a duty beside the doors met a bug of ours.", ["duty"]
)
DELIVERIES: Final = Counter("belltower_webhook_attempts_total", "Webhook POSTs by result.", ["result"])
DELIVERY_SECONDS: Final = Histogram("belltower_webhook_attempt_seconds", "How long webhook POSTs took.", buckets=_FAST)

OLDEST_DUE: Final = Gauge("belltower_oldest_due_occurrence_seconds", "How late the oldest due occurrence is.")
OLDEST_EVENT: Final = Gauge("belltower_oldest_unpublished_event_seconds", "Age of the oldest event not yet published.")
OLDEST_DELIVERY: Final = Gauge("belltower_oldest_due_delivery_seconds", "How late the oldest due delivery is.")
UNCERTAIN: Final = Gauge(
    "belltower_uncertain_occurrences", "Sends that are parked because their answer was lost.", ["provider"]
)
LAST_PASS: Final = Gauge(
    "belltower_schedule_pass_age_seconds", "Time since the sentinel last came to the end of all active reminders."
)
LOOP_STALLED: Final = Counter(
    "belltower_loop_stalled_seconds_total", "How long the process stood still: starved, stopped or blocked by a call."
)
READY: Final = Gauge("belltower_ready", "Readiness by check.", ["check"])

__all__ = ["REGISTRY"]
