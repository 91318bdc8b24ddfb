"""/v1/nudges: a provider calls back. It makes us look at that job now; its body is never read.

The address holds the generation, the number of the attempt and a proof that we gave it out, so that nobody who has not seen it
can make us look, and whoever has can do no more than that. There is no time in it that could be over: a call that comes late or
again finds a job to look at, or none.

Whoever brings no proof waits for his answer, and so does what he sent behind it on the same connection. That costs us a timer, and
him a connection for each guess a second: thousands of guesses leave the others their time.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable

from aiohttp import web

from gateway.ingress.refusal import Refusal

_PROOF = 16  # bytes of the proof: 128 bits
_PENANCE = 1.0  # seconds; no provider ever waits them, and no guess is worth them


class Nudges:
    """Gives out addresses to call back, and takes the calls."""

    def __init__(self, secret: bytes, public_url: str) -> None:
        """Prove addresses with `secret`; they begin with `public_url`."""
        self._secret = secret
        self._origin = public_url.rstrip("/")

    def address(self, generation: str, attempt: int) -> str:
        """The address for one attempt."""
        return f"{self._origin}/v1/nudges/{generation}/{attempt}/{self._proof(generation, attempt)}"

    def routes(
        self, nudge: Callable[[str, int], bool], sleep: Callable[[float], Awaitable[None]]
    ) -> list[web.RouteDef]:
        """The one route; the proof in the address is the credential. `sleep` waits for some seconds."""

        async def take(request: web.Request) -> web.Response:
            generation, number = request.match_info["generation"], request.match_info["attempt"]
            attempt = int(number) if number.isascii() and number.isdigit() and len(number) <= 3 else 0
            if not hmac.compare_digest(self._proof(generation, attempt).encode(), _bytes(request.match_info["proof"])):
                await sleep(_PENANCE)
                raise Refusal("not_found", "there is no such path")
            nudge(generation, attempt)
            return web.json_response({"status": "success"})

        return [web.post("/v1/nudges/{generation}/{attempt}/{proof}", take)]

    def _proof(self, generation: str, attempt: int) -> str:
        message = _bytes(f"nudge\n{generation}\n{attempt}")
        proof = hmac.new(self._secret, message, hashlib.sha256).digest()[:_PROOF]
        return urlsafe_b64encode(proof).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    """Whatever an address can hold, halves of characters included."""
    return text.encode("utf-8", "surrogatepass")
