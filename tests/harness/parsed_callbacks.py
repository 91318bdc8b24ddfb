"""The parser of providers' calls back: an address, of which one part proves that we gave it out."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

from gateway.ingress.nudges import Nudges
from gateway.ingress.refusal import Refusal
from tests.harness import bent
from tests.harness.parsed_replies import finished
from tests.harness.parsers import Parser

_NUDGED: list[tuple[str, int]] = []
_NUDGES = Nudges(b"a secret of the tests", "https://gate.example")
_GENERATIONS = ("0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a11", "gen", "0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a12")


async def _no_time(_seconds: float) -> None:
    """Wait for nothing."""


_ROUTE = _NUDGES.routes(lambda generation, attempt: _NUDGED.append((generation, attempt)) or True, _no_time)[0]


def _callback(dice: Random) -> dict[str, str]:
    generation, attempt = dice.choice(_GENERATIONS), dice.randrange(1, 12)
    parts = [generation, str(attempt), _NUDGES.address(generation, attempt).rpartition("/")[2]]
    for _ in range(dice.choice((0, 1, 1, 2))):
        at = dice.randrange(3)
        parts[at] = bent.text(dice, (parts[at], str(attempt), _NUDGES.address("gen", 2).rpartition("/")[2]))
    return dict(zip(("generation", "attempt", "proof"), parts, strict=True))


def _called(given: dict[str, str]) -> tuple[int, tuple[tuple[str, int], ...]]:
    _NUDGED.clear()
    try:
        status = finished(_ROUTE.handler(SimpleNamespace(match_info=given))).status  # type: ignore[arg-type] # as far as it is looked at
    except Refusal as refusal:
        status = refusal.code.status
    return status, tuple(_NUDGED)


def _unlike_a_call(given: dict[str, str], came: tuple[int, tuple[tuple[str, int], ...]]) -> str | None:
    """Whoever brings the proof of an attempt makes us look at that one, everybody else at none."""
    attempt = given["attempt"]
    is_number = attempt.isascii() and attempt.isdigit() and len(attempt) <= 3
    number = int(attempt) if is_number else 0
    try:
        is_ours = _NUDGES.address(given["generation"], number).rpartition("/")[2] == given["proof"]
    except UnicodeEncodeError:
        is_ours = False
    wanted = (200, ((given["generation"], number),)) if is_ours else (404, ())
    return None if came == wanted else f"it gave {came}, not {wanted}"


PARSERS = (Parser("callbacks", 80, _callback, _called, (), _unlike_a_call),)
