"""The command `tidegate`, also as `python -m gateway`: finds the command that is meant and runs it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import ModuleType

from gateway import __version__
from gateway.commands.exits import Exit, Stop
from gateway.commands.index import COMMANDS, SHORT, Command, full
from gateway.commands.terminal import say, show


def main(words: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command and give its exit code; without arguments these are the process's own."""
    words = sys.argv[1:] if words is None else list(words)
    try:
        return _run(words, os.environ if environ is None else environ)
    except Stop as stop:
        say(f"tidegate: {stop.message}")
        return stop.code
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever reads has seen enough; the interpreter must not find that out once more when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILURE


def _run(words: Sequence[str], environ: Mapping[str, str]) -> int:
    if not words:
        show(SHORT.rstrip())
        return Exit.OK
    name, *rest = words
    if name in {"-h", "--help", "help"}:
        return _help(rest, environ)
    if name in {"-V", "--version"}:
        show(f"tidegate {__version__}")
        return Exit.OK
    commands = {command.name: command for command in COMMANDS}
    if name not in commands:
        near = get_close_matches(name, commands, n=1)
        hint = f"did you mean `tidegate {near[0]}`?" if near else "`tidegate --help` lists them all"
        raise Stop(Exit.USAGE, f"there is no command {name!r}; {hint}")
    module = importlib.import_module(f"gateway.commands.{name}")
    asked = _asked(module, commands[name], rest)
    if isinstance(asked, int):
        return asked
    code: int = module.run(asked, environ)
    return code


def _asked(module: ModuleType, command: Command, rest: Sequence[str]) -> argparse.Namespace | int:
    """Read a command's words; an exit code when argparse has answered already, with help or with what is wrong."""
    parser = argparse.ArgumentParser(
        prog=f"tidegate {command.name}",
        description=f"{command.says[0].upper()}{command.says[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.declare(parser)
    try:
        return parser.parse_intermixed_args(rest) if command.mixes else parser.parse_args(rest)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.OK


def _help(rest: Sequence[str], environ: Mapping[str, str]) -> int:
    if rest:
        return _run([rest[0], "--help"], environ)
    show(full(__version__).rstrip())
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
