"""Every parser of what strangers send, given inputs that nobody counted on: it answers in its own terms, quickly, and always the same.

Run alone: `python -m tests.harness.parsers [--inputs N] [--seed S] [--only NAME]`. Of each parser, only the errors it documents may
come out, what it gives stays within its documented bounds, no input takes longer than the parser may, and the same input gives
the same again. Prints one line of figures, then one per finding: the parser, the number of the input (`--at` repeats it alone), and
the input in the smallest form that still does it. Exits 1 when there is any.
"""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

from tests.harness import bent

_AGAIN = 8  # one input in so many is read twice
_TRIES = 400  # readings spent on making an input smaller
_MOST = 5  # findings of one parser that are looked into; what follows is most often the same
_SHOWN = 400  # characters of an input
_PATIENCE = 5.0  # CPU seconds; whatever takes longer is given up, for it may take for ever
_WORDS = 150_000  # characters of an error's message: it may name what is wrong, not repeat a body


@dataclass(frozen=True, slots=True)
class Parser:
    """One parser: how inputs for it are made, and how it is told whether it did well.

    `wrong` takes an input and what came of it, and gives a sentence when that is out of bounds. `share` is how many of the inputs of
    a run it gets beside the others, `longest` the CPU seconds it may take for one.
    """

    name: str
    share: float
    make: Callable[[Random], Any]
    read: Callable[[Any], Any]
    refuses: tuple[type[Exception], ...]
    wrong: Callable[[Any, Any], str | None]
    longest: float = 0.05


@dataclass(frozen=True, slots=True)
class Finding:
    """What a parser did that it must not: the number of the input, the smallest such input, and what happened."""

    parser: str
    at: int
    given: Any
    said: str

    def line(self) -> str:
        """One line to repeat it by."""
        return f"{self.parser} --at {self.at}: {self.said} <- {shown(self.given)}"


@dataclass
class Figures:
    """What is counted. Findings have to be none."""

    inputs: int = 0
    refused: int = 0
    parsers: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    slowest: str = ""
    findings: list[Finding] = field(default_factory=list)

    def line(self) -> str:
        """One line, as it goes into the results."""
        told = {name: part for name, part in vars(self).items() if name != "findings"}
        counted = {**told, "findings": len(self.findings)}
        return " ".join(
            f"{name}={part:.1f}" if isinstance(part, float) else f"{name}={part}" for name, part in counted.items()
        )


