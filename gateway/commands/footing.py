"""What a gateway stands on: the versions it runs with, and who else may write or read the files it believes."""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import yaml
import yarl
from aiohttp import http_parser

from gateway import __version__, documents
from gateway.ledger.sqlite import ENGINE_VERSION
from gateway.settings import Settings

# Before it, a second process that writes or checkpoints the same file could damage it while the log was reset.
_SOUND_SQLITE = (3, 51, 3)
# Before it, requests could be smuggled past it, and its parser of answers read beyond what had come.
_SOUND_AIOHTTP = (3, 14, 3)
# Variables that name a file with a credential; others, such as those of certificates, name what everybody may read.
_CREDENTIAL = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)_FILE$")
_SECRETS = (("webhooks", "secret"), ("keys", "peppers"))  # settings that hold some


def versions() -> dict[str, str]:
    """What it runs on, by name."""
    return {
        "tidegate": __version__,
        "python": platform.python_version(),
        "sqlite": ".".join(map(str, ENGINE_VERSION)),
        "aiohttp": aiohttp.__version__,
        "yarl": yarl.__version__,
        "pyyaml": yaml.__version__,
    }


def without_asserts() -> bool:
    """Whether assertions are switched off, which the HTTP library's own checks are partly made of."""
    return sys.flags.optimize > 0


def below(
    sqlite: tuple[int, ...] = ENGINE_VERSION,
    http: str = aiohttp.__version__,
    *,
    in_file: bool = True,
    has_parser: bool = http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy,
    has_libyaml: bool = yaml.__with_libyaml__,
) -> Iterator[str]:
    """What of these versions is below its floor, or lacks its compiled part, and what to do; `in_file`: whether SQLite counts."""
    if in_file and sqlite < _SOUND_SQLITE:
        sound, found = (".".join(map(str, each)) for each in (_SOUND_SQLITE, sqlite))
        yield f"SQLite {found} is older than {sound}: let no other process, such as a backup tool, write the store"
    if _numbers(http) < _SOUND_AIOHTTP:
        sound = ".".join(map(str, _SOUND_AIOHTTP))
        yield f"aiohttp {http} is older than {sound} and takes requests that later ones refuse as forged; install {sound} or newer"
    if not has_parser:
        yield "aiohttp runs without its C parser: HTTP is several times slower; install a wheel for this platform"
    if not has_libyaml:
        yield "PyYAML runs without its C parser: loading provider files takes several times as long"


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers a version begins with."""
    found = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
    return tuple(found)


def exposed(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Which files others may write that decide what is done, or read that hold secrets, and what to do about it."""
    if settings.source is not None:
        yield from _writable(settings.source)
        yield from _written_out(settings.source)
    for folder in settings.catalog:
        yield from _writable(folder)
    secret = settings.store.path.with_name(settings.store.path.name + ".secret")
    if _others(secret, stat.S_IRWXG | stat.S_IRWXO):
        yield f"{secret} is what keys and links are made with, and others may open it: chmod 600 {secret}"
    for path in (Path(path) for name, path in environ.items() if _CREDENTIAL.search(name)):
        # One that another user put there, as container platforms do, is open to this one on purpose.
        if _others(path, stat.S_IWGRP | stat.S_IWOTH) or (_is_own(path) and _others(path, stat.S_IROTH)):
            yield f"{path} holds a credential that others may read or replace: chmod 600 {path}"


def _writable(path: Path) -> Iterator[str]:
    if _others(path, stat.S_IWGRP | stat.S_IWOTH):
        yield f"{path} may be changed by others, who then decide what the gateway does: chmod go-w {path}"


def _is_own(path: Path) -> bool:
    try:
        return path.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _others(path: Path, bits: int) -> bool:
    """Whether others than its owner may do that with a file."""
    try:
        return bool(path.stat().st_mode & bits)
    except OSError:
        return False


def _written_out(path: Path) -> Iterator[str]:
    """Secrets that stand in the policy file itself, which is copied and shown around."""
    try:
        document = documents.read(path)
    except documents.Mistakes:
        return
    for section, name in _SECRETS:
        for each in _entries(document.value, section):
            if any("${" not in value for value in _texts(each.get(name))):
                yield f"{path}: {section}: {name} is written out; put it into a variable and write ${{NAME}} here"


def _entries(value: Any, section: str) -> Iterable[Mapping[str, Any]]:
    found = value.get(section) if isinstance(value, dict) else None
    entries = found if isinstance(found, list) else [found]
    return [each for each in entries if isinstance(each, dict)]


def _texts(value: Any) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
