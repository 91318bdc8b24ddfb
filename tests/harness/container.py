"""A container as a careful operator runs one: an OCI bundle for `runc`, with nothing writable but /data and /tmp.

Root file system read-only, uid 65532, no capability, `no_new_privs`, the runtime's usual seccomp profile, and an address
of its own in a network namespace, so that what only listens on loopback is not reached.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

USER = 65532
_PROFILE = Path("/usr/share/containers/seccomp.json")
_NETWORK = 0x40000000  # CLONE_NEWNET
INSIDE = "192.0.2.2"  # the first container
SERVICES = "192.0.2.129"  # what this process serves to the containers it starts


def command(*words: str | Path, check: bool = True, timeout: float = 900) -> str:
    """Run a command and give what it printed; CalledProcessError with its stderr when it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def leave_the_network() -> None:
    """Put this process into a network of its own, where only the containers it starts are reached, and nothing else is."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NETWORK):
        raise OSError(ctypes.get_errno(), "no network namespace can be made")
    command("ip", "link", "set", "lo", "up")
    command("ip", "addr", "add", f"{SERVICES}/32", "dev", "lo")


class Container:
    """One container over a root folder that stays as it is."""

    def __init__(
        self,
        name: str,
        root: Path,
        folder: Path,
        image: Mapping[str, Any],
        number: int = 0,
        within: Container | None = None,
    ) -> None:
        """Prepare a bundle in `folder` for the image's config; data that others left in `folder` stays.

        Those that run at once have `number`s of their own, from 0 to 31; one `within` another has that one's network.
        """
        self.name = name
        self.address = f"192.0.2.{4 * number + 2}"
        self._outside = f"192.0.2.{4 * number + 1}"
        self._within = within
        self.data = folder / "data"
        self._folder, self._root, self._image = folder, root, image
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / f"{name}.log"
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            os.chown(self.data, USER, USER)

    def start(
        self, words: Sequence[str], environ: Mapping[str, str] | None = None, mounts: Mapping[str, Path] | None = None
    ) -> None:
        """Start it with these words behind the entry point, as `docker run` does, and with folders that are only read."""
        if self._within is None:
            self._open_line()
        bundle = _bundle(self._root, self.data, [*self._image["Entrypoint"], *words], self._image, environ or {})
        bundle["mounts"] += [
            {"destination": where, "type": "bind", "source": str(folder), "options": ["rbind", "ro", "nosuid", "nodev"]}
            for where, folder in (mounts or {}).items()
        ]
        network = self.name if self._within is None else self._within.name
        bundle["linux"]["namespaces"].append({"type": "network", "path": f"/run/netns/{network}"})
        (self._folder / "config.json").write_text(json.dumps(bundle))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                ["runc", *self._runtime, "run", "--bundle", str(self._folder), self.name], stdout=log, stderr=log
            )

    def execute(self, *words: str) -> str:
        """Run a command inside, as `docker exec` does."""
        return command("runc", *self._runtime, "exec", self.name, *words, timeout=60)

    def stop(self, patience: float = 60) -> int:
        """Send SIGTERM, and give the exit code."""
        command("runc", *self._runtime, "kill", self.name, "TERM")
        return self.wait(patience)

    def kill(self) -> None:
        """SIGKILL: nothing is said goodbye to."""
        command("runc", *self._runtime, "kill", self.name, "KILL")
        self.wait(10)

    def wait(self, patience: float) -> int:
        """Wait for its end, and give the exit code."""
        assert self._process is not None
        return self._process.wait(patience)

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """Leave nothing behind but what it wrote."""
        if self.is_running():
            command("runc", *self._runtime, "delete", "--force", self.name, check=False)
            with suppress(subprocess.TimeoutExpired):
                self.wait(10)
        if self._within is not None:
            return
        # The namespace goes when the last process in it is gone, and would take the line with it only then.
        command("ip", "link", "delete", self._near, check=False)
        command("ip", "netns", "delete", self.name, check=False)

    @property
    def _runtime(self) -> list[str]:
        return ["--root", str(self._folder / "state")]

    @property
    def _near(self) -> str:
        return f"{self.name.removeprefix('tidegate-')}-outside"[:15]  # what the system allows

    def _open_line(self) -> None:
        """Give it an address that only this machine reaches, and its own loopback."""
        command("ip", "netns", "add", self.name)
        near, far = self._near, "eth0"
        command("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
        command("ip", "addr", "add", f"{self._outside}/30", "dev", near)
        command("ip", "link", "set", near, "up")
        inside = ("ip", "-n", self.name)
        command(*inside, "addr", "add", f"{self.address}/30", "dev", far)
        for device in (far, "lo"):
            command(*inside, "link", "set", device, "up")
        command(*inside, "route", "add", f"{SERVICES}/32", "via", self._outside)


def _bundle(
    root: Path, data: Path, words: Sequence[str], image: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, Any]:
    nothing = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
    tmpfs = ["nosuid", "nodev", "noexec", "mode=1777", "size=64m"]
    user, _, group = image["User"].partition(":")
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": int(user), "gid": int(group)},
            "args": list(words),
            "env": [*image["Env"], *(f"{name}={value}" for name, value in environ.items())],
            "cwd": image["WorkingDir"],
            "capabilities": nothing,
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": True},
        "hostname": "tidegate",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": tmpfs},
            {
                "destination": "/data",
                "type": "bind",
                "source": str(data),
                "options": ["rbind", "rw", "nosuid", "nodev"],
            },
        ],
        "linux": {
            "namespaces": [{"type": each} for each in ("pid", "ipc", "uts", "mount")],
            "seccomp": _seccomp(),
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/sysrq-trigger"],
            "readonlyPaths": ["/proc/sys", "/proc/bus", "/proc/fs", "/proc/irq"],
        },
    }


def _seccomp() -> dict[str, Any] | None:
    """The usual profile for a process without capabilities; none where the machine has none."""
    if not _PROFILE.is_file():
        return None
    usual = json.loads(_PROFILE.read_text())
    rules = [
        {key: each[key] for key in ("names", "action", "args", "errnoRet") if each.get(key) is not None}
        for each in usual["syscalls"]
        if not each["includes"].get("caps") and "arches" not in each["includes"]
    ]
    amd64 = {"names": ["arch_prctl", "modify_ldt"], "action": "SCMP_ACT_ALLOW"}
    return {
        "defaultAction": usual["defaultAction"],
        "defaultErrnoRet": usual.get("defaultErrnoRet", 38),
        "architectures": ["SCMP_ARCH_X86_64"] if re.match("x86", os.uname().machine) else ["SCMP_ARCH_AARCH64"],
        "syscalls": [*rules, amd64],
    }
