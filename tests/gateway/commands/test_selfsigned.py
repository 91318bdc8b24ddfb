"""The certificate the gateway makes for itself: whom it is for, who may read it, and how long it is used."""

from __future__ import annotations

import datetime as dt
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from gateway.commands import selfsigned

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def agreed(files: selfsigned.Files, trusted: Path, host: str) -> None:
    """Shake hands with it in memory, as a client that trusts this file and asks for this host. SSLError when it does not."""
    context = ssl.create_default_context(cafile=str(trusted))
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # what newer versions of Python ask of every certificate
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(back, there, server_hostname=host)
    server = files.context().wrap_bio(there, back, server_side=True)
    for end in (client, server, client, server):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue


def prepared(folder: Path, *hosts: str, days: int = 0) -> selfsigned.Files:
    """What is there after a start, so many days from now."""
    return selfsigned.prepare(folder, hosts, NOW + dt.timedelta(days))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "host.docker.internal", "gateway.test", "10.1.2.3"])
def test_it_is_for_this_machine_and_what_was_named(tmp_path: Path, host: str) -> None:
    """A client that trusts `ca.pem` takes it under each of its names, in capitals or not."""
    files = prepared(tmp_path / "tls", "Gateway.Test", "10.1.2.3")
    agreed(files, files.authority, host)


def test_it_is_for_no_other_name(tmp_path: Path) -> None:
    """Nobody takes it for another host."""
    files = prepared(tmp_path / "tls")
    with pytest.raises(ssl.SSLCertVerificationError):
        agreed(files, files.authority, "elsewhere.test")


def test_its_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The key is readable by nobody else, and the folder by nobody else either."""
    files = prepared(tmp_path / "tls")
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.key.parent.stat().st_mode) == 0o700


def test_it_stays_the_same(tmp_path: Path) -> None:
    """The next start uses it again, so that clients that trust it go on; it says so."""
    first = prepared(tmp_path / "tls", "gateway.test")
    assert first.made
    before = {path: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    second = prepared(tmp_path / "tls")
    assert not second.made
    assert {path: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == before


@pytest.mark.parametrize("days", [800, 900])
def test_one_that_ends_is_made_anew(tmp_path: Path, days: int) -> None:
    """Before its end, and after it, there is another."""
    first = prepared(tmp_path / "tls").authority.read_bytes()
    second = prepared(tmp_path / "tls", days=days)
    assert second.made
    assert second.authority.read_bytes() != first


def test_a_name_it_lacks_makes_another(tmp_path: Path) -> None:
    """A host that was not named before is served too."""
    prepared(tmp_path / "tls")
    files = prepared(tmp_path / "tls", "gateway.test")
    assert files.made
    agreed(files, files.authority, "gateway.test")


@pytest.mark.parametrize("broken", ["ca.pem", "server.pem", "server.key"])
@pytest.mark.parametrize("by", [b"", b"nothing\n", None])
def test_what_does_not_belong_together_is_made_anew(tmp_path: Path, broken: str, by: bytes | None) -> None:
    """A file that is lost, cut or of another certificate is no reason to serve what nobody takes."""
    folder = tmp_path / "tls"
    prepared(folder)
    other = (prepared(tmp_path / "other").authority.with_name(broken)).read_bytes()
    (folder / broken).write_bytes(other if by is None else by)
    files = prepared(folder)
    assert files.made
    agreed(files, files.authority, "localhost")


def test_the_authority_signs_nothing_else(tmp_path: Path) -> None:
    """Its key is nowhere: the folder holds one key, and it is not that of the authority."""
    files = prepared(tmp_path / "tls")
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    served = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert authority.public_key() != served.public_key()
    holding = [path.name for path in (tmp_path / "tls").iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert holding == ["server.key"]


def test_the_bundle_takes_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is given the bundle trusts what the system trusts and ours; a bundle that is in force already is not taken for the system's."""
    system = prepared(tmp_path / "system")
    monkeypatch.setenv("SSL_CERT_FILE", str(system.authority))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    files = prepared(tmp_path / "tls")
    for each in (system, files):
        agreed(each, files.bundle, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(files.bundle))
    again = prepared(tmp_path / "tls")
    assert again.bundle.read_text().count(again.authority.read_text()) == 1
