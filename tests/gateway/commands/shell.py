"""The command line as a test sees it: words in, exit code and both streams out."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.__main__ import main

PROJECT = Path(__file__).resolve().parents[3]
MODEL = "bytedance/seedream-4.5"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Shell = Callable[..., Said]


def shell(capsys: pytest.CaptureFixture[str], environ: Mapping[str, str]) -> Shell:
    """Give a function that runs a command in this process."""

    def run(*words: str, env: Mapping[str, str] | None = None) -> Said:
        capsys.readouterr()
        code = main(words, {**environ, **(env or {})})
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


@asynccontextmanager
async def started(
    *words: str, cwd: Path, env: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a command as a process of its own; it is killed at the end if it still runs."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(PROJECT), **(env or {})}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *words,
        cwd=cwd,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def finished(*words: str, cwd: Path, env: Mapping[str, str] | None = None) -> Said:
    """Run a command as a process of its own to its end."""
    async with started(*words, cwd=cwd, env=env) as process:
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return Said(process.returncode or 0, out.decode(), err.decode())


async def line_with(stream: asyncio.StreamReader | None, word: str) -> str:
    """Read a stream up to the first line that holds a word."""
    assert stream is not None
    async with asyncio.timeout(30):
        while line := (await stream.readline()).decode():
            if word in line:
                return line
    raise AssertionError(f"the stream ended without {word!r}")


def put(path: Path, text: str) -> None:
    """Write a file."""
    path.write_text(text)


def add(path: Path, text: str) -> None:
    """Write at the end of a file."""
    with path.open("a") as file:
        file.write(text)


def content(path: Path | str) -> bytes:
    """Read a file."""
    return Path(path).read_bytes()


def names(folder: Path) -> list[str]:
    """List what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def told(tidegate: Shell, *words: str) -> Any:
    """Run a command that prints JSON."""
    said = tidegate(*words, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)
