"""Which addresses a webhook may reach: our own table, because the standard library's answers have holes.

`ipaddress` calls multicast, NAT64, 6to4 and Azure's 168.63.129.16 global, and 100.64.0.0/10 not private. So the
rule is the other way about and fails closed: IPv4 is refused where the table says so, IPv6 is refused unless it
is global unicast outside the table, and whatever cannot be read is refused. Used twice: on the text of an URL
when an endpoint is created or changed (`webhook_url`), and on every address at the moment of connecting.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_REFUSED_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; a cloud's metadata lives at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, public by class
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

_GLOBAL_V6: Final = IPv6Network("2000::/3")

_REFUSED_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo and ORCHID among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: whatever IPv4 address it wraps
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)

_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")


def may_reach(address: str | Address, allow: Iterable[Network] = ()) -> bool:
    """Whether a webhook may connect to `address`, text or parsed; `allow` are the deployment's own exceptions.

    Text that is no plain address, such as one with a zone index, is refused.
    """
    try:
        parsed = _unwrapped(ip_address(address))
    except ValueError:
        return False
    return any(parsed in network for network in allow) or _is_public(parsed)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped or NAT64 one: that is where the packets would go."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None or address not in _GLOBAL_V6:
        return False
    return not any(address in network for network in _REFUSED_V6)
