"""What is told of attempts: in the words of the conventions, below the request they are made for, and nothing private."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import pytest

from gateway import traces
from gateway.attempts import traced
from gateway.fault import Fault, FaultKind, Reach
from gateway.generation import State
from gateway.traces import Parent, Side, Span, Values
from gateway.traces.span import Placed
from tests.gateway.attempts.test_hedge import ended, slow, told
from tests.harness.outage import FIRST, ORDER, Stage

REQUEST = Parent("a" * 32, "b" * 16, 1)


@dataclass
class Written:
    """What was told of one span."""

    name: str
    parent: Parent | None
    values: dict[str, Any] = field(default_factory=dict)
    failed: tuple[str, str] | None = None
    over: bool = False


class Writing(Placed):
    """A span that is written down here."""

    __slots__ = ("written",)

    def __init__(self, written: Written, number: int) -> None:
        """Write down there."""
        super().__init__(Parent(REQUEST.trace, f"{number:016x}", 1))
        self.written = written

    @property
    def is_recorded(self) -> bool:
        """Until it is over."""
        return not self.written.over

    def __enter__(self) -> Self:
        """Begin."""
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        super().__exit__(kind, error, trace)
        self.written.over = True

    def note(self, values: Values) -> None:
        """Write it down."""
        self.written.values.update({name: value for name, value in values.items() if value is not None})

    def failed(self, kind: str, said: str = "") -> None:
        """Write it down."""
        self.written.failed = (kind, said)


@pytest.fixture
def spans() -> Iterator[list[Written]]:
    """Every span that is begun."""
    found: list[Written] = []

    def begin(name: str, _side: Side, parent: Parent | None) -> Span:
        found.append(Written(name, parent))
        return Writing(found[-1], len(found))

    traces.use(begin)
    yield found
    traces.use(None)


def test_a_second_job_is_beside_the_first(spans: list[Written]) -> None:
    """Both are below the request: the second is begun from within the first, and is no part of it."""

    async def story(stage: Stage) -> None:
        spans.clear()
        with traces.begin("request", Side.SERVER, REQUEST) as request:
            record = await ended(stage, slow())
        assert record.state is State.SUCCEEDED
        first, second = sorted(
            (span for span in spans if "gateway.attempt.number" in span.values),
            key=lambda span: span.values["gateway.attempt.number"],
        )
        assert first.parent == second.parent == request.parent
        assert [span.values["gen_ai.provider.name"] for span in (first, second)] == [FIRST, ORDER[1]]
        assert [span.values.get("gateway.attempt.beside") for span in (first, second)] == [None, True]
        ends = [span.values["gen_ai.response.finish_reasons"] for span in (first, second)]
        assert ends == [["canceled"], ["stop"]]
        assert "gateway.failover.reason" not in second.values
        assert all(span.over for span in spans)

    told(story)


@pytest.mark.parametrize(("quoted", "prompts", "said"), [(False, False, "it"), (True, False, ""), (True, True, "it")])
def test_what_a_provider_says_may_repeat_the_prompt(*, quoted: bool, prompts: bool, said: str) -> None:
    """So it is told only where prompts are; our own words are always."""
    written = Written("x", None)
    traces.use(lambda *_: Writing(written, 1), prompts=prompts)
    try:
        fault = Fault(FaultKind.CONTENT_BLOCKED, Reach.REFUSED, "it", quoted=quoted)
        traced.ended(Writing(written, 1), fault.kind.value, fault)
        told = traced.asked(
            "image", "lab/model", {"prompt": "a seal", "count": 3, "seed": 7, "images": ("https://x/y",)}
        )
    finally:
        traces.use(None)
    assert written.failed == ("content_blocked", said)
    assert written.values["gen_ai.response.finish_reasons"] == ["content_filter"]
    assert ("gen_ai.input.messages" in told) is prompts
    assert (told["gen_ai.request.choice.count"], told["gen_ai.request.seed"]) == (3, 7)
    assert "https://x/y" not in str(told)
