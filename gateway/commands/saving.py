"""Outputs to files: what they are called, and that a file under its final name is whole."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from gateway.commands.client import Gateway, Lost
from gateway.commands.exits import Exit, Stop

STDOUT = Path("-")
_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
_SUFFIX = re.compile(r"\.[a-z0-9]{2,5}")


async def save(gateway: Gateway, links: Sequence[str], to: Path | None, usual: str) -> list[Path]:
    """Save outputs: to the file `to`, numbered when there are several, or under `usual` with the right ending.

    A folder takes them under their usual names; `-` writes to stdout and gives no path.
    """
    if to == STDOUT:
        for link in links:
            await _copy(gateway, link)
        return []
    return [
        await _save(gateway, link, to, usual, f"-{at}" if len(links) > 1 else "") for at, link in enumerate(links, 1)
    ]


async def _save(gateway: Gateway, link: str, to: Path | None, usual: str, number: str) -> Path:
    async with _opened(gateway, link) as (type_, chunks):
        path = _path(to, f"{usual}{number}{_suffix(link, type_)}", number)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                async for chunk in chunks:
                    await asyncio.to_thread(file.write, chunk)
            part.replace(path)
        except OSError as error:
            raise Stop(Exit.FAILURE, f"{path} cannot be written: {error.strerror or error}") from error
        finally:
            part.unlink(missing_ok=True)
    return path


def _path(to: Path | None, usual: str, number: str) -> Path:
    """Give where an output goes: into the folder `to` or here under its usual name, or to the file `to`."""
    if to is None or to.is_dir():
        return (to or Path()) / usual
    return to.with_name(f"{to.stem}{number}{to.suffix}")


async def _copy(gateway: Gateway, link: str) -> None:
    async with _opened(gateway, link) as (_, chunks):
        async for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


@asynccontextmanager
async def _opened(gateway: Gateway, link: str) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    if link.startswith("data:"):
        yield _inline(link)
        return
    async with gateway.open(link) as opened:
        yield opened


def _inline(link: str) -> tuple[str, AsyncIterator[bytes]]:
    """Read an output that came inside its link."""
    head, _, data = link.removeprefix("data:").partition(",")
    type_ = head.partition(";")[0]
    try:
        content = base64.b64decode(data, validate=True) if head.endswith(";base64") else unquote_to_bytes(data)
    except binascii.Error as error:
        raise Lost("the output inside the answer cannot be read") from error

    async def once() -> AsyncIterator[bytes]:
        yield content

    return type_, once()


def _suffix(link: str, type_: str) -> str:
    """Give the ending of a file's name: what its media type says, or else its link."""
    if type_ in _SUFFIXES:
        return _SUFFIXES[type_]
    ending = "" if link.startswith("data:") else Path(urlsplit(link).path).suffix.lower()
    return ending if _SUFFIX.fullmatch(ending) else ".bin"
