"""One connection of a client: the library's HTTP protocol, behind walls of our own.

The library reads and writes HTTP. What it lets pass is held here: how long a head may take, how large it may be, who an
address of a balancer stands for, and how what cannot be read is answered.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from gateway import log, metrics
from gateway.ingress import address, misread, preamble
from gateway.ingress.address import Address, Network
from gateway.ingress.envelope import Outside
from gateway.ingress.pieces import Pieces
from gateway.ingress.refusal import Refusal
from gateway.ingress.screen import LARGEST_HEAD, LONGEST_LINE, MOST_FIELDS
from gateway.ingress.tls import Tls, begins
from gateway.ingress.watch import HEAD, Watch

_LINGERING = (
    5.0  # seconds for which the rest of a body is read and dropped, so that its sender comes to read the answer
)
_AT_ONCE = 128 * 1024  # bytes of an answer that are handed to the line without asking whether it takes them
_ACKED = 120  # where Linux's tcp_info has the bytes that the other side confirmed, eight of them


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every connection: who watches it, who answers for it; and the balancers that name whom they speak for.

    Without `balancers` nobody is expected to; with them a connection from anywhere else is closed. Who begins with TLS is
    served `tls` where there is one.
    """

    watch: Watch
    outside: Outside
    balancers: tuple[Network, ...] | None = None
    tls: ssl.SSLContext | None = None


