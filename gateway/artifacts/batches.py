"""A source's bytes in batches that are worth the hop to a thread."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from gateway.artifacts.fault import OutputFault

BATCH = 1024 * 1024  # bytes handed to a thread at once; three batches are held for each output in flight
_FEW = 64  # pieces that a thread takes one by one; more of them cost it more than joining them


async def batches(source: AsyncIterator[bytes], limit: int) -> AsyncGenerator[Sequence[bytes], None]:
    """Gather the source into batches of at least `BATCH` bytes, the last one excepted; stops it beyond `limit` bytes (OutputFault).

    A batch is the pieces as they came: where they are large, they are not copied.
    """
    gathered: list[bytes] = []
    waiting = total = 0
    async for chunk in source:
        total += len(chunk)
        if total > limit:
            raise OutputFault("too_large", f"the output is more than {limit} bytes", retryable=False)
        gathered.append(chunk)
        waiting += len(chunk)
        if waiting >= BATCH:
            yield _batch(gathered)
            gathered, waiting = [], 0
    if waiting:
        yield _batch(gathered)


def _batch(pieces: Sequence[bytes]) -> Sequence[bytes]:
    return pieces if len(pieces) <= _FEW else [b"".join(pieces)]
