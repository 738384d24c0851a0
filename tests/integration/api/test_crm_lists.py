"""The CRM door's lists: pages with links and figures, in the order of creation (B-185 to B-190)."""

from __future__ import annotations

import json

import pytest
from integration.api.conftest import Door
from integration.api.crm_tools import a_contact, a_reminder, error_of, give_owner

from services.api.dialects.crm.pages import Asked


@pytest.fixture
async def crm(door: Door) -> Door:
    await give_owner(door)
    return door


async def test_b_186_a_page_has_data_links_and_meta(crm: Door) -> None:
    """B-185, B-189: ten unless said otherwise, oldest first."""
    contact = await a_contact(crm)
    made = [(await a_reminder(crm, contact, title=f"{n}"))["id"] for n in range(22)]
    assert made == sorted(made)
    base = str(crm.client.make_url("/api/reminders"))
    status, first = await crm.call("GET", "/api/reminders/")
    assert status == 200
    assert set(first) == {"data", "links", "meta"}
    assert [r["id"] for r in first["data"]] == made[:10]
    assert first["links"] == {
        "first": f"{base}?page=1",
        "last": f"{base}?page=3",
        "prev": None,
        "next": f"{base}?page=2",
    }
    assert first["meta"] == {
        "current_page": 1,
        "from": 1,
        "last_page": 3,
        "path": base,
        "per_page": 10,
        "to": 10,
        "total": 22,
    }
    _, last = await crm.call("GET", first["links"]["last"].removeprefix(str(crm.client.make_url("/")).rstrip("/")))
    assert [r["id"] for r in last["data"]] == made[20:]
    assert (last["links"]["prev"], last["links"]["next"]) == (f"{base}?page=2", None)
    assert (last["meta"]["from"], last["meta"]["to"]) == (21, 22)
    _, some = await crm.call("GET", "/api/reminders?limit=5&page=2")
    assert [r["id"] for r in some["data"]] == made[5:10]
    assert some["links"]["next"] == f"{base}?page=3&limit=5"


async def test_b_186_links_are_those_of_the_proxy_in_front(crm: Door) -> None:
    headers = {"X-Forwarded-Proto": "https", "Host": "bell.example.com"}
    _, body = await crm.call("GET", "/api/reminders", headers=headers)
    assert body["links"]["first"] == "https://bell.example.com/api/reminders?page=1"
    for host in ("a b", "[", "x:y", ""):
        status, _ = await crm.call("GET", "/api/reminders", headers={"Host": host, "X-Forwarded-Proto": "gopher"})
        assert status in {200, 400}


async def test_b_187_a_page_of_more_text_than_an_answer_should_hold_is_refused(crm: Door) -> None:
    contact = await a_contact(crm)
    for _ in range(11):
        await a_reminder(crm, contact)
    await crm.execute("update reminders set text = repeat('x', 4900000)")
    assert error_of(await crm.call("GET", f"/api/contacts/{contact}/reminders?limit=11")) == (400, 30)
    assert (await crm.call("GET", "/api/reminders?limit=2"))[0] == 200


async def test_b_187_more_than_a_hundred_at_once_are_refused(crm: Door) -> None:
    for limit in ("101", "9" * 30):
        for path in ("/api/reminders", "/api/contacts"):
            answer = await crm.call("GET", f"{path}?limit={limit}")
            assert error_of(answer) == (400, 30)
    assert (await crm.call("GET", "/api/reminders?limit=100"))[1]["meta"]["per_page"] == 100


async def test_b_188_a_page_beyond_the_last_is_empty(crm: Door) -> None:
    contact = await a_contact(crm)
    await a_reminder(crm, contact)
    for path in ("/api/reminders", "/api/contacts", f"/api/contacts/{contact}/reminders"):
        for page in ("2", "999999999"):
            status, body = await crm.call("GET", f"{path}?page={page}")
            assert (status, body["data"]) == (200, [])
            assert (body["meta"]["from"], body["meta"]["to"], body["meta"]["total"]) == (None, None, 1)
            assert body["links"]["next"] is None
            assert body["links"]["prev"].endswith("?page=1")


async def test_b_186_an_empty_list_has_one_page(crm: Door) -> None:
    _, body = await crm.call("GET", "/api/reminders")
    assert (body["data"], body["meta"]["last_page"], body["meta"]["from"]) == ([], 1, None)
    assert (body["links"]["prev"], body["links"]["next"]) == (None, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=ten", "page=0", "page=-1", "page=1.5", "limit=", "page=1&page=2"])
async def test_b_199_a_page_that_is_none_is_refused(crm: Door, query: str) -> None:
    assert error_of(await crm.call("GET", f"/api/reminders?{query}")) == (422, 32)


async def test_b_190_a_contacts_reminders_are_its_own(crm: Door) -> None:
    jean, cosette = await a_contact(crm), await a_contact(crm, first_name="Cosette")
    made = [(await a_reminder(crm, who))["id"] for who in (jean, cosette, jean)]
    status, body = await crm.call("GET", f"/api/contacts/{jean}/reminders/")
    assert (status, [r["id"] for r in body["data"]]) == (200, [made[0], made[2]])
    assert body["meta"]["path"].endswith(f"/api/contacts/{jean}/reminders")
    for unknown in ("999999", "0", "-1", "jean", "9" * 40):
        answer = await crm.call("GET", f"/api/contacts/{unknown}/reminders")
        assert error_of(answer) == (404, 31)


async def test_a_list_takes_the_same_number_of_statements_however_long_it_is(
    crm: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B-180: every reminder has its contact inside; they are read together."""
    from shared.store import contacts, numbered  # noqa: PLC0415

    counted: list[str] = []
    for module, name in ((contacts, "read"), (contacts, "find"), (numbered, "page"), (numbered, "get")):
        plain = getattr(module, name)

        def spy(*given: object, _plain=plain, _name=name, **named: object):  # type: ignore[no-untyped-def]
            counted.append(_name)
            return _plain(*given, **named)

        monkeypatch.setattr(module, name, spy)
    for n in range(5):
        await a_reminder(crm, await a_contact(crm, first_name=f"{n}"))
    counted.clear()
    _, body = await crm.call("GET", "/api/reminders")
    assert [r["contact"]["first_name"] for r in body["data"]] == list("01234")
    assert sorted(counted) == ["page", "read"]


async def test_contacts_are_listed_oldest_first_whichever_door_they_came_in_by(crm: Door) -> None:
    first = await a_contact(crm)
    await crm.call("POST", "/v1/contacts", {"email": "cosette@example.com", "first_name": "Cosette"})
    _, body = await crm.call("GET", "/api/contacts")
    assert [c["first_name"] for c in body["data"]] == ["Jean", "Cosette"]
    assert body["data"][0]["id"] == first
    assert body["meta"]["total"] == 2


def test_b_186_links_hold_no_word_of_the_callers_but_the_limit() -> None:
    asked = Asked("http://x/api/reminders", 2, 50, size_given=True)
    assert "page=3&limit=50" in json.dumps(asked.links(1_000))
