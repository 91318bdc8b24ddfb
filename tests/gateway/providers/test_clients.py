"""The programs that a `provider.yaml` says how to point at the gateway: mistakes are found at their place, and none is named twice."""

from __future__ import annotations

import pathlib

import pytest

from gateway.documents import Mistakes
from gateway.providers import catalog
from tests.gateway.providers import acme

_FILE = "acme/provider.yaml"
_DOOR = "doors: {predictions: {mount: /acme}}\n"


def _with(clients: str, doors: str = _DOOR) -> dict[str, str]:
    return acme.bent(_FILE, "rank: 10\n", f"rank: 10\n{doors}clients:\n{clients}")


@pytest.mark.parametrize(
    ("clients", "begins"),
    [
        ("  acme: {name: Acme, door: predictions}\n", "10:3: say what points it at the gateway"),
        ("  acme: {name: Acme, door: images, set: {A: x}}\n", "10:28: this provider has no such door: add images"),
        ("  acme: {name: Acme, door: window, set: {A: x}}\n", "10:28: clients.acme.door: expected images, videos"),
        ("  acme: {door: predictions, set: {A: x}}\n", "10:3: clients.acme: the key 'name' is missing"),
        (
            "  acme: {name: A, door: predictions, set: {A: $orgin/v1}}\n",
            "10:47: $orgin stands for nothing: did you mean $origin?",
        ),
        (
            "  acme: {name: A, door: predictions, line: x($secret)}\n",
            "10:44: $secret stands for nothing: there are $origin",
        ),
        ("  acme: {name: A, door: predictions, set: {a-b: x}}\n", "10:44: 'a-b' is not the name of a variable"),
        (
            "  acme: {name: A, door: predictions, set: {A: 1}}\n",
            "10:47: clients.acme.set.A: expected text, found the number 1",
        ),
        (
            "  acme: {name: A, door: predictions, sett: {A: x}}\n",
            "10:38: clients.acme: unknown key 'sett'; did you mean 'set'?",
        ),
        (
            "  acme: {name: A, door: predictions, line: x, tls: false}\n",
            "10:52: clients.acme.tls: expected 'true', found false",
        ),
        (
            "  Acme one: {name: A, door: predictions, line: x}\n",
            "10:3: clients: the key 'Acme one' is not allowed here",
        ),
    ],
)
def test_a_planted_mistake_is_found(tmp_path: pathlib.Path, clients: str, begins: str) -> None:
    """A client with one thing wrong does not load, and the mistake says where and what."""
    found = acme.mistakes(tmp_path, _with(clients))
    assert any(mistake.startswith(f"{_FILE}:{begins}") for mistake in found), found


def test_a_client_needs_a_door(tmp_path: pathlib.Path) -> None:
    """A provider without doors has no clients of its own."""
    found = acme.mistakes(tmp_path, _with("  acme: {name: A, door: predictions, line: x}\n", doors=""))
    assert found == [f"{_FILE}:9:25: this provider has no such door: add predictions under `doors`"]


def test_a_word_means_one_client(tmp_path: pathlib.Path) -> None:
    """Two providers cannot both have a client of one name, for nobody could ask for the second."""
    files = _with("  acme: {name: A, door: predictions, line: x}\n")
    files["other/provider.yaml"] = (
        files[_FILE].replace("provider: acme", "provider: other").replace("mount: /acme", "mount: /o")
    )
    found = acme.mistakes(tmp_path, files)
    assert found == ["other/provider.yaml:10:3: acme is already a client of acme: give it another name"]


def test_providers_are_read_without_their_models(tmp_path: pathlib.Path) -> None:
    """What is wrong with a model does not hide the clients; what is wrong with a provider is told."""
    files = _with(
        "  acme: {name: A, door: predictions, set: {A: $origin}, line: f($key), tls: true, note: Restart it.}\n"
    )
    files["acme/acme/clip.yaml"] = "nonsense"
    acme.write(tmp_path, files)
    [provider] = catalog.providers([tmp_path])
    [client] = provider.clients
    assert (client.id, client.door, client.variables) == ("acme", "predictions", {"A": "$origin"})
    assert (client.line, client.is_tls_only, client.note) == ("f($key)", True, "Restart it.")
    (tmp_path / _FILE).write_text("nonsense")
    with pytest.raises(Mistakes):
        catalog.providers([tmp_path])
    with pytest.raises(Mistakes, match="no such folder"):
        catalog.providers([tmp_path / "nowhere"])
