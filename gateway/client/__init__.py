"""A typed client of the native API, for programs that use a gateway: `Client` blocks, `AsyncClient` is awaited.

    with Client("http://127.0.0.1:8080", key) as gateway:
        made = gateway.run("bytedance/seedream-4.5", prompt="a baby seal", ratio="16:9")
        gateway.save(made, Path("seals"))

- `client`, `awaiting`   the two clients: each sends, waits and writes files, and decides nothing
- `flows`, `downloads`   what is done step by step, the same for both: repeat, poll, save
- `steps`                the steps they ask for, and what they hear
- `wanted`, `calls`      what can be asked for, and the requests that ask
- `replies`              what an answer says
- `retries`              whether to ask again, and after which pause
- `records`, `errors`    what callers get
- `hooks`                webhooks: is this delivery the gateway's own, and what does it say

Who calls it: nobody here but `tidegate generate`, if at all; it imports nothing else of the package, and aiohttp only with `AsyncClient`.

Decided because
- A call that may cost money has an Idempotency-Key of its own unless the caller brings one, so that a repeat joins what was begun.
- What is done is a generator that asks for one step at a time: neither client can differ from the other in what it decides.
- Amounts are decimals and moments have a zone: a float or a bare time would be a trap for whoever adds them up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.client.client import Client
from gateway.client.errors import (
    DownloadError,
    GatewayError,
    GenerationCanceledError,
    GenerationFailedError,
    RefusedError,
    SignatureError,
    UnreachableError,
    UnreadableError,
    WaitTimeoutError,
)
from gateway.client.hooks import Event, verify
from gateway.client.records import (
    Accepted,
    Adjustment,
    Attempt,
    Canceled,
    Estimate,
    Fault,
    Generation,
    Model,
    Page,
    Saved,
    Status,
)
from gateway.client.retries import Retries

if TYPE_CHECKING:
    from gateway.client.awaiting import AsyncClient

__all__ = [
    "Accepted",
    "Adjustment",
    "AsyncClient",
    "Attempt",
    "Canceled",
    "Client",
    "DownloadError",
    "Estimate",
    "Event",
    "Fault",
    "GatewayError",
    "Generation",
    "GenerationCanceledError",
    "GenerationFailedError",
    "Model",
    "Page",
    "RefusedError",
    "Retries",
    "Saved",
    "SignatureError",
    "Status",
    "UnreachableError",
    "UnreadableError",
    "WaitTimeoutError",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load the client on aiohttp when somebody asks for it: it is most of what there is to import."""
    if name == "AsyncClient":
        from gateway.client.awaiting import AsyncClient  # noqa: PLC0415 - see above

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
