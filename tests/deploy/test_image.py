"""The image's recipe: what is pinned, what is left out, and which policy it holds. `tests.harness.image` builds and runs it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from gateway import __version__
from gateway import settings as policy
from gateway.commands.index import COMMANDS
from gateway.documents import Mistakes
from gateway.settings import Auth
from tests.house.tree import ROOT

DOCKERFILE = ROOT / "Dockerfile"
Step = tuple[str, str]

_JOINED = re.compile(r"\\\n(?:[ \t]*#[^\n]*\n)*")


def steps() -> list[list[Step]]:
    """Each stage's instructions, with what they say; what stands before the first stage is one too."""
    text = _JOINED.sub(" ", DOCKERFILE.read_text(encoding="utf-8"))
    stages: list[list[Step]] = [[]]
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, re.sub(r"\s+", " ", rest.strip())))
    return stages


BEFORE, BUILD, FINAL = steps()


def said(stage: list[Step], word: str) -> list[str]:
    """What an instruction says in a stage, each time it stands there."""
    return [rest for name, rest in stage if name == word]


def test_the_base_is_named_by_its_digest() -> None:
    """S81: both stages stand on one base, and its digest says which, whatever the tag comes to mean."""
    [base] = said(BEFORE, "ARG")
    assert re.fullmatch(r"BASE=python:3\.\d+\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", base)
    assert said(BUILD, "FROM") == ["${BASE} AS build"]
    assert said(FINAL, "FROM") == ["${BASE}"]


def test_it_runs_as_nobody() -> None:
    """S81: uid and gid by number, so that Kubernetes can see that it is not root, and nothing after it changes that."""
    assert said(FINAL, "USER") == ["65532:65532"]
    assert [word for word, _ in FINAL[FINAL.index(("USER", "65532:65532")) :]].count("RUN") == 0


def test_no_tool_is_added_to_what_runs() -> None:
    """S81: the last stage installs nothing, takes its installer away, and leaves no file that makes another user of anybody."""
    [run] = said(FINAL, "RUN")
    assert not re.search(r"apt|apk|curl|wget|pip\d? install|bash", run)
    assert "/usr/local/bin/pip*" in run
    assert "find / -xdev -type f -perm /6000 -exec chmod a-s {} +" in run
    copied = said(FINAL, "COPY")
    assert copied == ["--from=build /opt/tidegate /opt/tidegate", "--from=build /etc/tidegate /etc/tidegate"]
    assert not said(BUILD, "ADD") + said(FINAL, "ADD")


def test_nothing_is_installed_unseen() -> None:
    """S82: whatever pip installs for the image is held to the hashes of a lock, or is the wheel just built."""
    installs = [
        part for run in said(BUILD, "RUN") for part in run.split(" && ") if re.search(r"\bpip\b.*\binstall\b", part)
    ]
    assert len(installs) == 3
    for each in installs:
        assert "--require-hashes --only-binary :all:" in each or "--no-deps --no-index" in each, each


def test_what_builds_is_locked_with_the_rest() -> None:
    """S82: what builds the wheel has the versions that are tested, and each line its hashes."""
    pin = re.compile(r"^(\S+)==(\S+)", re.MULTILINE)
    building, tested = (
        dict(pin.findall((ROOT / ".ci" / f"{name}.lock").read_text(encoding="utf-8")))
        for name in ("build", "development")
    )
    assert "hatchling" in building
    assert building.items() <= tested.items(), "run .ci/lock"
    text = (ROOT / ".ci" / "build.lock").read_text(encoding="utf-8")
    assert text.count("--hash=sha256:") >= 2 * len(building)
    assert "://" not in text


def test_it_can_do_all_that_a_policy_asks_for() -> None:
    """What it runs on is the lock with every extra, and nothing of the locks for tests."""
    [run] = [each for each in said(BUILD, "RUN") if "--require-hashes" in each]
    assert re.findall(r"/opt/(\w+)/bin/python install .*? -r (\S+\.lock)", run) == [
        ("tidegate", "image.lock"),
        ("build", "build.lock"),
    ]


