"""The duties that run beside the doors."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from services.api.serve import AFTER_A_BUG, _unbroken
from shared.store.database import DatabaseAway


async def test_a_duty_that_breaks_is_counted_and_tried_again() -> None:
    async def breaks() -> float:
        raise KeyError("a bug")

    assert await _unbroken("a duty", breaks)() == AFTER_A_BUG
    assert REGISTRY.get_sample_value("belltower_duties_broken_total", {"duty": "a duty"}) == 1


async def test_an_outage_of_the_database_is_no_bug() -> None:
    async def away() -> float:
        raise DatabaseAway("away")

    with pytest.raises(DatabaseAway):
        await _unbroken("advancing", away)()
