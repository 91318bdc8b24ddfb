"""A pool that makes do with the threads it has."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SHORT = """
import resource, threading
from gateway.threads import Threads
pool = Threads(4)
assert pool.submit(lambda: 1).result() == 1
gate = threading.Event()
first = pool.submit(gate.wait)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 20), resource.RLIM_INFINITY))  # no room for another stack
rest = [pool.submit(lambda n=n: n) for n in range(3)]
gate.set()
print([each.result() for each in rest])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_work_is_done_by_the_threads_there_are() -> None:
    """F62: with no memory for another thread, what is handed in waits for one that is there, and is done."""
    done = subprocess.run([sys.executable, "-c", _SHORT], check=False, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[0, 1, 2]\n", done.stderr
