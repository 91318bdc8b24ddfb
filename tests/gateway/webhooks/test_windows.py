"""How much each endpoint is sent at once."""

from __future__ import annotations

from itertools import count

from gateway.webhooks.windows import MOST, Windows

seqs = count(1)


def succeed(windows: Windows, endpoint: str, times: int) -> None:
    """Let attempts arrive one after the other."""
    for _ in range(times):
        seq = next(seqs)
        windows.begin(endpoint, seq)
        windows.arrived(endpoint, seq)


def test_a_window_grows_with_what_arrives() -> None:
    """From what is usual it doubles to ten, and no further."""
    windows = Windows()
    assert windows.room(0).usual == 1
    found = []
    for _ in range(5):
        succeed(windows, "a", 1)
        found.append(windows.room(0).of["a"])
    assert found == [2, 4, 8, 10, 10]


def test_what_is_under_way_takes_room() -> None:
    """Each attempt under way is one less, at its endpoint and in all, and is not to be taken again."""
    windows = Windows()
    succeed(windows, "a", 1)
    windows.begin("a", 7)
    room = windows.room(0)
    assert (room.most, room.of, room.held) == (MOST - 1, {"a": 1}, {"a": {7}})
    windows.arrived("a", 7)
    assert windows.held == 0


def test_who_fails_gets_one_at_a_time_after_a_rest() -> None:
    """A failure takes the window to one and lets the endpoint rest; an arrival makes it well again."""
    windows = Windows()
    succeed(windows, "a", 5)
    windows.begin("a", 1)
    windows.failed("a", 1, rests_until=1000)
    assert windows.room(999).of == {"a": 0}
    assert (windows.is_free("a", 999), windows.is_free("a", 1000), windows.wakes(0)) == (False, True, 1000)
    assert windows.room(1000).of == {"a": 1}
    windows.begin("a", 2)
    assert windows.room(1000).of == {"a": 0}
    windows.arrived("a", 2)
    assert windows.room(1000).of == {"a": 2}


def test_all_that_fail_share_half() -> None:
    """However many endpoints fail, half of all attempts are left for those that do not."""
    windows = Windows()
    for n in range(3 * MOST):
        windows.begin(str(n), n)
        windows.failed(str(n), n, rests_until=n % 3)
    room = windows.room(10)
    assert sum(room.of.values()) == MOST // 2
    assert {int(name) % 3 for name, free in room.of.items() if free} == {0}  # who rested longest comes first
    for name in [name for name, free in room.of.items() if free]:
        windows.begin(name, int(name))
    again = windows.room(10)
    assert (sum(again.of.values()), again.most) == (0, MOST // 2)


def test_a_disabled_endpoint_begins_anew() -> None:
    """Once forgotten an endpoint rests no longer; what is under way is still counted."""
    windows = Windows()
    for seq in (1, 2):
        windows.begin("a", seq)
    windows.failed("a", 1, rests_until=9000)
    windows.forget("a")
    windows.forget("b")
    assert windows.room(0).of == {"a": 0}
    assert windows.held == 1


def test_windows_do_not_pile_up() -> None:
    """Endpoints that are well are forgotten once there are many of them."""
    windows = Windows()
    for n in range(11 * MOST):
        succeed(windows, str(n), 1)
    assert len(windows.room(0).of) <= 10 * MOST
