"""Threads beside the loop, which make do with those there are when memory is too short for another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


class Threads(ThreadPoolExecutor):
    """A pool that refuses no work as long as it has a single thread: the library queues it, and then fails to begin one more."""

    def _adjust_thread_count(self) -> None:
        try:
            super()._adjust_thread_count()  # the one place where it begins them, since 3.8
        except RuntimeError:
            if not self._threads:
                raise
