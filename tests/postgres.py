"""A real PostgreSQL server for the tests that need one: started once a process, a fresh database for whoever asks.

`TEST_PG_DSN` names a server that is there, by the address of a database of it whose user may create others. Without it the
binaries of the system are looked for. There is no third way, and no skipping: a store nobody tried is a store that loses money.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from gateway.ledger.database import Database

_NOBODY = 65534  # the server refuses to run as root
_numbers = count(1)


def binary(name: str) -> str:
    """Where a program of the server's is."""
    folders = [os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None:
        raise RuntimeError(f"there is no {name}: install a PostgreSQL server (Debian: postgresql), or set TEST_PG_DSN")
    return found


class Server:
    """A server of one's own: it can be killed and started again, and keeps what it was told across both."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        """Lie in a new folder; one that is not `durable` leaves out the disk's sync, for tests that never crash it."""
        self.folder = folder
        self.port = _free_port()
        self.listen = "127.0.0.1"
        self._more = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self._as = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(mode=0o700, parents=True)
        if self._as:
            os.chown(folder, _NOBODY, _NOBODY)
        making = [
            binary("initdb"),
            "-D",
            str(folder / "data"),
            "-U",
            "tidegate",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run([*self._as, *making], check=True, stdout=subprocess.DEVNULL)

    def address(self, database: str = "postgres") -> str:
        """How a database of it is reached."""
        return f"postgresql://tidegate@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, and come back once it takes connections."""
        command = [binary("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), "-p", str(self.port)]
        command += ["-c", f"listen_addresses={self.listen}", "-c", "max_connections=200", *self._more]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*self._as, *command], stdout=log, stderr=log, start_new_session=True)
        ready = [binary("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-t", "30", "-q"]
        for _ in range(300):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
                raise RuntimeError(f"the server ended: {(self.folder / 'log').read_text()[-2000:]}")
        raise RuntimeError("the server did not come up")

    def kill(self) -> None:
        """End all of it at once, as a machine that loses power would. It is waited for: a dead process still owns its folder."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it in an orderly way, without waiting for clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def own(*, durable: bool = True) -> Iterator[Server]:
    """A server of one's own, to be hurt. Its folder is one that its user may go into."""
    folder = Path(tempfile.mkdtemp(prefix="tidegate-pg-"))
    folder.chmod(0o755)
    server = Server(folder / "server", durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@cache
def address() -> str:
    """The address of the one server of this process, which ends with it."""
    given = os.environ.get("TEST_PG_DSN")
    if given:
        return given
    folder = Path(tempfile.mkdtemp(prefix="tidegate-pg-"))
    folder.chmod(0o755)
    server = Server(folder / "server", durable=False)
    server.start()
    pid = os.getpid()

    def end() -> None:
        if os.getpid() == pid:
            server.kill()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return server.address()


def named(database: str) -> str:
    """The address of another database of that server."""
    return urlunsplit(urlsplit(address())._replace(path=f"/{database}"))


class _Row(tuple[Any, ...]):  # noqa: SLOT001 - a tuple has no room for slots with values
    """A row that is read by column name or by place."""

    names: Sequence[str]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


def _rows(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], _Row]:
    names = [column.name for column in cursor.description or ()]

    def row(values: Sequence[Any]) -> _Row:
        made = _Row(values)
        made.names = names
        return made

    return row


@contextlib.contextmanager
def connected(where: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection past the store, whose rows are read by name or by place."""
    with psycopg.connect(where, autocommit=True, row_factory=_rows) as connection:
        yield connection


@contextlib.contextmanager
def fresh(template: str | None = None) -> Iterator[str]:
    """The address of a database nobody has used, or of a copy of another; it goes afterwards."""
    name = f"tidegate_{os.getpid()}_{next(_numbers)}"
    with connected(address()) as connection:
        connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        try:
            yield named(name)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@cache
def migrated() -> str:
    """The name of a database that has every migration, to be copied: making one takes twenty times as long."""
    name = f"tidegate_{os.getpid()}_template"

    async def make() -> None:
        store = await Database.open(named(name), now=lambda: 1)
        await store.close()

    with connected(address()) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    # In a thread: whoever asks may be in a loop already.
    thread = threading.Thread(target=lambda: asyncio.run(make()))
    thread.start()
    thread.join()
    return name
