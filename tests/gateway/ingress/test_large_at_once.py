"""A body that is there before its handler has had its turn."""

from __future__ import annotations

import pytest

from tests.gateway.ingress.walls import Seen, application, tell, walled


@pytest.mark.parametrize("size", [150_000, 300_000, 1_000_000])
async def test_a_body_that_comes_at_once_is_no_head(size: int) -> None:
    """S46: a body far above the limit that comes in one go is answered 413, never as a head that is too large."""
    head = b"POST /v1/take HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % size
    async with walled(application(Seen())) as port:
        for _ in range(5):
            assert (await tell(port, head + b"a" * size)).statuses == [413]
