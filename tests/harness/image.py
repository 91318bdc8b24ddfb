"""The image, built and run: `python -m tests.harness.image [--base TAR]`; one line of figures.

Needs root, and `buildah`, `runc`, `mmdebstrap` and `ip` as Debian packages them; no daemon and no registry of images. Without
`--base` a root file system with Python is made first, in the place of the base that the Dockerfile names, and kept for the next
time in the folder that `--keep` names.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.harness import pod
from tests.harness.container import INSIDE, Container, command, leave_the_network

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("buildah", "runc", "ip")
_SUITE = "trixie"
_BASE = "localhost/tidegate-base"
_IMAGE = "localhost/tidegate"


@dataclass(frozen=True, slots=True)
class Image:
    """What was built: its root folder, its config, its size in bytes beyond the base and in all."""

    root: Path
    config: Mapping[str, Any]
    own: int
    size: int


class Builder:
    """Builds with a storage of its own that is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        """Keep everything in `folder`."""
        self._words = ("buildah", "--root", str(folder / "store"), "--runroot", str(folder / "run"))

    def build(self, base: Path) -> Image:
        """Build the Dockerfile of this checkout on a root file system, and open the result."""
        work = self("from", "scratch").strip()
        self("add", "--quiet", work, base, "/")
        self("commit", "--quiet", "--rm", work, _BASE)
        certificates = "/etc/ssl/certs:/etc/ssl/certs:ro"  # of whatever stands between here and the package index
        self(
            "build", "--isolation", "chroot", "--format", "docker", "--build-arg", f"BASE={_BASE}",
            "--volume", certificates, "--tag", _IMAGE, ROOT,
        )  # fmt: skip
        config = json.loads(self("inspect", "--type", "image", _IMAGE))["Docker"]["config"]
        root = Path(self("mount", self("from", _IMAGE).strip()).strip())
        sizes = [json.loads(self("inspect", "--type", "image", name))["OCIv1"] for name in (_BASE, _IMAGE)]
        assert sizes[1]["rootfs"]["diff_ids"][0] == sizes[0]["rootfs"]["diff_ids"][0], "it is not built on the base"
        return Image(root, config, _size(root / "opt" / "tidegate"), _size(root))

    def close(self) -> None:
        """Throw the storage away."""
        self("umount", "--all")
        self("rm", "--all")
        self("rmi", "--all", "--force")

    def __call__(self, *words: str | Path) -> str:
        """Run one command of it."""
        return command(*self._words, *words)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink())


def made(folder: Path) -> Path:
    """Give a root file system with Python and pip, made when it is not there."""
    tar = folder / f"{_SUITE}.tar"
    if not tar.is_file():
        packages = "--include=python3,python3-venv,python3-pip,ca-certificates"
        command("mmdebstrap", "--quiet", "--variant=minbase", packages, _SUITE, tar)
    return tar


