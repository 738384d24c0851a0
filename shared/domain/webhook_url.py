"""What the text of a webhook URL alone must be: `reliability.md` c.4 of the design notes, at create and update.

Stricter than any URL library on purpose: two parsers that read one URL differently are how such guards are
passed, so everything unusual is refused and nothing is repaired.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from shared.domain.address_guard import Address, Network, may_reach

MAX_LENGTH: Final = 2048

_SPLIT: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?]*)(?P<rest>.*)", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>\d{1,5}))?")
_UNUSUAL: Final = re.compile(r"[^\x21-\x7e]|[\\\"<>^`{|}]")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_NUMERIC: Final = re.compile(r"\d+|0x[0-9a-f]*")

_LOCAL_NAMES: Final = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa"}
    | {"invalid", "onion"}
)
"""Last labels that no public name has."""

_REFUSED_PORTS: Final = frozenset(
    {0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 79, 87, 95, 110, 111, 113, 115, 119}
    | {123, 135, 137, 138, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540}
    | {548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375}
    | {2376, 2379, 2380, 3306, 3389, 3659, 4045, 4369, 5060, 5061, 5432, 5671, 5672, 5900, 6000, 6379, 6443, 6566}
    | {6665, 6666, 6667, 6668, 6669, 6697, 9042, 9092, 9200, 9300, 10250, 11211, 15672, 25672, 27017}
)
"""Ports where something else than a web server listens: an HTTP request there can be read as its commands."""


class BadUrl(Exception):
    """Why the URL is refused, in words for the caller; repeats no part of the URL."""


@dataclass(frozen=True, slots=True)
class _Parts:
    scheme: str
    host: str
    port: int | None


def check_url(url: str, allow: Collection[Network] = ()) -> None:
    """Refuse what the text alone shows to be wrong; names are judged again when they are resolved.

    `https` only, but `http` too for literal addresses inside `allow` (and for `localhost`, where `allow` has
    127.0.0.1). Raises `BadUrl` (B-149, B-151).
    """
    parts = _split(url)
    if parts.port is not None and not (0 < parts.port < 65536 and parts.port not in _REFUSED_PORTS):
        raise BadUrl("names a port that webhooks may not use")
    address = _literal(parts.host)
    if address is not None:
        if not may_reach(address, allow):
            raise BadUrl("names an address that webhooks may not reach")
        excepted = any(address in network for network in allow)
    else:
        excepted = parts.host == "localhost" and may_reach(IPv4Address("127.0.0.1"), allow)
        if not excepted:
            _check_name(parts.host)
    if parts.scheme != "https" and not excepted:
        raise BadUrl("must start with https://")


def _split(url: str) -> _Parts:
    if len(url) > MAX_LENGTH:
        raise BadUrl(f"is longer than {MAX_LENGTH} characters")
    if _UNUSUAL.search(url):
        raise BadUrl("holds a space, a backslash or a character outside ASCII; write names as xn--, paths as %")
    if "#" in url:
        raise BadUrl("has a fragment")
    split = _SPLIT.fullmatch(url)
    if split is None or split["scheme"].lower() not in {"http", "https"}:
        raise BadUrl("must start with https://")
    if "@" in split["authority"]:
        raise BadUrl("holds a user name")
    authority = _AUTHORITY.fullmatch(split["authority"])
    if authority is None or not authority["host"]:
        raise BadUrl("has no host that can be read")
    port = int(authority["port"]) if authority["port"] else None
    return _Parts(split["scheme"].lower(), authority["host"].lower(), port)


def _literal(host: str) -> Address | None:
    """The address that `host` spells, or None for a name. Only the usual spelling of an address is one."""
    try:
        if host.startswith("["):
            return IPv6Address(host[1:-1])
        if _NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]):
            return IPv4Address(host)
    except ValueError:
        raise BadUrl("names an address that cannot be read") from None
    return None


def _check_name(host: str) -> None:
    labels = host.split(".")
    if len(labels) < 2 or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("names no full host name")
    if labels[-1] in _LOCAL_NAMES:
        raise BadUrl("names a host that only exists inside a network")
