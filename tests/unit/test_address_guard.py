"""Every address, range, name and trick of the SSRF list, in the text of a URL and as an address to connect to."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.address_guard import may_reach
from shared.domain.webhook_url import BadUrl, check_url

LITERALS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0177.0.0.1",
    "0x7f000001",
    "0",
    "0.0.0.0",  # noqa: S104  a target, not a binding
    "0x7f.1",
    "127.0.0.1.",
    "1.2.3",
    "256.256.256.256",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[fe80::1%25lo]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "[v1.x]",
    "[]",
    "[::1",
]

RANGES = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "0.0.0.0/8",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "100.100.100.200/32",
    "169.254.169.254/32",
    "169.254.170.2/32",
    "192.0.0.192/32",
    "fd00:ec2::254/128",
    "ff00::/8",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "100::/64",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "::/96",
    "2002::/16",
    "2001::/32",
    "64:ff9b:1::/48",
    "::ffff:10.0.0.0/104",
    "64:ff9b::a00:0/104",
    "::1/128",
    "::/128",
]

NAMES = [
    "localhost",
    "localhost.",
    "a.localhost",
    "metadata.google.internal",
    "metadata",
    "printer.local",
    "intranet",
    "host.docker.internal",
    "example.com.",
    "a..b.com",
    "-a.com",
    "a-.com",
    ".com",
    "example",
    "router.lan",
    "db.home.arpa",
    "exämple.com",
    "%65xample.com",
]

TRICKS = [
    "https://user:pw@example.com/",
    "https://user@example.com/",
    "http://127.0.0.1%2f@evil.example/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com\\.evil.example/",
    *(f"https://example.com:{port}/" for port in (0, 22, 25, 5432, 5672, 6379, 15672, 65536, 99999)),
    "https://example.com:x/",
    "https://example.com/#fragment",
    "https://example.com/" + "x" * 2048,
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://example.com/",
    "unix:///var/run/docker.sock",
    "https://example.com/a\r\nHost: evil",
    "https://example.com/a b",
    "http://a b/",
    "https://",
    "https:///path",
    "https:example.com",
    "//example.com/",
    "example.com",
    "",
    " https://example.com/",
    "https://example.com/\x00",
    "https://" + "a" * 64 + ".com/",
    "https://" + ".".join(["a" * 60] * 5) + ".com/",
    "http://example.com/",
    "http://93.184.216.34/",
]


@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_b_151_literals_are_refused(literal: str, scheme: str) -> None:
    with pytest.raises(BadUrl):
        check_url(f"{scheme}://{literal}/hook")


@pytest.mark.parametrize("network", RANGES)
def test_b_151_ranges_are_refused_from_end_to_end(network: str) -> None:
    found = IPv6Network(network) if ":" in network else IPv4Network(network)
    for address in (found[0], found[-1], found[found.num_addresses // 2]):
        assert not may_reach(address)
        assert not may_reach(str(address))


@pytest.mark.parametrize("name", NAMES)
def test_b_151_names_that_only_exist_inside_are_refused(name: str) -> None:
    with pytest.raises(BadUrl):
        check_url(f"https://{name}/")


@pytest.mark.parametrize("url", TRICKS)
def test_b_151_tricks_are_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/webhook",
        "https://example.com",
        "HTTPS://Example.COM:8443/a/b?c=d%20e&f=%0d%0a",
        "https://xn--exmple-cua.com/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
        "https://a_b.example.co.uk/",
    ],
)
def test_b_149_usual_urls_pass(url: str) -> None:
    check_url(url)


def test_http_only_for_addresses_that_the_deployment_allows() -> None:
    """B-151: `http` for a literal inside the exception, `localhost` where that holds 127.0.0.1, never else."""
    allow = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    for url in ("http://127.0.0.1:9000/x", "http://localhost:9000/", "http://[::1]/", "https://127.0.0.1/"):
        check_url(url, allow)
    for url in (
        "http://10.0.0.1/",
        "http://example.com/",
        "http://127.1/",
        "http://user@127.0.0.1/",
        "http://a.localhost/",
    ):
        with pytest.raises(BadUrl):
            check_url(url, allow)
    assert may_reach("::ffff:127.0.0.1", allow)
    assert not may_reach("10.0.0.1", allow)


@pytest.mark.parametrize("text", ["", "x", "fe80::1%lo", "93.184.216.034", "93.184.216.34 ", "2130706433"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    assert not may_reach(text)


@given(st.integers(0, 2**32 - 1))
def test_wrapping_an_address_never_makes_it_reachable(number: int) -> None:
    address = IPv4Address(number)
    wrapped = [f"::ffff:{address}", f"64:ff9b::{address}"]
    assert {may_reach(text) for text in wrapped} == {may_reach(address)}
    assert not may_reach(f"::{address}")
    assert not may_reach(ip_address((0x2002 << 112) | number << 80))
    if address.is_private or address.is_multicast or address.is_reserved or address.is_loopback:
        assert not may_reach(address)


@given(st.text(max_size=60))
def test_any_text_is_judged_and_never_breaks(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}/", f"https://example.com{text}"):
        with contextlib.suppress(BadUrl):
            check_url(url)


def test_a_refusal_repeats_no_part_of_the_url() -> None:
    with pytest.raises(BadUrl) as refused:
        check_url("https://user:hunter2@example.com/")
    assert "hunter2" not in str(refused.value)
