"""How much work one request is does not grow, is shared by many at once, and is the same beside however many that are live.

Counted and not timed, so it is the same on every machine. `python -m tests.shape` prints all of it and the bounds as they would be
taken now; SHAPE_LIVE says how many are live in the last of these tests, 20,000 where there is time for it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping

import pytest

from tests.shape import bounds, living, measuring
from tests.shape.measuring import Asked, Shape
from tests.shape.serving import Served, served

_LIVE = int(os.environ.get("SHAPE_LIVE", "2000"))


class Place:
    """A gateway that serves, and what is asked of it."""

    def __init__(self, served: Served, requests: Asked) -> None:
        self.served = served
        self.requests = requests

    @functools.cached_property
    def alone(self) -> Mapping[str, Shape]:
        """Each request, beside next to nothing."""
        return measuring.alone(self.served, self.requests)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all of these tests, for it takes as long to start as they do."""
    with served(tmp_path_factory.mktemp("shape")) as (one, far), measuring.asked(one, far) as requests:
        yield Place(one, requests)


def test_a_request_is_no_more_work_than_it_was(place: Place) -> None:
    """Calls, statements, commits, JSON, tasks and timers of one request are within their bounds."""
    said = [*bounds.broken(place.alone)]
    assert not said, "\n".join(said)


def test_many_at_once_share(place: Place) -> None:
    """Of 64 that ask at once each needs a part of the statements and commits that one alone does."""
    for request, figures in measuring.together(place.served).items():
        for figure, most in bounds.SHARED.items():
            one = place.alone[request].figures[figure]
            assert figures[figure] <= one * most, f"{request}: {figure} {figures[figure]:g} each, {one:g} alone"


def test_a_request_is_the_same_work_beside_many_that_are_live(place: Place) -> None:
    """So many rest, each keeping little, and more wait for their turn: a request calls as many functions as beside few."""
    few = place.alone
    kept = living.kept(place.served, _LIVE)
    assert kept.coroutines <= bounds.COROUTINES
    assert kept.size <= bounds.RESTING
    said = [*bounds.uneven(few, measuring.alone(place.served, place.requests))]
    assert not said, "\n".join(said)


def test_what_has_grown_is_named() -> None:
    """A request over its bound is told with the figure and with the functions that are called more often than usual."""
    request, [first, *_] = "record", bounds.BOUNDS
    usual = bounds.usual(request)
    figures = {each.figure: each.of(request) for each in bounds.BOUNDS} | {first.figure: first.of(request) + 7}
    [said] = bounds.broken({request: Shape(figures, {**usual, "gateway/new.py:added": 7})})
    assert said.startswith(f"record: {first.figure} {first.record + 7}, at most {first.record}")
    assert said.endswith("gateway/new.py:added +7")
    even = Shape(figures, usual)
    more = Shape({**figures, "calls": figures["calls"] * 1.05}, {**usual, "gateway/new.py:added": 7})
    assert not [*bounds.uneven({request: even}, {request: even})]
    assert "gateway/new.py:added +7" in next(bounds.uneven({request: even}, {request: more}))
