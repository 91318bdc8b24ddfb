"""The log of this process: set up once at start, then `event` from anywhere."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Literal, TextIO

from gateway.log.lines import Lines, Text
from gateway.log.redactor import Redactor

Format = Literal["auto", "json", "text"]
Level = Literal["debug", "info", "warning", "error"]

_LEVELS: Mapping[Level, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_LOGGER = logging.getLogger("gateway")
_REDACTOR = Redactor()


_MOMENT = 0.02  # seconds; what a kill may take with it of lines that say that all is well


def _is_file(stream: TextIO) -> bool:
    try:
        return stream.fileno() >= 0
    except (OSError, ValueError):
        return False


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a line that cannot be written is dropped without showing what was in it.

    What is no trouble waits a moment for company where a loop is running: each write lets another thread go first.
    """

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`: at once to a terminal, or to what is no file."""
        super().__init__(stream)
        self._may_wait = _is_file(stream) and not stream.isatty()
        self._waiting: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and what waits before it."""
        try:
            self._waiting.append(self.format(record) + self.terminator)
            if record.levelno < logging.WARNING and self._may_wait and (loop := _running()) is not None:
                if len(self._waiting) == 1:
                    loop.call_later(_MOMENT, self.flush)
                return
        except Exception:  # noqa: BLE001 - as the inherited method does; nobody is broken by a line
            self.handleError(record)
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        with self.lock or nullcontext():
            lines, self._waiting = "".join(self._waiting), []
            try:
                if lines and self.stream is not None:
                    self.stream.write(lines)
                    self.stream.flush()
            except (OSError, ValueError):
                pass  # there is nobody left to tell

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name logging calls
        """Say that a line was lost; the inherited answer prints the arguments, secrets included."""
        error = sys.exc_info()[0]
        if error is not None and not issubclass(error, OSError | ValueError):
            # The stream works, so the fault is in formatting: a bug worth a trace of its own.
            self.stream.write(f'{{"level":"error","event":"log_line_lost","of":"{record.name}"}}\n')


def setup(
    *,
    format: Format = "auto",  # noqa: A002 - the word of the settings
    level: Level = "info",
    prompts: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Send everything that is logged in this process to stderr, or to `stream`, replacing an earlier setup.

    `auto` is text on a terminal and JSON elsewhere. `prompts` lets the words of callers into the log.
    """
    stream = stream or sys.stderr
    as_text = format == "text" or (format == "auto" and stream.isatty())
    handler = _Handler(stream)
    handler.setFormatter((Text if as_text else Lines)(_REDACTOR, prompts=prompts))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Handler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    # Libraries say at their info what is our debug: one line for every connection and query.
    root.setLevel(max(_LEVELS[level], logging.WARNING) if level != "debug" else logging.DEBUG)
    _LOGGER.setLevel(_LEVELS[level])
    logging.captureWarnings(capture=True)


def event(name: str, *, level: Level = "info", error: BaseException | None = None, **fields: object) -> None:
    """Log what happened: a name in the past or present tense, such as `attempt_failed`, and its fields.

    Fields are plain JSON values: `request`, `generation`, `attempt`, `provider`, `model`, …; `error` adds its text and
    trace. A field named like a secret is struck out, one named like a prompt replaced by its length.
    """
    number = _LEVELS[level]
    if _LOGGER.isEnabledFor(number):
        # Not by `log`, which walks the stack for the calling line: an event's name says where it is from.
        cause = None if error is None else (type(error), error, error.__traceback__)
        _LOGGER.handle(_LOGGER.makeRecord(_LOGGER.name, number, "", 0, name, (), cause, extra={"fields": fields}))


def register(secret: str) -> None:
    """Make a value secret in this process: it is struck out of every line and of every redacted text from now on."""
    _REDACTOR.register(secret)


def redact(text: str) -> str:
    """Give a text that came from elsewhere without secrets, fit to be logged, stored or handed to a caller."""
    return _REDACTOR.redact(text)


def excerpt(text: str, most: int) -> str:
    """Give at most so many characters of a text that came from elsewhere, without secrets and without a part of one."""
    return _REDACTOR.excerpt(text, most)


def redacted(value: Any) -> Any:
    """Give a nested value of plain JSON types without secrets."""
    return _REDACTOR.value(value)
