"""The gateway of a workload: its policy in a folder of its own, a key made by the real command, and the process that serves."""

from __future__ import annotations

import functools
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gateway.ingress.callers import Scope
from tests.bench.figure import Bench
from tests.bench.process import Process, free_port, module, run
from tests.harness.warm import warm

CREDITS = 9_000_000  # of the account: more than any workload spends
# Of the variables there are: a provider's secret among the others would have it asked too.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")
_SECRETS = {"OPENAI_API_KEY": "sk-bench", "REPLICATE_API_TOKEN": "r8-bench"}  # the far end takes anything


class Gateway:
    """One gateway: it can be started, ended and started again over the same store."""

    def __init__(self, folder: Path, policy: str, secrets: Mapping[str, str] | None = None) -> None:
        """Write its policy; `listen`, `store` and `egress` are added. Only providers whose secret is given are asked."""
        self.folder = folder
        self.origin = f"http://127.0.0.1:{(port := free_port())}"
        self.config = folder / "config.yaml"
        self.key = ""
        self._process: Process | None = None
        given = _SECRETS if secrets is None else secrets
        self.environ = {name: os.environ[name] for name in _KEPT if name in os.environ} | dict(given)
        # What the far end's address needs; nothing else differs from the defaults unless the workload says so.
        self.config.write_text(
            f"listen: 127.0.0.1:{port}\nstore: sqlite:gateway.db\negress: {{allow: [127.0.0.0/8]}}\n{policy}"
        )

    def prepare(self) -> None:
        """Put a store there with an account that has credits, and a key that may do everything but what is the operator's."""
        files, self.key = _made()
        for name, data in files.items():
            path = self.folder / name
            path.touch(0o600)
            path.write_bytes(data)

    def command(self, *words: str) -> str:
        """Run one of the gateway's commands with its policy: stdout."""
        return run(module("gateway", *words, "-c", str(self.config)), environ=self.environ)

    def start(self, seconds: float = 60) -> float:
        """Start it: seconds from the start of the process until it is ready."""
        begun = time.perf_counter()
        self._process = Process(
            "gateway", module("gateway", "serve", "-c", str(self.config)), self.folder / "gateway.log", self.environ
        )
        self._process.answers(self.origin + "/readyz", seconds)
        return time.perf_counter() - begun

    @property
    def process(self) -> Process:
        """The process that serves."""
        assert self._process is not None, "it was not started"
        return self._process

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request of a caller carries."""
        return {"Authorization": f"Bearer {self.key}"}

    @property
    def sends(self) -> Mapping[str, str]:
        """What every request with a body carries."""
        return {**self.headers, "Content-Type": "application/json"}

    def close(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self._process.stop()


@functools.cache
def _made() -> tuple[Mapping[str, bytes], str]:
    """The files of a store that the real commands made, and the key they printed; made once a run."""
    with tempfile.TemporaryDirectory(prefix="gateway-") as folder:
        first = Gateway(Path(folder), "")
        warm(first.folder / "gateway.db")
        scopes = ",".join(scope for scope in Scope if scope is not Scope.ADMIN)
        key = first.command("keys", "create", "bench", "--scopes", scopes).strip()
        first.command("credits", "add", str(CREDITS))
        files = {path.name: path.read_bytes() for path in first.folder.glob("gateway.db*") if path.is_file()}
        return files, key


@contextmanager
def gateway(
    bench: Bench, policy: str, *, secrets: Mapping[str, str] | None = None, under: Path | None = None
) -> Iterator[Gateway]:
    """A gateway that serves; `policy` is YAML. Its folder is in the run's scratch, or in another (a file system in memory, say)."""
    with tempfile.TemporaryDirectory(prefix="gateway-", dir=under or bench.scratch) as folder:
        found = Gateway(Path(folder), policy, secrets)
        try:
            found.prepare()
            found.start()
            yield found
        finally:
            found.close()


def providers(**bases: str) -> str:
    """The line of a policy that says where providers are."""
    return f"providers: {json.dumps({name: {'base': base} for name, base in bases.items()})}\n"
