"""Every option of a deployment, from the environment or a `.env`: name, default and a sentence.

Providers' own settings stand beside each provider in `services/dispatcher/providers`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.domain.account import CatchUp, OnUnknown, Policy
from shared.domain.provider import ProviderName
from shared.domain.recipient import Channel, is_region

NEEDS_DATABASE: Final = "DATABASE_URL: required here; only `belltower up` can start a database of its own"
NEEDS_BROKER: Final = "BUS_URL: memory:// carries messages within one process; services on their own need amqp://"


def _longer_than(other: str) -> Callable[[float, ValidationInfo], float]:
    """A lease that ends while its call is still allowed to run would have the call repeated beside itself."""

    def check(lease: float, read: ValidationInfo) -> float:
        if other in read.data and lease <= read.data[other]:
            raise ValueError(f"must be longer than BELLTOWER_{other.upper()}")
        return lease

    return check


class BadSettings(Exception):
    """Names each wrong or missing key with what is expected, and never a value."""


def _networks(text: str) -> str:
    try:
        for network in filter(None, (part.strip() for part in text.split(","))):
            _network(network)
    except ValueError:
        # The library's own message repeats the value.
        raise ValueError("each is an address range such as 10.0.0.0/8 or fd00::/8") from None
    return text


def _region(text: str) -> str:
    if not is_region(text):
        raise ValueError("two capital letters of a country, such as US")
    return text


def _network(text: str) -> IPv4Network | IPv6Network:
    return IPv6Network(text) if ":" in text else IPv4Network(text)


def _parsed_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    try:
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("an address such as https://bell.example.com, without a query")
    return url.rstrip("/")


def _bus_scheme(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("memory://", "amqp://", "amqps://")):
        raise ValueError("starts with memory://, amqp:// or amqps://")
    return _with_a_port(url)


def _database_scheme(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("starts with postgresql://")
    return _with_a_port(url)


def _with_a_port(url: SecretStr) -> SecretStr:
    """A driver would find this out while it connects, where it looks like a server that is away."""
    try:
        _ = urlsplit(url.get_secret_value()).port
    except ValueError:
        raise ValueError("is no URL: special characters of a password are written as %40, %2F, …") from None
    return url


class Settings(BaseSettings):
    """What every service reads at its start."""

    model_config = SettingsConfigDict(
        env_prefix="BELLTOWER_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    database_url: Annotated[SecretStr, AfterValidator(_database_scheme)] | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="The Postgres to use; empty lets `belltower up` start a private one in the data folder.",
    )
    bus_url: Annotated[SecretStr, AfterValidator(_bus_scheme)] = Field(
        SecretStr("memory://"),
        validation_alias="BUS_URL",
        description="amqp:// for RabbitMQ; memory:// only where all four services run in one process.",
    )
    data_dir: Path = Field(Path(".data"), description="Where `belltower up` keeps its database and its keys.")
    master_key: SecretStr | None = Field(
        None,
        description="32 bytes in base64 that encrypt signing secrets at rest; several, newest first, joined by commas. "
        "`belltower up` makes one and keeps it in the data folder.",
    )

    api_host: str = Field("127.0.0.1", description="The address that the API listens on.")
    api_port: int = Field(8080, ge=0, le=65535, description="The API's port; 0 takes any free one.")
    public_url: Annotated[str, AfterValidator(_http_url)] | None = Field(
        None,
        description="Where the API is found from outside, such as https://bell.example.com; providers report to "
        "/callbacks/… below it what became of messages.",
    )
    ops_host: str = Field("127.0.0.1", description="The address for probes and metrics; keep it off the public side.")
    ops_port: int = Field(8081, ge=0, le=65535, description="The port of /livez, /readyz and /metrics; 0 takes any.")
    rate_limit: float = Field(
        1000.0,
        ge=0,
        le=1_000_000,
        description="Requests a second that one key may send to one process of the API, five seconds' worth at once; "
        "more are answered 429. 0 sets no limit.",
    )
    failed_logins: float = Field(
        300.0,
        ge=0,
        le=1_000_000,
        description="Requests a minute without a valid key that one address may send to one process of the API; more "
        "are answered 429, those with a valid key are not. 0 sets no limit.",
    )
    trusted_proxies: Annotated[str, AfterValidator(_networks)] = Field(
        "",
        description="Address ranges of the proxies in front, joined by commas: only from these is X-Forwarded-For "
        "believed.",
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="How log lines look; `belltower up` writes console unless this is set."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The lowest level logged.")
    pool_size: int = Field(10, ge=2, le=200, description="Postgres connections of one process, at the most.")

    provider: ProviderName = Field(
        ProviderName.SANDBOX, description="The provider of every channel that names none of its own."
    )
    provider_sms: ProviderName | None = Field(None, description="The provider of SMS.")
    provider_whatsapp: ProviderName | None = Field(None, description="The provider of WhatsApp messages.")
    provider_email: ProviderName | None = Field(None, description="The provider of e-mail.")
    provider_timeout: float = Field(10.0, gt=0, le=20, description="Seconds that one call of a provider may take.")
    send_concurrency: int = Field(100, ge=1, le=2000, description="Provider calls that one dispatcher makes at once.")

    grace: timedelta = Field(
        timedelta(hours=1),
        gt=timedelta(0),
        description="How late a send may still go out; an older one expires. Written PT1H or 01:00:00.",
    )
    catch_up: CatchUp | None = Field(
        None, description="Which missed sends go out late; empty: the schedule's own rule."
    )
    on_unknown: OnUnknown = Field(
        OnUnknown.PARK, description="A send whose answer was lost, at a provider without keys: park it, or retry it."
    )
    lease: Annotated[float, AfterValidator(_longer_than("provider_timeout"))] = Field(
        30.0, ge=1, le=600, description="Seconds that a worker may hold a send before it is rescued."
    )
    rescue_every: float = Field(5.0, gt=0, le=60, description="Seconds between looks for leases that ran out.")
    claim_batch: int = Field(500, ge=1, le=5000, description="Sends that one claim takes at the most.")

    phone_region: Annotated[str, AfterValidator(_region)] = Field(
        "US", description="The country whose numbers need no code at the appointments door: two letters of ISO 3166."
    )

    allow_past_dates: bool = Field(
        False,
        description="Whether the CRM door takes a single date that is over; it expires unless it is within the grace.",
    )

    webhook_allow: Annotated[str, AfterValidator(_networks)] = Field(
        "", description="Address ranges that webhooks may reach although private, joined by commas."
    )
    webhook_concurrency: int = Field(200, ge=1, le=2000, description="Webhook POSTs that one process makes at once.")
    webhook_timeout: float = Field(15.0, gt=0, le=60, description="Seconds that one webhook POST may take.")
    webhook_lease: Annotated[float, AfterValidator(_longer_than("webhook_timeout"))] = Field(
        60.0, ge=2, le=600, description="Seconds that a webhook attempt may be held."
    )

    drain: float = Field(11.0, ge=0, le=300, description="Seconds that a stop waits for work under way.")
    readiness_delay: float = Field(
        3.0, ge=0, le=60, description="Seconds between readiness going off and the end of listening."
    )

    @property
    def on_memory_bus(self) -> bool:
        """Whether messages stay within this process."""
        return self.bus_url.get_secret_value().startswith("memory://")

    def providers(self) -> dict[Channel, ProviderName]:
        """The name of each channel's provider."""
        return {
            Channel.SMS: self.provider_sms or self.provider,
            Channel.WHATSAPP: self.provider_whatsapp or self.provider,
            Channel.EMAIL: self.provider_email or self.provider,
        }

    def policy(self) -> Policy:
        """What reminders fall back to where neither they, nor their configuration or account say otherwise."""
        return Policy(self.grace, self.catch_up, self.on_unknown)

    def webhook_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The private ranges that webhooks may reach all the same."""
        return _parsed_networks(self.webhook_allow)

    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Whose word about a caller's address is taken."""
        return _parsed_networks(self.trusted_proxies)


_LENGTH: Final = "must be a length of time, such as PT1H or 01:00:00"


def read_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises `BadSettings`."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        raise BadSettings(describe(error, Settings)) from None


def describe(error: ValidationError, settings: type[BaseSettings]) -> str:
    """One line for each wrong key: its environment name and what is expected, never its value."""
    prefix = settings.model_config.get("env_prefix", "")
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = str(problem["loc"][0]) if problem["loc"] else "?"
        name = key if key.isupper() else f"{prefix}{key}".upper()
        expected = _LENGTH if problem["type"].startswith("time_delta") else problem["msg"]
        lines.append(f"{name}: {expected}")
    return "\n".join(lines)
