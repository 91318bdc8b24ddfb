"""What a gateway stands on is looked at before it serves, and by the doctor."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway import settings as policy
from gateway.commands import footing
from tests.gateway.commands.shell import finished, line_with, started

SOUND = {"sqlite": (3, 51, 3), "http": "3.14.3", "has_parser": True, "has_libyaml": True}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, None),
        ({"sqlite": (3, 51, 2)}, "SQLite 3.51.2 is older than 3.51.3"),
        ({"sqlite": (3, 40, 1)}, "SQLite 3.40.1 is older than 3.51.3"),
        ({"sqlite": (3, 40, 1), "in_file": False}, None),
        ({"http": "3.14.2"}, "aiohttp 3.14.2 is older than 3.14.3"),
        ({"http": "3.9"}, "aiohttp 3.9 is older than 3.14.3"),
        ({"http": "4.0.0a1"}, None),
        ({"has_parser": False}, "aiohttp runs without its C parser"),
        ({"has_libyaml": False}, "PyYAML runs without its C parser"),
    ],
)
def test_what_is_below_its_floor_is_told(changed: dict[str, object], said: str | None) -> None:
    """S84: a version below its floor, or one that lacks its compiled part, is told with what to do; others are not."""
    found = list(footing.below(**{**SOUND, **changed}))  # type: ignore[arg-type] # a table of facts
    assert len(found) == (said is not None)
    assert all(each.startswith(said or "") for each in found)


def test_the_environment_is_above_its_floors() -> None:
    """S84: what the tests run on has a sound HTTP library with its compiled parser."""
    assert not [each for each in footing.below() if each.startswith("aiohttp")]


async def test_without_assertions_nothing_is_served(tmp_path: Path) -> None:
    """S84: the checks of the HTTP library are assertions in part, so a Python that drops them serves nobody."""
    said = await finished("serve", cwd=tmp_path, env={"PYTHONOPTIMIZE": "1"})
    assert said.code == 1
    assert "PYTHONOPTIMIZE" in said.err


def written(path: Path, text: str, mode: int) -> Path:
    """A file with this text and mode, in a folder of its own."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("region: eu\n", 0o644, []),
        ("region: eu\n", 0o664, ["may be changed by others"]),
        ("region: eu\n", 0o646, ["may be changed by others"]),
        (
            "webhooks: [{url: 'https://a.example/', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}]\n",
            0o600,
            ["webhooks: secret is written out"],
        ),
        ("webhooks: [{url: 'https://a.example/', secret: '${HOOK}'}]\n", 0o600, []),
        ("keys: {peppers: ['a-pepper-of-forty-characters-or-so-01234567']}\n", 0o600, ["keys: peppers is written out"]),
    ],
)
def test_a_policy_that_others_may_change_or_that_holds_secrets_is_told(
    tmp_path: Path, text: str, mode: int, said: list[str]
) -> None:
    """S86: a policy file that others may write, or in which a secret stands, is told with what to do about it."""
    environ = {"HOOK": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    path = written(tmp_path / "own" / "config.yaml", f"store: sqlite:a.db\n{text}", mode)
    (tmp_path / "own").chmod(0o700)
    found = [each for each in footing.exposed(policy.load(path, environ), environ) if str(path) in each]
    assert len(found) == len(said)
    assert all(part in each for part, each in zip(said, found, strict=True))


def test_secrets_that_others_may_read_are_told(tmp_path: Path) -> None:
    """S86: the gateway's own secret opened to others, and a provider's in a file for everybody, are told."""
    path = written(tmp_path / "config.yaml", "store: sqlite:a.db\n", 0o600)
    own = written(tmp_path / "a.db.secret", "x" * 32, 0o640)
    mounted = written(tmp_path / "key", "x" * 32, 0o644)
    found = list(footing.exposed(policy.load(path, {}), {"ACME_KEY_FILE": str(mounted)}))
    assert sum(str(own) in each for each in found) == 1
    assert sum(str(mounted) in each for each in found) == 1
    own.chmod(0o600)
    mounted.chmod(0o640)
    certificates = written(tmp_path / "certificates.pem", "x", 0o644)
    environ = {"ACME_KEY_FILE": str(mounted), "SSL_CERT_FILE": str(certificates), "GONE_KEY_FILE": "/none/such"}
    found = list(footing.exposed(policy.load(path, {}), environ))
    assert not [each for each in found if str(certificates) in each or "/none/such" in each]
    assert not [each for each in found if str(own) in each or str(mounted) in each]


async def test_serving_warns_and_the_doctor_tells(tmp_path: Path) -> None:
    """S84, S86: at its start the gateway warns of what is unsafe in the log; the doctor says the same, and is well otherwise."""
    path = written(tmp_path / "config.yaml", "listen: 127.0.0.1:0\nstore: sqlite:a.db\nlog: {format: json}\n", 0o666)
    async with started("serve", "-c", str(path), cwd=tmp_path) as process:
        assert str(path) in await line_with(process.stderr, "may be changed by others")
        process.terminate()
        assert await process.wait() == 0
    said = await finished("doctor", "-c", str(path), cwd=tmp_path)
    assert said.code == 0
    assert f"note: {path} may be changed by others" in said.out