class Connection(RequestHandler):
    """A connection that is watched."""

    def __init__(self, server: web.Server, terms: Terms) -> None:
        """Read requests for this server."""
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type] # the library's own way to have none
            auto_decompress=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE - 3,  # a name of one character; longer ones are measured with their values
            max_headers=MOST_FIELDS,
            lingering_time=_LINGERING,
        )
        self._terms = terms
        self._line: asyncio.Transport | None = None
        self._tls: Tls | None = None  # the same line, when it carries TLS
        self._may_seal = terms.tls is not None  # the first byte, which tells whether it does, is not there yet
        self._counted: str | None = None
        self._named: Address | None = None
        self._awaits_preamble = terms.balancers is not None
        self._held = b""  # of a preamble that is not whole yet
        self._head = 0  # bytes of a head that is not whole yet
        self._works = False
        self._begun = 0  # of the requests whose heads were read
        self._reads: StreamReader | None = None  # the body of the request that is handled
        self._is_broken = False  # that body cannot be read to its end
        self._is_refused = False  # the request was answered by the walls
        self._is_deaf = False  # what comes is dropped
        self._gone = asyncio.Event()
        self._rest: StreamReader | None = None  # of a body nobody wanted

    @property
    def peername(self) -> Any:
        """Where the client is: the other end, or whom a balancer speaks for."""
        return (str(self._named), 0) if self._named is not None else super().peername

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless the other end may not or has enough of us."""
        self._line = cast(asyncio.Transport, transport)
        super().connection_made(transport)
        self._terms.watch.begins(self)
        if not self._awaits_preamble:
            self._enter(self._peer())
        elif not address.is_within(self._peer(), self._terms.balancers or ()):
            metrics.CONNECTIONS_CLOSED.labels("no_balancer").inc()
            self.dismiss()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        self._terms.watch.gone(self)
        if self._counted:
            self._terms.watch.leave(self._counted)
        self._counted = None
        super().connection_lost(exc)
        self._line = self._tls = None
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._is_deaf:
            return
        if self._awaits_preamble:
            data = self._after_preamble(data)
            if not data:
                return
        if self._may_seal:
            self._may_seal = False
            if begins(data) and self._line is not None and self._terms.tls is not None:
                self._line = self.transport = self._tls = Tls(self._line, self._terms.tls)
        if self._tls is None:
            self._take(data)
        else:
            self._take_sealed(self._tls, data)

    def _take_sealed(self, tls: Tls, data: bytes) -> None:
        try:
            opened = tls.open(data)
        except ssl.SSLError as error:
            metrics.CONNECTIONS_CLOSED.labels("bad_tls").inc()
            log.event("tls_failed", level="debug", error=error)
            self._hang_up(tls)
            return
        if opened:
            self._take(opened)
        if tls.is_over:
            tls.close()

    def _take(self, data: bytes) -> None:
        before = self._request_count
        super().data_received(data)
        if self._works and self._request_count != before and self._reads is not None and not self._reads.is_eof():
            # What follows a body comes after its end: this is the parser's word that the body is none.
            self._reads.set_exception(web.RequestPayloadError("the body is not what its head says"))
            self._is_broken = True
        if self._works or not data or self._line is None:
            return
        if self._request_count != before:
            self._head = 0
            self._terms.watch.works(self)
        elif self._begun < self._request_count:
            pass  # more of a body that came whole before its handler had its turn: no part of a head
        elif self._rest is not None:
            if self._rest.is_eof():
                self._rest = None
        else:
            self._await_head(len(data))

    def pause_writing(self) -> None:
        """The other end does not take what is sent as fast as it is."""
        super().pause_writing()
        self._terms.watch.writes(self)

    def resume_writing(self) -> None:
        """It took enough."""
        super().resume_writing()
        self._terms.watch.wrote(self)

    def begin(self, reads: StreamReader) -> None:
        """A request is handled from now on, whose body comes as it `reads`."""
        self._works = True
        self._begun = min(self._begun + 1, self._request_count)
        self._reads = reads
        self._head = 0
        self._terms.watch.works(self)

    def refuse(self, request: web.Request, refusal: Refusal) -> web.Response:
        """Answer what no handler sees; the connection ends with it."""
        self._is_refused = True
        return self._terms.outside.refuse(request, refusal)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer, watched; the next request is waited for when it is out."""
        if self._is_broken:
            resp.force_close()  # what was sent for it has no end, so no other request can follow, nor a second answer
        if resp.status == HTTPStatus.REQUEST_TIMEOUT:
            self._is_refused = True  # whoever was too slow with a body is not given more time for the rest of it
        if isinstance(resp, web.Response) and isinstance(resp.body, bytes) and len(resp.body) > _AT_ONCE:
            resp.body = Pieces(resp.body)
        is_file = isinstance(resp, web.FileResponse)
        if is_file:  # it may go by the system's own copying, which tells nobody how far it is
            self._terms.watch.writes(self)
        try:
            sent, is_reset = await super().finish_response(request, resp, start_time)
            if self._is_refused and not is_reset:
                await self._part()
            return sent, is_reset
        finally:
            if is_file and not self.writing_paused:
                self._terms.watch.wrote(self)
            self._works, self._reads = False, None
            self._rest = None if request.content.is_eof() else request.content
            if self._line is not None:
                self._terms.watch.rests(self)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it holds what was sent
    ) -> web.StreamResponse:
        """Answer what cannot be read, or what failed outside of every handler; the connection ends with it."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun, and no other one can follow")
        assert isinstance(request, web.Request), "the server makes them"
        self.begin(request.content)
        if status < 500 and isinstance(exc, HttpProcessingError):
            return self.refuse(request, misread.said(exc))
        return self._terms.outside.broke(request, exc)

    def late(self) -> None:
        """Close it because no head came; whoever began one is told."""
        if self._head and not self._awaits_preamble:
            self._say(Refusal("request_timeout", f"the head of a request did not arrive within {HEAD:g} seconds"))
        else:
            self.dismiss()

    def dismiss(self) -> None:
        """Close it when what is written is out."""
        self.force_close()
        if self._line is not None:
            self._terms.watch.leaves(self)

    def cut(self) -> None:
        """End it at once; nothing that waits to be sent is kept, not in the system either."""
        if self._line is None:
            return
        held = self._line.get_extra_info("socket")
        with suppress(
            OSError, TypeError
        ):  # one loop copies files beside the line, which a shutdown alone ends; the other knows none
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            held.shutdown(socket.SHUT_RDWR)
        self._line.abort()
        self._terms.watch.leaves(self)

    def moved(self) -> int:
        """Count the bytes the other end confirmed; where the system does not tell, what was taken from our own buffer."""
        if self._line is None:
            return 0
        held = self._line.get_extra_info("socket")
        try:
            info = held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKED + 8)
            return int(struct.unpack_from("=Q", info, _ACKED)[0])
        except (AttributeError, OSError, struct.error):
            return -self._line.get_write_buffer_size()

    def _peer(self) -> Address | None:
        peer = super().peername
        return address.parse(str(peer[0])) if isinstance(peer, list | tuple) and peer else None

    def _enter(self, where: Address | None) -> None:
        self._counted = self._terms.watch.enter(where)
        if self._counted is None:
            said = "this address has as many connections as one may have; use those again, or close some"
            self._say(Refusal("rate_limit_exceeded", said, retry_after=1))
            self.dismiss()  # at once: there may be many more of them

    def _after_preamble(self, data: bytes) -> bytes:
        """What follows a balancer's preamble; nothing as long as it is not whole, or when the connection was closed for it."""
        self._held += data
        try:
            found = preamble.parse(self._held)
        except preamble.Malformed as error:
            metrics.CONNECTIONS_CLOSED.labels("no_preamble").inc()
            log.event("preamble_refused", level="debug", error=error)
            self._held = b""
            self.dismiss()
            return b""
        if found is None:
            return b""
        data, self._held = self._held[found.size :], b""
        self._awaits_preamble = False
        self._named = found.source
        self._enter(found.source or self._peer())
        return data if self._counted is not None else b""

    def _await_head(self, size: int) -> None:
        if not self._head:
            self._terms.watch.begins(self)
        self._head += size
        if self._head > LARGEST_HEAD:
            self._say(Refusal("head_too_large", f"the head of the request is larger than {LARGEST_HEAD} bytes"))

    def _say(self, refusal: Refusal) -> None:
        """Answer without a request, and end."""
        if self._line is not None and not self._line.is_closing():
            self._line.write(self._terms.outside.written(refusal))
            self._hang_up(self._line)

    def _hang_up(self, line: asyncio.Transport) -> None:
        """End our side. A close with something unread would take back what was said, so the other side is left to go first."""
        self._is_deaf = True
        if line.can_write_eof():
            line.write_eof()
        self._terms.watch.leaves(self)

    async def _part(self) -> None:
        """Hang up, and wait for the other side to go; the watch does not wait for long."""
        if self._line is not None and not self._line.is_closing():
            self._hang_up(self._line)
            await self._gone.wait()
