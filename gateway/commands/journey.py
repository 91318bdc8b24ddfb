"""A generation followed to its end: each attempt told once when it is over, and a line that moves meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, TextIO

from gateway.clock import Clock, parse_iso
from gateway.commands.client import Gateway, Lost
from gateway.commands.terminal import Style, printable

FINAL = frozenset({"succeeded", "failed", "canceled"})
_QUICK, _SLOW = 0.1, 1.0  # seconds between looks: soon while a picture may be done, later for a video
_QUICK_FOR = 10.0  # seconds
_PATIENCE = 60.0  # seconds in which a gateway may be away, as it is when it restarts
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ERASE = "\r\x1b[K"


class TooLong(Exception):  # noqa: N818 - named for what happened
    """The generation is not over yet, and the time given for it is."""


class Journey:
    """Tells of one generation on one stream."""

    def __init__(self, stream: TextIO, style: Style, clock: Clock) -> None:
        """Tell on `stream`; the line that moves is for terminals alone."""
        self._stream = stream
        self._style = style
        self._clock = clock
        self._told = 0
        self._frames = itertools.cycle(_FRAMES)
        self._is_drawn = False

    async def follow(self, gateway: Gateway, generation: str, limit: float) -> dict[str, Any]:
        """Look until the generation is over, at most `limit` seconds; gives its record. TooLong, Lost or Told otherwise."""
        began = seen = self._clock.monotonic()
        record: dict[str, Any] = {}
        try:
            while record.get("generation_status") not in FINAL:
                now = self._clock.monotonic()
                if now - began > limit:
                    raise TooLong
                try:
                    record = await gateway.read(generation)
                    seen = now
                    self._tell(record)
                except Lost:
                    if now - seen > _PATIENCE:
                        raise
                if record.get("generation_status") not in FINAL:
                    self._draw(record, now - began)
                    await self._clock.sleep(_QUICK if now - began < _QUICK_FOR else _SLOW)
        finally:
            self._erase()
        return record

    def _tell(self, record: Mapping[str, Any]) -> None:
        """Print a line for each attempt that ended since the last look."""
        attempts = record.get("generation_attempts", [])
        for number, attempt in enumerate(attempts[self._told :], self._told + 1):
            if attempt["ended_at"] is None:
                break
            self._erase()
            self._stream.write(f"  {number}  {_line(attempt, self._style)}\n")
            self._stream.flush()
            self._told = number

    def _draw(self, record: Mapping[str, Any], elapsed: float) -> None:
        if not self._style.is_lively:
            return
        attempts = record.get("generation_attempts", [])
        now = next((f"{at}  {each['provider']}" for at, each in enumerate(attempts, 1) if each["ended_at"] is None), "")
        self._stream.write(f"{_ERASE}{next(self._frames)} {elapsed:4.1f} s  {printable(now, 60)}")
        self._stream.flush()
        self._is_drawn = True

    def _erase(self) -> None:
        if self._is_drawn:
            self._stream.write(_ERASE)
            self._is_drawn = False


def seconds(attempt: Mapping[str, Any]) -> float:
    """Give how long an attempt took."""
    if attempt["ended_at"] is None:
        return 0.0
    return (parse_iso(attempt["ended_at"]) - parse_iso(attempt["started_at"])) / 1000


def _line(attempt: Mapping[str, Any], style: Style) -> str:
    provider = printable(str(attempt["provider"]), 24)
    took = f"{seconds(attempt):5.1f} s"
    fault = attempt.get("error")
    if fault is None:
        return f"{style.good('✓')} {provider:<14} {took}  {style.good(str(attempt['state']))}"
    said = printable(f"{fault['type']}: {fault['message']}", 100)
    return f"{style.bad('✗')} {provider:<14} {took}  {said}"
