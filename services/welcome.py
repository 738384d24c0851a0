"""What `belltower up` prints for a person: where it listens, the demo account's keys, and lines to paste."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.demo import Demo
from services.keepsakes import DEMO

# GNU's `date` first, then that of macOS: the terminal may be on another system than Belltower, as with containers.
_IN_TWO_SECONDS: Final = "$(date -u -d '+2 seconds' +%FT%TZ 2>/dev/null || date -u -v+2S +%FT%TZ)"


def welcome(*, addresses: Mapping[str, str], data_dir: Path, demo: Demo) -> str:
    """The whole page."""
    api, ops = addresses["api"], addresses["ops"]
    return f"""
Belltower is running; Ctrl-C stops it.

  API      {api}
  Probes   {ops}/readyz and {ops}/metrics
  Data     {data_dir} (kept)

Demo account (its keys are kept in {data_dir / DEMO})

  account        {demo.account_id}
  API key        {demo.api_key}
  configuration  agent {demo.agent_id}, configuration {demo.configuration_id}
  primary key    {demo.primary_key}
  secondary key  {demo.secondary_key}

Try it from another terminal:

{_lines(api, demo)}
"""


def _lines(api: str, demo: Demo) -> str:
    reminder = f'"$API/api/reminder/{demo.agent_id}/{demo.configuration_id}/$ID" -H "X-Reminder-Secret: $SECRET"'
    return f"""\
# Once for each reminder
API={api} KEY={demo.api_key} SECRET={demo.primary_key} ID=hello-$(date +%s)

# Create a reminder that is due in two seconds
curl -sS {reminder} \\
  -H 'Content-Type: application/json' \\
  -d '{{"countryCode": "+1", "phoneNumber": "2025550123", "recipientName": "Ada",
       "notificationTemplateName": "hello", "templateParameters": ["Ada"],
       "sendTimes": ["'"{_IN_TWO_SECONDS}"'"], "timezone": "UTC"}}'

# Read it back with its history
curl -sS {reminder}

# List the account's items
curl -sS "$API/api/reminder/item/list" -H "x-api-key: $KEY"

# See what the sandbox provider was given
curl -sS "$API/sandbox/messages" -H "x-api-key: $KEY"

# Have message.sent delivered to a server of yours; the answer shows its signing secret, once
curl -sS "$API/v1/webhooks" -H "x-api-key: $KEY" -H 'Content-Type: application/json' \\
  -d '{{"name": "mine", "target_url": "http://127.0.0.1:9000/", "event_types": ["message.sent"]}}'"""
