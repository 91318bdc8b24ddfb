"""What holds for every test: properties are tried often enough, and what the suites leave behind holds no secret."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from gateway.simulators import Simulators
from tests.harness.spellings import Watch, files, keys_in

settings.register_profile("usual", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("usual")

gc.disable()  # until all is imported: nearly all of it stays, and looking through it is a fifth of the time

# Names of what a gateway writes; what a test writes for it, such as its policy, holds the secrets it is given.
_WRITTEN = (".db", ".db-wal", ".db-shm", ".log", ".packs")


def pytest_collection_finish() -> None:
    """What is imported by now stays: it need not be gone over again at every collection of garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """S63: search every store, log and output that the suites left for the keys they were given, and for whole API keys."""
    if hasattr(session.config, "workerinput"):
        return  # the process that started the workers looks when all are done
    folder = Path(session.config._tmp_path_factory.getbasetemp())
    watch = Watch(Simulators().secrets)
    found = []
    for path, data in files(folder):
        if path.name.endswith(_WRITTEN) or "outputs" in path.parts:
            names = watch.seen(data) | ({"an API key"} if keys_in(data) else set())
            found += [f"{name} in {path}" for name in sorted(names)]
    if found:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        for line in found:
            reporter.write_line(f"SECRET LEFT BEHIND: {line}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
