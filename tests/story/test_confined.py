"""A gateway that may do almost nothing: no capability, no new privileges, a root that cannot be written, one folder of its own.

S81: what the image and the manifests say about the same is checked beside them, in tests/deploy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.gateway.commands.shell import PROJECT

_NOBODY = 65532  # the user of images without a root
_STORY = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$PLACE"
chmod 1777 "$PLACE"
mount -o remount,bind,ro /
cd "$PLACE"
exec setpriv $USER_IS --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""
# Says first what it is held to, so that the test sees that the walls stand; then serves, fails over and saves a picture.
_INSIDE = """
import os, pathlib, runpy, sys
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print("uid", os.getuid(), "caps", int(status["CapBnd"], 16), "new", int(status["NoNewPrivs"]), flush=True)
try:
    pathlib.Path(os.environ["OUTSIDE"], "written").write_text("x")
    print("the root can be written", flush=True)
except OSError as error:
    print("read-only:", error.errno, flush=True)
sys.argv = ["tidegate", "demo", "--once", "--port", "0"]
runpy.run_module("gateway", run_name="__main__")
"""


def _unshare() -> list[str] | None:
    """The command that gives a process mounts of its own, or None where there is none that works."""
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        return None
    plain = ["unshare", "--mount"]
    return plain if os.geteuid() == 0 else [*plain, "--user", "--map-root-user"]


def _is_open_to_all(path: Path) -> bool:
    """Whether every user may go to a file and run it."""
    return all(parent.stat().st_mode & 0o001 for parent in (path, *path.parents))


def test_a_gateway_without_rights_serves(tmp_path: Path) -> None:
    """S80: without a capability, on a root it cannot write, as nobody where it can be, the demo runs to its picture."""
    command = _unshare()
    if command is None:
        pytest.skip("needs unshare and setpriv, which come with util-linux")
    if subprocess.run([*command, "true"], capture_output=True, check=False, timeout=30).returncode:
        pytest.skip("this machine gives no process mounts of its own")
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    reachable = all(_is_open_to_all(Path(path).resolve()) for path in (sys.executable, PROJECT / "gateway"))
    nobody = os.geteuid() == 0 and reachable
    user = f"--reuid {_NOBODY} --regid {_NOBODY} --clear-groups" if nobody else ""
    place = tempfile.mkdtemp(prefix="t")  # a socket's path has to be short
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": place,
        "PLACE": place,
        "OUTSIDE": str(outside),
        "USER_IS": user,
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": place,
    }
    told = subprocess.run(
        [*command, "sh", "-c", _STORY, "sh", sys.executable, "-c", _INSIDE],
        env=environ, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    Path(place).rmdir()  # what was written there went with its mount
    said = told.stdout.splitlines()
    assert told.returncode == 0, told.stderr
    assert said[0].endswith("caps 0 new 1"), said
    assert said[0].startswith(f"uid {_NOBODY if nobody else 0} ")
    assert said[1] == "read-only: 30", said
    assert any(line.startswith("saved") for line in said), said
    assert list(outside.iterdir()) == []
