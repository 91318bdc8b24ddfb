"""A process that a run starts, and never leaves behind: what it costs, what it holds, and its end."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
_PR_SET_PDEATHSIG = 1  # prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def free_port() -> int:
    """A port nobody listens on just now."""
    # Not the one of tests.harness.process: what that imports would take a load generator half a second to start.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """A process of its own session. It gets SIGTERM when the benchmark dies, however that dies."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start it; `environ` is all of its variables, its words go to `log`."""
        self.name = name
        self.log = log
        with log.open("ab") as words:
            self._process = subprocess.Popen(
                list(command),
                cwd=folder or ROOT,
                env=dict(os.environ if environ is None else environ),
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs here but this one
            )

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """How it ended, None while it runs."""
        return self._process.poll()

    def answers(self, url: str, seconds: float = 60, status: int = 200) -> float:
        """Wait until it answers a GET with a status: seconds since the call. RuntimeError when it ends before, or does not in time."""
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            if self.code is not None:
                raise RuntimeError(f"{self.name} ended with {self.code}: {self.words()}")
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    if answer.status == status:
                        return time.perf_counter() - begun
            except urllib.error.HTTPError as error:
                if error.code == status:
                    return time.perf_counter() - begun
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"{self.name} did not answer {url} with {status} in {seconds:g} s: {self.words()}")

    def cpu(self) -> float:
        """Seconds of processor it has used, with those of its children that live."""
        total = 0
        for pid in self._family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def rss(self) -> int:
        """Bytes of memory it has resident, its children's too; what they share counts for each."""
        return sum(_kib(f"/proc/{pid}/status", "VmRSS:") for pid in self._family()) * 1024

    def pss(self) -> int:
        """Bytes of memory it has resident, its children's too; what is shared is split among those that share it."""
        return sum(_kib(f"/proc/{pid}/smaps_rollup", "Pss:") for pid in self._family()) * 1024

    def words(self, most: int = 2000) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-most:]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self.code is None:
            self._process.send_signal(number)

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code when it ends. subprocess.TimeoutExpired when it does not in so many seconds."""
        return self._process.wait(seconds)

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, SIGKILL after so many seconds, and its exit code."""
        self.send(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.kill()

    def kill(self) -> int:
        """SIGKILL to it and to all it started, and its exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait()

    def _family(self) -> Iterator[int]:
        """It and all below it."""
        waiting = [self.pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            try:
                for task in Path(f"/proc/{pid}/task").iterdir():
                    waiting += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _kib(path: str, field: str) -> int:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


@contextmanager
def started(
    name: str,
    command: Sequence[str],
    scratch: Path,
    *,
    environ: Mapping[str, str] | None = None,
    url: str | None = None,
    seconds: float = 60,
) -> Iterator[Process]:
    """A process that runs for as long as the block does; with `url` it has answered there before the block begins."""
    process = Process(name, command, scratch / f"{name}.log", environ)
    try:
        if url is not None:
            process.answers(url, seconds)
        yield process
    finally:
        process.stop()


def module(name: str, *arguments: str) -> list[str]:
    """The command of a Python module of this repository, in this interpreter. Its working folder is the repository's root."""
    return [sys.executable, "-m", name, *arguments]


def run(
    command: Sequence[str], *, environ: Mapping[str, str] | None = None, seconds: float = 120, given: str = ""
) -> str:
    """Run a command to its end: its stdout. RuntimeError with its stderr when it fails or takes longer."""
    process = subprocess.Popen(
        list(command), cwd=ROOT, env=dict(os.environ if environ is None else environ), text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - no thread runs here but this one
    )  # fmt: skip
    try:
        said, complaint = process.communicate(given, timeout=seconds)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:6])} ended with {process.returncode}: {(complaint or said)[-2000:]}")
    return said