def shown(given: Any) -> str:
    """Write an input on one line, cut where it is long."""
    try:
        line = repr(given)
    except RecursionError:
        return "something nested too deep to be written"
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} … {line[-_SHOWN // 2 :]} ({len(line)} characters)"


def run(parsers: Iterable[Parser], inputs: int, seed: int) -> Figures:
    """Give each parser its share of so many inputs."""
    parsers = list(parsers)
    figures, whole, began = Figures(parsers=len(parsers)), sum(each.share for each in parsers), time.process_time()
    for parser in parsers:
        found: dict[str, Finding] = {}
        for at in range(max(1, round(inputs * parser.share / whole))):
            finding = _try(parser, seed, at, figures, found)
            if finding is not None:
                found.setdefault(_kind(finding), finding)
                if len(found) >= _MOST:
                    break
        figures.findings += found.values()
    figures.seconds = time.process_time() - began
    return figures


def given(parser: Parser, seed: int, at: int) -> Any:
    """Make the input of this number."""
    return parser.make(Random((seed << 64) + (crc32(parser.name.encode()) << 32) + at))


def judged(parser: Parser, found: Any, *, twice: bool = True) -> tuple[str | None, float, bool]:
    """Say what is wrong with how a parser takes an input, the CPU seconds it took, and whether it refused it."""
    began = time.thread_time()
    result, refused, said = _read(parser, found)
    taken = time.thread_time() - began
    if said is None and not refused:
        said = _checked(parser, found, result)
    if said is None and twice:
        other, *_ = _read(parser, found)
        if _spelled(result) != _spelled(other):
            said = f"the same input gave {shown(result)} and then {shown(other)}"
    if said is None and taken > parser.longest:
        taken = min(taken, *(_timed(parser, found) for _ in range(3)))  # whatever else the machine did meanwhile
        if taken > parser.longest:
            said = f"slow: it took {taken * 1000:.0f} ms, {parser.longest * 1000:.0f} are allowed"
    return said, taken, refused


def _try(parser: Parser, seed: int, at: int, figures: Figures, known: Container[str]) -> Finding | None:
    found = given(parser, seed, at)
    said, taken, refused = judged(parser, found, twice=at % _AGAIN == 0)
    figures.inputs += 1
    figures.refused += refused
    if taken * 1000 > figures.slowest_ms:
        figures.slowest_ms, figures.slowest = taken * 1000, parser.name
    if said is None or _kind(Finding(parser.name, at, found, said)) in known:
        return None  # making an input small takes hundreds of others: once for each kind
    least, said = _shrunk(parser, found, said)
    return Finding(parser.name, at, least, said)


def _read(parser: Parser, found: Any) -> tuple[Any, bool, str | None]:
    """Read once: what was given or refused, whether it was refused, and what is wrong with that."""
    try:
        with _patience():
            return parser.read(found), False, None
    except _GaveUp:
        return None, False, f"slow: it was given up after {_PATIENCE:g} s"
    except parser.refuses as refusal:
        words = str(refusal)
        said = "refused without a word" if not words.strip() else None
        return (type(refusal), words), True, said if len(words) <= _WORDS else f"refused in {len(words)} characters"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.name}"
        return None, False, f"raised {type(error).__name__} in {where}: {shown(str(error)[:200])}"


@contextmanager
def _patience() -> Iterator[None]:
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, _PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(_signal: int, _frame: object) -> None:
    raise _GaveUp


class _GaveUp(BaseException):
    """A parser took too long. No parser may catch it."""


def _checked(parser: Parser, found: Any, result: Any) -> str | None:
    try:
        return parser.wrong(found, result)
    except Exception as error:  # noqa: BLE001 - a result that breaks whoever looks at it is out of bounds
        return f"what it gave cannot be used: {type(error).__name__}: {shown(str(error)[:200])}"


def _timed(parser: Parser, found: Any) -> float:
    gc.collect()
    began = time.thread_time()
    _read(parser, found)
    return time.thread_time() - began


def _spelled(result: Any) -> str:
    try:
        return repr(result)
    except RecursionError:
        return "too deep"


def _kind(finding: Finding) -> str:
    """What two findings have in common that are probably one."""
    return finding.said.partition(": ")[0] if finding.said.startswith(("raised", "slow")) else finding.said[:40]


def _shrunk(parser: Parser, found: Any, said: str) -> tuple[Any, str]:
    """Leave out of an input what does not matter, as long as it goes wrong in the same way."""
    kind, left, least, words = _kind(Finding("", 0, None, said)), _TRIES, found, said
    began = time.monotonic()
    while left > 0:
        for smaller in _smaller(least):
            left -= 1
            other = judged(parser, smaller, twice=False)[0]
            if other is not None and _kind(Finding("", 0, None, other)) == kind:
                least, words = smaller, other
                break
            if left <= 0 or time.monotonic() - began > 10:
                return least, words
        else:
            break
    return least, words


def _smaller(found: Any) -> Iterator[Any]:
    try:
        yield from bent.smaller(found)
    except RecursionError:
        return


def main() -> int:
    """Run it as the command line says."""
    from tests.harness.parsed import PARSERS  # loading the packs is work, and `--help` needs none

    names = [each.name for each in PARSERS]
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--inputs", type=int, default=2_000_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument(
        "--only", choices=names, action="append", help="this parser alone; may be said several times"
    )
    arguments.add_argument("--at", type=int, help="the one input of this number, of the parser said by --only")
    arguments.add_argument("--each", action="store_true", help="a line for every parser too")
    asked = arguments.parse_args()
    warnings.simplefilter("error")
    chosen = [each for each in PARSERS if asked.only is None or each.name in asked.only]
    if asked.at is not None:
        for parser in chosen:
            one = given(parser, asked.seed, asked.at)
            print(shown(one), "->", judged(parser, one)[0] or "well", flush=True)
        return 0
    whole = Figures()
    for parser in chosen:
        part = run([parser], round(asked.inputs * parser.share / sum(each.share for each in chosen)), asked.seed)
        if asked.each:
            print(parser.name, part.line(), flush=True)
        for finding in part.findings:
            print("finding:", finding.line(), flush=True)
        _add(whole, part)
    print(f"parsers {whole.line()} seed={asked.seed}", flush=True)
    return 1 if whole.findings else 0


def _add(whole: Figures, part: Figures) -> None:
    whole.inputs += part.inputs
    whole.refused += part.refused
    whole.parsers += part.parsers
    whole.seconds += part.seconds
    whole.findings += part.findings
    if part.slowest_ms > whole.slowest_ms:
        whole.slowest_ms, whole.slowest = part.slowest_ms, part.slowest


if __name__ == "__main__":
    sys.exit(main())
