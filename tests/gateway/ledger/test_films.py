"""Lists of videos alone, from one that is known to those beyond."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.generation import Kind
from gateway.ledger import films, generations


async def _made(desk: Any, *names: str, created: int = 100, kind: Kind = Kind.VIDEO) -> None:
    for name in names:
        await desk.accept(name, kind=kind, created=created, price=1)


async def _page(desk: Any, after: str | None, limit: int, *, is_rising: bool = False, account: str = "acme") -> Any:
    found = await desk.store.read(films.page(account, after, limit, is_rising=is_rising))
    return None if found is None else [record.id for record in found]


@pytest.mark.parametrize("is_rising", [True, False])
async def test_pages_join_without_a_gap(desk: Any, is_rising: bool) -> None:  # noqa: FBT001 - both directions of one test
    """Walked page by page, each from the last of the one before, every video is met once, even those of one moment."""
    await _made(desk, "a", "b", "c")
    await _made(desk, "picture", kind=Kind.IMAGE)
    await _made(desk, "d", "e", created=200)
    met: list[str] = []
    while found := await _page(desk, met[-1] if met else None, 2, is_rising=is_rising):
        met += found
    assert met == (["a", "b", "c", "d", "e"] if is_rising else ["e", "d", "c", "b", "a"])


async def test_what_was_deleted_keeps_its_place(desk: Any) -> None:
    """A page goes on after a video that is gone, and does not show it."""
    await _made(desk, "a", "b", "c")
    for name in ("a", "b"):
        await desk.store.write(generations.cancel("acme", name, 300))
    await desk.store.write(generations.delete("acme", "b", 400))
    assert await _page(desk, None, 9) == ["c", "a"]
    assert await _page(desk, "b", 9) == ["a"]
    assert await _page(desk, "b", 9, is_rising=True) == ["c"]


async def test_nobody_pages_from_what_is_not_theirs(desk: Any) -> None:
    """A picture, an unknown id and a video of another account are no place to go on from."""
    await _made(desk, "a")
    await _made(desk, "picture", kind=Kind.IMAGE)
    assert await _page(desk, "picture", 9) is None
    assert await _page(desk, "nobody", 9) is None
    assert await _page(desk, "a", 9, account="other") is None
    assert await _page(desk, None, 9, account="other") == []


async def test_outputs_come_along(desk: Any) -> None:
    """A video that has its file shows it in a list."""
    await desk.done("a", kind=Kind.VIDEO)
    await _made(desk, "b")
    found = await desk.store.read(films.page("acme", None, 9, is_rising=True))
    assert [len(record.artifacts) for record in found] == [1, 0]
