"""`tidegate env`: lines for a shell that point a client at the gateway of the policy file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gateway.commands.pointing import clients
from gateway.providers import catalog
from tests.gateway.commands.shell import PROJECT, Shell, add, put, told

_PACKS = PROJECT / "providers.d"


@pytest.fixture
def policy(tmp_path: Path) -> tuple[str, str]:
    """A policy that says where it listens."""
    put(tmp_path / "policy.yaml", "listen: 0.0.0.0:8123\n")
    return "-c", str(tmp_path / "policy.yaml")


def _sourced(lines: str, *names: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of the lines: the values of some variables."""
    shown = " ".join(f'"${name}"' for name in names)
    script = f'{lines}\nprintf "%s\\n" {shown}'
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environ, check=False)


def test_clients_are_listed(tidegate: Shell) -> None:
    """Without a word every client is listed with the word that asks for it."""
    said = tidegate("env")
    assert said.code == 0
    known = [client.id for _, client in clients(catalog.providers([_PACKS]))]
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == known
    assert [each["client"] for each in told(tidegate, "env")] == known


def test_lines_point_a_shell_at_the_gateway(tidegate: Shell, policy: tuple[str, str]) -> None:
    """Sourced by a shell the lines give the address the policy has and the key of the environment, which they do not hold."""
    said = tidegate("env", "openai", *policy, env={"TIDEGATE_API_KEY": "bye_secret"})
    assert said.code == 0
    assert "bye_secret" not in said.out
    done = _sourced(said.out, "OPENAI_BASE_URL", "OPENAI_API_KEY", TIDEGATE_API_KEY="bye_secret")
    assert done.stdout.split() == ["http://127.0.0.1:8123/v1", "bye_secret"]


def test_without_a_key_the_shell_says_what_is_missing(tidegate: Shell, policy: tuple[str, str]) -> None:
    """A key that is not there is told, with the command that makes one."""
    done = _sourced(tidegate("env", "openai", *policy).out, "OPENAI_API_KEY")
    assert done.returncode
    assert "tidegate keys create" in done.stderr


def test_where_no_key_is_asked_for_none_is_needed(tidegate: Shell, policy: tuple[str, str]) -> None:
    """A sidecar without keys still gives its clients something, for most refuse to start without."""
    put(Path(policy[1]), "listen: 127.0.0.1:8123\nauth: none\n")
    done = _sourced(tidegate("env", "replicate", *policy).out, "REPLICATE_BASE_URL", "REPLICATE_API_TOKEN")
    assert done.stdout.split() == ["http://127.0.0.1:8123/replicate", "none"]


@pytest.mark.parametrize("url", ["https://media.example.com", "https://media.example.com/v1/"])
def test_the_public_address_counts(tidegate: Shell, policy: tuple[str, str], url: str) -> None:
    """What callers see is what they are pointed at, and what is said on the line comes before the file."""
    add(Path(policy[1]), f"public_url: {url.removesuffix('/').removesuffix('/v1')}\n")
    for words in ((), ("--url", url)):
        said = told(tidegate, "env", "openai", *policy, *words)
        assert said["variables"] == {
            "OPENAI_BASE_URL": "https://media.example.com/v1",
            "OPENAI_API_KEY": "$TIDEGATE_API_KEY",
        }
        assert said["line"] == 'OpenAI(base_url="https://media.example.com/v1", api_key="bye_…")'


def test_a_client_that_speaks_tls_alone(tidegate: Shell, policy: tuple[str, str], tmp_path: Path) -> None:
    """Without TLS it is said what to start; with it the file of certificates is named, and with a public certificate none is."""
    said = tidegate("env", "fal", *policy)
    assert said.code == 2
    assert "tidegate serve --tls-self-signed" in said.err
    folder = tmp_path / "t l s"
    said = tidegate("env", "fal", *policy, "--tls-self-signed", str(folder))
    assert said.code == 0
    assert "not there yet" in said.err
    done = _sourced(said.out, "FAL_QUEUE_RUN_HOST", "SSL_CERT_FILE", "FAL_KEY", TIDEGATE_API_KEY="k")
    assert done.stdout.splitlines() == ["127.0.0.1:8123/fal-queue", str(folder / "bundle.pem"), "k"]
    folder.mkdir()
    put(folder / "bundle.pem", "")
    assert tidegate("env", "fal", *policy, "--tls-self-signed", str(folder)).err == ""
    public = told(tidegate, "env", "fal", *policy, "--url", "https://media.example.com")
    assert public["variables"]["FAL_QUEUE_RUN_HOST"] == "media.example.com/fal-queue"
    assert "SSL_CERT_FILE" not in public["variables"]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("opnai",), 2, "did you mean 'openai'?"),
        (("qqqq",), 2, "`tidegate env` lists them"),
        (("openai", "--url", "media"), 2, "expected a URL"),
        (("openai", "--url", "http://a:x"), 2, "expected a URL"),
        (("openai", "-c", "nowhere.yaml"), 3, "nowhere.yaml"),
    ],
)
def test_what_cannot_be_told(tidegate: Shell, words: tuple[str, ...], code: int, expected: str) -> None:
    """A wrong word, address or file is said, with what would be right."""
    said = tidegate("env", *words)
    assert (said.code, said.out) == (code, "")
    assert expected in said.err


def test_a_port_of_the_systems_choice_is_not_known(tidegate: Shell, policy_file: Path) -> None:
    """Where the policy leaves the port open the address has to be said."""
    said = tidegate("env", "openai", "-c", str(policy_file))
    assert said.code == 2
    assert "--url" in said.err


def test_own_packs_bring_their_own_clients(tidegate: Shell, tmp_path: Path) -> None:
    """A folder of packs of one's own replaces a provider with its clients."""
    packs = tmp_path / "packs" / "openai"
    packs.mkdir(parents=True)
    text = (_PACKS / "openai" / "provider.yaml").read_text(encoding="utf-8")
    put(packs / "provider.yaml", text.replace("OPENAI_BASE_URL: $origin/v1", "OUR_URL: $origin/v1"))
    put(tmp_path / "policy.yaml", f"catalog: [{_PACKS}, packs]\n")
    said = told(tidegate, "env", "openai", "-c", "policy.yaml")
    assert said["variables"]["OUR_URL"] == "http://127.0.0.1:8080/v1"
    put(packs / "provider.yaml", text.replace("door: images", "door: imges", 1))
    broken = tidegate("env", "-c", "policy.yaml")
    assert broken.code == 3
    assert "packs/openai/provider.yaml:" in broken.err


def test_json_is_for_programs(tidegate: Shell, policy: tuple[str, str]) -> None:
    """What is printed as JSON has everything the lines have."""
    said = tidegate("env", "replicate-js", *policy, "--json")
    assert json.loads(said.out) == {
        "client": "replicate-js",
        "name": "Replicate for JavaScript",
        "provider": "replicate",
        "door": "predictions",
        "origin": "http://127.0.0.1:8123",
        "variables": {"REPLICATE_API_TOKEN": "$TIDEGATE_API_KEY"},
        "line": 'new Replicate({baseUrl: "http://127.0.0.1:8123/replicate/v1"})',
        "note": None,
    }
