"""A stretch in which a job may be interrupted: by its caller who cancels, by news of it, by the end of the process."""

from __future__ import annotations

import asyncio
from types import TracebackType

from gateway.attempts.job import Job


class Rest:
    """Within it nothing is under way that has to be finished; what interrupts it goes no further.

    `with Rest(job) as may_wait:` says whether there is anything to wait for at all. A class and not a coroutine around what is
    waited for: thousands of jobs rest at the same time, and each would keep its frame.
    """

    __slots__ = ("_job",)

    def __init__(self, job: Job) -> None:
        """Let this job rest."""
        self._job = job

    def __enter__(self) -> bool:
        """Begin; False where there is a reason to go on at once. CancelledError when the process was asked to stop."""
        job = self._job
        has_reason = job.is_unwanted or job.nudged
        if job.parted and not has_reason:
            raise asyncio.CancelledError  # as if it had rested when the process was asked to stop
        job.resting = True
        return not has_reason

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        """End; a cancellation that only wakes the job ends here."""
        job = self._job
        wakes = kind is not None and issubclass(kind, asyncio.CancelledError) and (job.is_unwanted or job.nudged)
        if wakes:
            task = asyncio.current_task()
            assert task is not None
            if task.uncancel() and not job.is_unwanted:
                wakes = False  # the process stops; a nudge at the same moment changes nothing
        job.resting = job.nudged = False
        return wakes
