"""Who waits, and who is closed for it: by hand-made connections and times."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingress.waiting import Waiting
from gateway.ingress.watch import ANSWER, HEAD, LEAVING, SLOWEST, Watch
from tests.clock import VirtualClock


@dataclass(eq=False)
class One:
    """A connection that notes what is done to it."""

    done: list[str] = field(default_factory=list)
    taken: int = 0

    def late(self) -> None:
        """Note it."""
        self.done.append("late")

    def dismiss(self) -> None:
        """Note it."""
        self.done.append("dismissed")

    def cut(self) -> None:
        """Note it."""
        self.done.append("cut")

    def moved(self) -> int:
        """What the test says."""
        return self.taken


@given(
    st.lists(st.tuples(st.sampled_from(["enter", "leave", "over"]), st.integers(0, 5), st.floats(0, 5)), max_size=60)
)
def test_the_longest_waiting_are_over_first(steps: list[tuple[str, int, float]]) -> None:
    """Whoever entered and did not leave is over once its time has passed, not before, and only once."""
    waiting: Waiting[int] = Waiting(10)
    model: dict[int, float] = {}
    now = 0.0
    for what, who, later in steps:
        now += later
        match what:
            case "enter":
                waiting.enter(who, now)
                model[who] = now
            case "leave":
                waiting.leave(who)
                model.pop(who, None)
            case _:
                late = {each for each, since in model.items() if now - since >= 10}
                found = waiting.over(now)
                assert set(found) == late
                assert [model[each] for each in found] == sorted(model[each] for each in found)
                model = {each: since for each, since in model.items() if each not in late}
        assert len(waiting) == len(model)
        assert all(each in waiting for each in model)


async def test_each_state_has_its_limit() -> None:
    """A head, a rest and a farewell have their times; a request under way has none."""
    clock = VirtualClock()
    watch = Watch(clock, idle=75)
    head, rest, works, gone = One(), One(), One(), One()
    watch.begins(head)
    watch.rests(rest)
    watch.begins(works)
    watch.works(works)
    watch.leaves(gone)
    for at, expected in ((LEAVING, "cut"), (HEAD, "late"), (75.0, "dismissed")):
        watch.look(at - 0.1)
        one = {"cut": gone, "late": head, "dismissed": rest}[expected]
        assert one.done == []
        watch.look(at)
        assert one.done == [expected]
    watch.look(10_000)
    assert works.done == []


async def test_the_rate_of_taking_is_measured_over_its_time() -> None:
    """Whoever takes as much as the least rate wants goes on, and is cut in the first stretch in which it does not."""
    watch, one = Watch(VirtualClock(), idle=75), One()
    watch.writes(one)
    one.taken = int(SLOWEST * ANSWER)
    watch.look(ANSWER)
    one.taken += int(SLOWEST * ANSWER) - 1
    watch.look(2 * ANSWER - 1)
    assert one.done == []
    watch.look(2 * ANSWER)
    assert one.done == ["cut"]


async def test_whoever_is_gone_is_not_looked_at() -> None:
    """A connection that ended is in no queue any more."""
    watch, one = Watch(VirtualClock(), idle=75), One()
    watch.begins(one)
    watch.writes(one)
    watch.leaves(one)
    watch.gone(one)
    watch.look(10_000)
    assert one.done == []


async def test_room_is_made_by_those_who_wait_longest() -> None:
    """Who is late with a head goes first, then who rests; whoever came just now or has a request under way stays."""
    clock = VirtualClock()
    watch = Watch(clock, idle=75)
    late, rest, works = [One() for _ in range(100)], One(), One()
    for each in (*late, rest, works):
        watch.begins(each)
    watch.rests(rest)
    watch.works(works)
    assert watch.relieve() == 0
    await clock.advance(6)
    fresh = One()
    watch.begins(fresh)
    assert watch.relieve() == 64
    assert [each.done for each in late] == [["cut"]] * 64 + [[]] * 36
    assert (watch.relieve(), watch.relieve(), watch.relieve()) == (36, 1, 0)
    assert rest.done == ["cut"]
    assert works.done == fresh.done == []


def test_an_address_is_counted_by_its_neighbourhood() -> None:
    """One IPv4 address, or 64 bits of IPv6, has so many; this machine and those who are exempt have any number."""
    watch = Watch(VirtualClock(), idle=75, most=2, exempt=(ip_network("10.0.0.0/8"),))
    names = [watch.enter(ip_address(f"2001:db8::{n}")) for n in range(3)]
    assert names == ["2001:db8::/64", "2001:db8::/64", None]
    watch.leave("2001:db8::/64")
    assert watch.enter(ip_address("2001:db8::9")) == "2001:db8::/64"
    assert watch.enter(ip_address("2001:db8:0:1::9")) == "2001:db8:0:1::/64"
    for free in ("127.0.0.1", "::1", "10.1.2.3"):
        assert [watch.enter(ip_address(free)) for _ in range(5)] == [""] * 5
    assert watch.enter(None) == ""
