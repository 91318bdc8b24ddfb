"""Credentials: where they are found, where they are put, and how they are hidden."""

from __future__ import annotations

import pathlib

import pytest

from gateway.providers.secrets import Secrets, struck, struck_address

HEADERS = {"Authorization": "Key $secret.ACME_ID:$secret.ACME_KEY", "x-mode": "plain"}


def test_the_environment_comes_first(tmp_path: pathlib.Path):
    """S72: a value in the environment goes before the file, and a file is read without the end of its line."""
    (tmp_path / "key").write_text("from-file\n")
    file = {"ACME_KEY_FILE": str(tmp_path / "key")}
    assert Secrets(file, ["ACME_KEY"]).values() == ["from-file"]
    assert Secrets({**file, "ACME_KEY": " from-env "}, ["ACME_KEY"]).values() == ["from-env"]
    assert Secrets({**file, "ACME_KEY": ""}, ["ACME_KEY"]).values() == ["from-file"]


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe\x00"])
def test_a_file_without_a_secret_counts_as_not_set(tmp_path: pathlib.Path, content: bytes):
    """An empty file, or one that is not text, is no secret."""
    (tmp_path / "key").write_bytes(content)
    assert Secrets({"ACME_KEY_FILE": str(tmp_path / "key")}, ["ACME_KEY"]).missing(["ACME_KEY"]) == ["ACME_KEY"]


def test_what_is_missing_is_told(tmp_path: pathlib.Path):
    """A secret that is nowhere, blank, or in a file that is not there is missing."""
    environ = {"A": "1", "B": "  ", "C_FILE": str(tmp_path / "nowhere")}
    secrets = Secrets(environ, ["A", "B", "C", "D"])
    assert secrets.has(["A"])
    assert not secrets.has(["A", "D"])
    assert secrets.missing(["A", "B", "C", "D"]) == ["B", "C", "D"]


def test_headers_are_filled_at_the_door():
    """Every name of a secret in a header is replaced, and one that is not known is an error."""
    secrets = Secrets({"ACME_ID": "id", "ACME_KEY": "key", "OTHER": "no"}, ["ACME_ID", "ACME_KEY"])
    assert secrets.fill(HEADERS) == {"Authorization": "Key id:key", "x-mode": "plain"}
    with pytest.raises(KeyError):
        secrets.fill({"x": "$secret.OTHER"})


def test_headers_are_struck_for_people():
    """Shown to people, stars stand where the secrets go."""
    assert struck(HEADERS) == {"Authorization": "Key ***:***", "x-mode": "plain"}


def test_an_address_is_filled_at_the_door():
    """A credential in a path is one segment of it, whatever it holds, and one that is not known is an error."""
    secrets = Secrets({"ACME_ID": "a/b?c", "OTHER": "no"}, ["ACME_ID"])
    assert secrets.address("https://acme.example/$secret.ACME_ID/jobs") == "https://acme.example/a%2Fb%3Fc/jobs"
    with pytest.raises(KeyError):
        secrets.address("https://acme.example/$secret.OTHER")


def test_an_address_is_struck_for_people():
    """Shown to people, stars stand where a credential goes."""
    assert struck_address("https://acme.example/$secret.ACME_ID/jobs") == "https://acme.example/***/jobs"
