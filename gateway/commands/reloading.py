"""Policy, packs and secrets in files, taken anew when they change or when SIGHUP asks; a bad file keeps the old ones."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gateway import log, metrics
from gateway import settings as policy
from gateway.documents import Mistakes
from gateway.providers.folder import files
from gateway.running import Running
from gateway.settings import Settings

# Content is compared, not times: a mounted ConfigMap changes by swapping links, which no watcher of a file sees.
_EVERY = 5.0  # seconds
# What a reload changes; everything else is joined once, at the start.
_HOT = frozenset({"source", "catalog", "providers", "policy", "webhooks", "delivery"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the files held when they were looked at, in short."""

    policy: str
    secrets: str
    packs: str


class Reloading:
    """Watches the files behind a running gateway."""

    def __init__(
        self, settings: Settings, path: Path | None, environ: Mapping[str, str], *, every: float = _EVERY
    ) -> None:
        """Watch the policy file at `path` and the packs it names; look every so many seconds."""
        self._settings = settings  # in force
        self._read = settings  # read last; the packs of one that was refused are watched for what puts it right
        self._path = path
        self._environ = environ
        self._every = every
        self._asked = asyncio.Event()
        self._seen = _Seen("", "", "")
        self._task: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Hear SIGHUP from now on, and note what is about to be loaded: what changes while the gateway starts is a change."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        self._seen = await self._look(())

    async def start(self, gateway: Running) -> None:
        """Begin, for a gateway that has loaded what was there."""
        self._seen = replace(self._seen, secrets=(await self._look(gateway.loaded.secrets.files)).secrets)
        self._task = asyncio.create_task(self._watch(gateway), name="reloading")

    async def stop(self) -> None:
        """End; SIGHUP is heard on, and means nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self, gateway: Running) -> None:
        while True:
            asked = await self._is_asked()
            now = await self._look(gateway.loaded.secrets.files)
            if not asked and now == self._seen:
                continue
            self._seen = now
            try:
                await self._reload(gateway)
            except Exception as error:  # noqa: BLE001 - a defect of ours: what is in force stays, and the next change is seen
                metrics.RELOADS.labels("refused").inc()
                log.event("reload_broke", level="error", error=error)

    async def _look(self, secrets: Iterable[Path]) -> _Seen:
        """Give what the policy file, the files of secrets and the packs hold now."""
        policy_file = () if self._path is None else (self._path,)
        groups = (policy_file, secrets, _packs(self._read))
        return _Seen(*[await asyncio.to_thread(_digest, group) for group in groups])

    async def _is_asked(self) -> bool:
        """Wait for SIGHUP or until it is time to look; tell which it was."""
        try:
            await asyncio.wait_for(self._asked.wait(), self._every)
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _reload(self, gateway: Running) -> None:
        try:
            settings = await asyncio.to_thread(policy.load, self._path, self._environ)
        except Mistakes as mistakes:
            metrics.RELOADS.labels("refused").inc()
            _refused(mistakes)
            return
        self._read = settings
        # Looked at before it is loaded: what changes in between is a change the next look finds.
        self._seen = replace(self._seen, packs=(await self._look(())).packs)
        try:
            await gateway.reload(settings, self._environ)
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
        yield from (path for path in files(folder) if path.suffix == ".yaml")
