"""Policy, packs and secrets in files, taken anew when they change or when SIGHUP asks; a bad file keeps the old ones."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from gateway import log, metrics
from gateway import settings as policy
from gateway.documents import Mistakes
from gateway.running import Running
from gateway.settings import Settings

# Content is compared, not times: a mounted ConfigMap changes by swapping links, which no watcher of a file sees.
_EVERY = 5.0  # seconds
# What a reload changes; everything else is joined once, at the start.
_HOT = frozenset({"source", "catalog", "providers", "policy", "webhooks", "delivery"})


class Reloading:
    """Watches the files behind a running gateway."""

    def __init__(
        self,
        gateway: Running,
        settings: Settings,
        path: Path | None,
        environ: Mapping[str, str],
        *,
        every: float = _EVERY,
    ) -> None:
        """Watch the policy file at `path` and the packs it names; look every so many seconds."""
        self._gateway = gateway
        self._settings = settings
        self._path = path
        self._environ = environ
        self._every = every
        self._asked = asyncio.Event()
        self._seen = ("", "")
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin: what the files hold now is what is in force."""
        self._seen = await self._look(self._settings)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        self._task = asyncio.create_task(self._watch(), name="reloading")

    async def stop(self) -> None:
        """End."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            asked = await self._is_asked()
            now = await self._look(self._settings)
            if asked or now != self._seen:
                self._seen = now
                await self._reload()

    async def _look(self, settings: Settings) -> tuple[str, str]:
        """Give what the policy file and the files of secrets hold now, and what the packs do, in short."""
        policy_files = (*(() if self._path is None else (self._path,)), *self._gateway.loaded.secrets.files)
        return await asyncio.to_thread(_digest, policy_files), await asyncio.to_thread(_digest, _packs(settings))

    async def _is_asked(self) -> bool:
        """Wait for SIGHUP or until it is time to look; tell which it was."""
        try:
            await asyncio.wait_for(self._asked.wait(), self._every)
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _reload(self) -> None:
        try:
            settings = await asyncio.to_thread(policy.load, self._path, self._environ)
        except Mistakes as mistakes:
            metrics.RELOADS.labels("refused").inc()
            _refused(mistakes)
            return
        # Looked at before it is loaded: what changes in between is a change the next look finds.
        self._seen = (self._seen[0], (await self._look(settings))[1])
        try:
            await self._gateway.reload(settings, self._environ)
        except Mistakes as mistakes:
            _refused(mistakes)
            return
        cold = [name for name in Settings.__slots__ if name not in _HOT and _differs(name, settings, self._settings)]
        if cold:
            log.event("restart_needed", level="warning", settings=cold)
        self._settings = settings


def _refused(mistakes: Mistakes) -> None:
    """Say what is wrong; what was in force stays."""
    log.event("config_refused", level="error", mistakes=[str(mistake) for mistake in mistakes.mistakes])


def _differs(name: str, one: Settings, other: Settings) -> bool:
    return bool(getattr(one, name) != getattr(other, name))


def _digest(files: Iterable[Path]) -> str:
    """Give a digest of files; one that cannot be read counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:
            content = b""
        digest.update(f"{file}\0{len(content)}\0".encode(errors="surrogateescape"))
        digest.update(content)
    return digest.hexdigest()


def _packs(settings: Settings) -> Iterator[Path]:
    for folder in settings.catalog:
        yield from sorted(folder.rglob("*.yaml"))
