"""First attempts made ready before their generations are accepted."""

from __future__ import annotations

import asyncio

from gateway.outcome import AttemptState
from tests.gateway.attempts.test_breakers_walked import told
from tests.harness.outage import Stage


def test_a_stop_waits_for_what_was_made_ready() -> None:
    """Work that is being accepted as the process stops is sent: on disk and never sent, nobody could tell whether it was."""

    async def story(stage: Stage) -> None:
        asking = [asyncio.ensure_future(stage.one()) for _ in range(3)]
        await stage.rest(0.0001)
        await stage.runs.drain()
        found = [await stage.record(each) for each in await asyncio.gather(*asking) if isinstance(each, str)]
        assert len(found) == 3
        states = [attempt.state for record in found for attempt in record.attempts]
        assert len(states) == 3
        assert AttemptState.SUBMITTING not in states

    told(story)


def test_a_flood_takes_its_turns() -> None:
    """No more than so many are made ready at the same time; what else comes is accepted first, and all of it is done."""

    async def story(stage: Stage) -> None:
        found = await asyncio.gather(*(stage.one() for _ in range(150)))
        records = [await stage.record(each) for each in found if isinstance(each, str)]
        begun = sum(bool(record.attempts) for record in records)
        assert 0 < begun < len(records) == 150
        await stage.over(600)
        assert {(await stage.record(each.id)).state.value for each in records} == {"succeeded"}

    told(story)
