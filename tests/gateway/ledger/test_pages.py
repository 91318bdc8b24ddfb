"""Pages of an account's generations, however deep."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ledger import generations
from gateway.ledger.usage import DAY

# When each was made, in order: several a day, some days without, two in one moment.
MADE = [0, 5, 5, DAY - 1, DAY, DAY + 7, 4 * DAY, 4 * DAY + 1, 9 * DAY]


@pytest.fixture
async def names(desk: Any) -> list[str]:
    """What is there of one account, newest first; one is deleted, and another account has some of its own."""
    for number, created in enumerate(MADE):
        await desk.accept(f"g{number}", created=created, price=1)
    await desk.store.write(generations.cancel("acme", "g4", 10 * DAY))
    await desk.store.write(generations.delete("acme", "g4", 10 * DAY))
    return [f"g{number}" for number in reversed(range(len(MADE))) if number != 4]


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_a_page_at_any_depth_is_a_part_of_the_whole(desk: Any, names: list[str], limit: int) -> None:
    """Whatever is passed over, the page begins right behind it."""
    for offset in range(len(names) + 2):
        rows, total = await desk.store.read(generations.page("acme", limit, offset))
        assert ([row.id for row in rows], total) == (names[offset : offset + limit], len(names))


@pytest.mark.parametrize("before", [0, 1, 5, 6, DAY - 1, DAY, DAY + 1, 4 * DAY, 4 * DAY + 1, 5 * DAY, 20 * DAY])
async def test_pages_before_a_moment(desk: Any, names: list[str], before: int) -> None:
    """Counted from a moment in the middle of a day, only what was made before it is there and passed over."""
    earlier = [name for name in names if MADE[int(name[1:])] < before]
    for offset in range(len(earlier) + 2):
        rows, _ = await desk.store.read(generations.page("acme", 2, offset, before))
        assert [row.id for row in rows] == earlier[offset : offset + 2]


async def test_a_stranger_has_none(desk: Any, names: list[str]) -> None:
    """Neither on the first page nor behind it."""
    assert names
    assert await desk.store.read(generations.page("nobody", 5, 0)) == ([], 0)
    assert await desk.store.read(generations.page("nobody", 5, 3)) == ([], 0)