def _ask(
    path: str, key: str | None = None, body: Mapping[str, Any] | None = None, port: int = 8080
) -> tuple[int, bytes]:
    """Ask from outside; status 0 while nobody answers."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{INSIDE}:{port}{path}", data, headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def _until(holds: Callable[[], bool], container: Container, patience: float = 60) -> float:
    """Wait until something holds, and give the seconds it took."""
    begun = time.monotonic()
    while not holds():
        if not container.is_running() or time.monotonic() - begun > patience:
            raise SystemExit(f"it does not serve: {container.log.read_text()[-3000:]}")
        time.sleep(0.05)
    return time.monotonic() - begun


@contextmanager
def container(
    name: str,
    image: Image,
    folder: Path,
    *,
    entrypoint: Sequence[str] = (),
    number: int = 0,
    within: Container | None = None,
) -> Iterator[Container]:
    """Prepare a container, and leave nothing of it behind."""
    place = folder / name
    place.mkdir(exist_ok=True)
    config = {**image.config, "Entrypoint": entrypoint} if entrypoint else image.config
    made = Container(name, image.root, place, config, number, within)
    try:
        yield made
    finally:
        made.close()


def demo(image: Image, folder: Path) -> None:
    """`docker run IMAGE demo` is reached from outside, fails over, and serves the caller who has its key."""
    with container("tidegate-demo", image, folder) as it:
        it.start(["demo", "--host", "0.0.0.0"])
        _until(lambda: "now try" in it.log.read_text() and _ask("/readyz")[0] == 200, it)
        said = it.log.read_text()
        [key] = set(re.findall(r"bye_[A-Za-z0-9_]+", said))
        assert re.search(r"byteplus .* provider_unavailable", said), said
        assert _ask("/v1/status")[0] == 401
        told = _ask("/v1/generate/image/bytedance/seedream-4.5", key, {"generation_prompt": "a red boat"})
        assert told[0] in {200, 201, 202}, told
        generation = json.loads(told[1])["data"]["generation_id"]
        _until(lambda: b'"succeeded"' in _ask(f"/v1/content/{generation}", key)[1], it)
        assert it.execute("tidegate", "healthcheck").strip() == "ok"
        assert it.stop() == 0
        assert list(it.data.glob("tidegate-demo.*")), "the picture is not where the data is"


def once(image: Image, folder: Path) -> None:
    """`docker run IMAGE demo --once` ends well."""
    with container("tidegate-once", image, folder) as it:
        it.start(["demo", "--once"])
        assert it.wait(60) == 0, it.log.read_text()


def serve(image: Image, folder: Path) -> tuple[float, float]:
    """`docker run IMAGE` serves, keeps what it has in /data, writes nowhere else; gives the seconds of start and stop."""
    with container("tidegate-serve", image, folder) as it:
        it.start(image.config["Cmd"], {"TIDEGATE_METRICS": "0.0.0.0:9090", "FAL_KEY": "not-a-key"})
        up = _until(lambda: _ask("/readyz")[0] == 200, it)
        check = image.config["Healthcheck"]["Test"]
        assert check[0] == "CMD", check
        assert it.execute(*check[1:]).strip() == "ok"
        assert _ask("/metrics")[0] in {401, 404}
        assert b"tidegate_build_info" in _ask("/metrics", port=9090)[1]
        key = json.loads(it.execute("tidegate", "keys", "create", "app", "--json"))["key"]
        assert _ask("/v1/status", key)[0] == 200
        status = dict(line.split(":\t") for line in it.execute("cat", "/proc/1/status").splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["65532"] * 4, status
        assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {0}, status
        assert status["NoNewPrivs"] == "1", status
        assert status["Seccomp"] == "2" or not Path("/usr/share/containers/seccomp.json").is_file(), status
        for place in ("/", "/etc/tidegate", "/opt/tidegate", "/var/lib", "/usr/bin"):
            said = it.execute("python3", "-c", f"import os; print(os.access({place!r}, os.W_OK))")
            assert said.strip() == "False", place
        begun = time.monotonic()
        assert it.stop() == 0, it.log.read_text()
        down = time.monotonic() - begun
        assert "not-a-key" not in it.log.read_text()
        left = {path.name for path in it.data.iterdir()}
        assert "tidegate.db" in left, left
    return up, down


def beside(image: Image, folder: Path) -> None:
    """With three variables it is a sidecar: who is in the container's network asks without a key, and nobody else reaches it."""
    environ = {"TIDEGATE_LISTEN": "127.0.0.1:8080", "TIDEGATE_AUTH": "none", "TIDEGATE_METRICS": "0.0.0.0:9090"}
    with container("tidegate-beside", image, folder) as it:
        it.start(["serve"], environ)
        _until(lambda: _ask("/readyz", port=9090)[0] == 200, it)
        assert _ask("/readyz")[0] == 0
        ask = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8080/v1/status').status)"
        assert it.execute("python3", "-c", ask).strip() == "200"
        assert it.execute("tidegate", "healthcheck").strip() == "ok"


def again(image: Image, folder: Path) -> None:
    """A second container takes up what the first one left."""
    with container("tidegate-serve", image, folder) as it:
        it.start(["serve"])
        _until(lambda: _ask("/readyz")[0] == 200, it)
        assert "app" in it.execute("tidegate", "keys", "list")
        it.stop()


def main() -> None:
    """Build, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.harness.image", description=__doc__)
    parser.add_argument("--base", type=Path, metavar="TAR", help="root file system with Python 3.11 or newer and pip")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where a root file system that is made stays")
    asked = parser.parse_args()
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise SystemExit(f"install {', '.join(missing)}")
    if os.getuid() != 0:
        raise SystemExit("only root makes namespaces and file systems as they are needed here")
    with tempfile.TemporaryDirectory(prefix="tidegate-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        base = asked.base or made(asked.keep or folder)
        builder = Builder(folder)
        try:
            begun = time.monotonic()
            image = builder.build(base)
            built = time.monotonic() - begun
            leave_the_network()
            once(image, folder)
            demo(image, folder)
            up, down = serve(image, folder)
            again(image, folder)
            beside(image, folder)
            prepared = partial(container, image=image, folder=folder)
            pod.replicas(prepared, folder)
            pod.sidecar(prepared, folder)
        finally:
            builder.close()
    print(
        f"image: {image.size / 1e6:.0f} MB, {image.own / 1e6:.0f} MB of it beyond the base; built in {built:.0f} s;"
        f" ready {up:.1f} s after the start, stopped in {down:.1f} s"
    )


if __name__ == "__main__":
    main()