def test_words_reach_the_program_as_they_are() -> None:
    """S81: entry point, command and check are lists, so that signals reach the gateway, and each command there is exists."""
    [entry], [usual], [check] = (said(FINAL, word) for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    assert json.loads(entry) == ["tidegate"]
    assert json.loads(usual) == ["serve"]
    assert json.loads(check.partition("CMD ")[2]) == ["tidegate", "healthcheck"]
    assert {"serve", "healthcheck"} <= {command.name for command in COMMANDS}
    assert said(FINAL, "STOPSIGNAL") == ["SIGTERM"]
    assert json.loads(said(FINAL, "VOLUME")[0]) == ["/data"]


def test_it_is_labelled() -> None:
    """The image says what it is, of which version and under which licence."""
    [labels] = said(FINAL, "LABEL")
    found = dict(each.split("=", 1) for each in shlex.split(labels))
    names = {name.removeprefix("org.opencontainers.image.") for name in found}
    assert names == {"title", "description", "source", "documentation", "licenses", "version", "revision"}
    assert f"VERSION={__version__}" in said(FINAL, "ARG")


def _policy(tmp_path: Path) -> Path:
    [run] = [each for each in said(BUILD, "RUN") if "config.yaml" in each]
    words = shlex.split(run)
    lines = words[words.index("%s\\n") + 1 : words.index(">")]
    path = tmp_path / "config.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_policy_in_it_serves_whoever_has_a_key(tmp_path: Path) -> None:
    """As it is, the image is reached from outside, asks for keys, shows its metrics to keys alone, and keeps all in /data."""
    read = policy.load(_policy(tmp_path), {})
    assert (str(read.listen), str(read.metrics), read.auth, read.public_url) == (
        "0.0.0.0:8080",
        "keys",
        Auth.KEYS,
        None,
    )
    assert (read.store.path, read.outputs.folder) == (Path("/data/tidegate.db"), Path("/data/outputs"))


def test_variables_make_a_sidecar_of_it(tmp_path: Path) -> None:
    """Three variables are enough beside an app; without keys on an address of everybody it does not start."""
    path = _policy(tmp_path)
    environ = {"TIDEGATE_LISTEN": "127.0.0.1:8080", "TIDEGATE_AUTH": "none", "TIDEGATE_METRICS": "0.0.0.0:9090"}
    read = policy.load(path, environ)
    assert (str(read.listen), str(read.metrics), read.auth) == ("127.0.0.1:8080", "0.0.0.0:9090", Auth.NONE)
    with pytest.raises(Mistakes, match="needs a loopback address"):
        policy.load(path, {"TIDEGATE_AUTH": "none"})


def test_variables_make_one_of_several_of_it(tmp_path: Path) -> None:
    """With a database, a secret and a bucket in variables it keeps nothing of its own; without them it has all it needs."""
    path = _policy(tmp_path)
    environ = {
        "TIDEGATE_STORE": "postgresql://tidegate:change-me@db/tidegate",
        "TIDEGATE_SECRET": "0123456789abcdef0123456789abcdef",
        "TIDEGATE_OUTPUTS": "s3://outputs/tidegate",
        "AWS_ENDPOINT_URL": "https://bucket.example.com",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    read = policy.load(path, environ)
    assert read.store.address == environ["TIDEGATE_STORE"]
    assert read.outputs.bucket is not None
    assert str(read.outputs.bucket.place) == "s3://outputs/tidegate"
    with pytest.raises(Mistakes, match="secret"):
        policy.load(path, {**environ, "TIDEGATE_SECRET": ""})


def _sources() -> Iterator[str]:
    for rest in said(BUILD, "COPY"):
        yield from rest.split()[:-1]


def test_only_what_it_is_made_of_is_sent_to_the_builder() -> None:
    """S81: everything is left out but what the recipe copies: no secret of a checkout and no history has a way in."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in == set(_sources())
    assert all((ROOT / name).exists() for name in let_in)
    again = [line for line in lines[1:] if not line.startswith("!")]
    for path in ("gateway/__pycache__", "gateway/app.pyc"):
        assert any(fnmatch(path, each) for each in again), path


def test_a_wheel_has_all_it_needs() -> None:
    """What the package is built from is among what is copied."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    forced = re.findall(r'^"([^"]+)" = "gateway/', text, re.MULTILINE)
    assert forced
    assert {*forced, "README.md", "LICENSE", "gateway", "pyproject.toml"} <= set(_sources())


@pytest.mark.skipif(
    not (Path(sysconfig.get_path("scripts")) / "hadolint").exists(),
    reason="there is no wheel of hadolint for this platform",
)
def test_hadolint_finds_nothing() -> None:
    """S81: the linter of such files has nothing to say, information included."""
    tool = Path(sysconfig.get_path("scripts")) / "hadolint"
    done = subprocess.run([tool, DOCKERFILE], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(
    not os.environ.get("TIDEGATE_IMAGE_BASE") or any(shutil.which(tool) is None for tool in ("buildah", "runc", "ip")),
    reason="takes minutes: TIDEGATE_IMAGE_BASE names a root file system, and buildah, runc and ip are there",
)
def test_it_builds_and_runs() -> None:
    """S80, F58: built for real and run read-only, as uid 65532, without capabilities, new privileges or unusual system calls."""
    words = [sys.executable, "-m", "tests.harness.image", "--base", os.environ["TIDEGATE_IMAGE_BASE"]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
