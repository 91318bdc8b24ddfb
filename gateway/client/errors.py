"""What goes wrong for a caller. Each says in `retryable` whether the same asked again may go well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.client.records import Fault, Generation


class GatewayError(Exception):
    """Anything that went wrong between a caller and what was wanted of the gateway.

    `retryable` when the same may be asked again; with `idempotency_key`, where there is one, it is never begun twice.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        """Keep the message and whether to try again."""
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.idempotency_key: str | None = None


class RefusedError(GatewayError):
    """The gateway said no; `code`, `type` and `status` say which no. `retry_after` in seconds, where it asks for a pause."""

    def __init__(
        self,
        fault: Fault,
        *,
        status: int,
        retry_after: int | None = None,
        request_id: str | None = None,
        details: Mapping[str, Any] | None = None,
        provider_errors: tuple[Fault, ...] = (),
    ) -> None:
        """Keep what the answer said."""
        super().__init__(fault.message, retryable=fault.retryable)
        self.code = fault.code
        self.type = fault.type
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        self.details = dict(details or {})
        self.provider_errors = provider_errors


class UnreachableError(GatewayError):
    """No answer came. Whether the gateway heard the request is not known: ask again with the same `idempotency_key`."""

    def __init__(self, message: str) -> None:
        """Say why."""
        super().__init__(message, retryable=True)


class UnreadableError(GatewayError):
    """What answered does not answer as a gateway does, with this HTTP `status`."""

    def __init__(self, message: str, *, status: int) -> None:
        """Keep the status: a proxy's word that nobody is behind it may be another one soon."""
        super().__init__(message, retryable=status in {429, 500, 502, 503, 504})
        self.status = status


class GenerationFailedError(GatewayError):
    """The generation that was waited for failed, and cost nothing."""

    def __init__(self, generation: Generation) -> None:
        """Keep the record."""
        error = generation.error
        said = error.message if error else "the generation failed"
        super().__init__(said, retryable=error.retryable if error else False)
        self.generation = generation


class GenerationCanceledError(GatewayError):
    """The generation that was waited for was canceled."""

    def __init__(self, generation: Generation) -> None:
        """Keep the record."""
        super().__init__(f"{generation.id} was canceled")
        self.generation = generation


class WaitTimeoutError(GatewayError):
    """The time given is over and the generation goes on: wait again by its `id`, or cancel it."""

    def __init__(self, generation: str, seconds: float) -> None:
        """Keep the id."""
        super().__init__(f"{generation} is not over after {seconds:g} s and goes on", retryable=True)
        self.id = generation


class DownloadError(GatewayError):
    """An output could not be had whole; nothing was written under its name."""


class SignatureError(GatewayError):
    """A delivery that no gateway with this secret has sent just now."""
