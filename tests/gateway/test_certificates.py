"""Whose certificate is taken: real TLS on this machine, asked by a process that trusts one authority made for the day."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
NOW = dt.datetime.now(dt.UTC)
TODAY = (-2, 1)

# Asks every address through every door. A process of its own: what is trusted is read once, when the client is imported.
ASKS = """
import asyncio, json, sys
from gateway.egress import Policy
from tests.gateway.walls import DOORS, Names

async def main(urls):
    hosts = {url.split("/")[2].partition(":")[0]: [["127.0.0.1"]] for url in urls.values()}
    found = {}
    for door in DOORS:
        async with door(Policy.parse(["127.0.0.1"]), Names(hosts)) as ask:
            found[door.__name__] = {case: await ask(url) for case, url in urls.items()}
    print(json.dumps(found))

asyncio.run(main(json.loads(sys.argv[1])))
"""


@dataclass(frozen=True)
class Authority:
    """Somebody who signs certificates."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def sign(self, host: str, folder: Path, days: tuple[int, int] = TODAY) -> ssl.SSLContext:
        """Make a server's certificate for a host, valid between these days from now, and what serves with it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        return _served(key, _certificate(key, subject, self.certificate.subject, self.key, days, host), folder)


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Name,
    by: ec.EllipticCurvePrivateKey,
    days: tuple[int, int],
    host: str | None,
) -> x509.Certificate:
    """A certificate; of an authority where it is for no host."""
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(NOW + dt.timedelta(days[0])).not_valid_after(NOW + dt.timedelta(days[1]))
    made = made.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    if host is not None:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return made.sign(by, hashes.SHA256())


def _served(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, folder: Path) -> ssl.SSLContext:
    path = folder / f"{certificate.serial_number}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def authority(name: str) -> Authority:
    """Make an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return Authority(key, _certificate(key, itself, itself, key, TODAY, None))


def alone(host: str, folder: Path) -> ssl.SSLContext:
    """What serves with a certificate that nobody but itself signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    return _served(key, _certificate(key, itself, itself, key, TODAY, host), folder)


@asynccontextmanager
async def serving(context: ssl.SSLContext, heard: list[bytes]) -> AsyncIterator[int]:
    """Answer over TLS on a port of its own; `heard` is what was said once the line was there."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side did not trust us
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def asked(trusted: Path, urls: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What each door says of each address in a process that trusts these authorities."""
    environ = {**os.environ, "SSL_CERT_FILE": str(trusted), "PYTHONPATH": str(ROOT)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASKS, json.dumps(urls), stdout=asyncio.subprocess.PIPE, env=environ, cwd=ROOT
    )
    said, _ = await child.communicate()
    found: dict[str, dict[str, str]] = json.loads(said)
    return found


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # lines that the other side gave up during the greeting
async def test_only_a_good_certificate_is_taken(tmp_path: Path) -> None:
    """S35: one for another name, over, not yet begun, signed by itself or by a stranger ends every call before a word is said."""
    trusted, stranger = authority("trusted"), authority("stranger")
    contexts = {
        "good": trusted.sign("good.example", tmp_path),
        "wrong": trusted.sign("other.example", tmp_path),
        "over": trusted.sign("over.example", tmp_path, (-3, -1)),
        "early": trusted.sign("early.example", tmp_path, (1, 2)),
        "itself": alone("itself.example", tmp_path),
        "stranger": stranger.sign("stranger.example", tmp_path),
    }
    (tmp_path / "trusted.pem").write_bytes(trusted.certificate.public_bytes(serialization.Encoding.PEM))
    heard: dict[str, list[bytes]] = {case: [] for case in contexts}
    async with AsyncExitStack() as stack:
        urls = {
            case: f"https://{case}.example:{await stack.enter_async_context(serving(context, heard[case]))}/"
            for case, context in contexts.items()
        }
        said = await asked(tmp_path / "trusted.pem", urls)
    for door, words in said.items():
        assert words.pop("good") == "answered", door
        assert not any("answered" in each for each in words.values()), (door, words)
    assert set(said["posting"].values()) == {"bad_certificate"}
    assert all("no valid certificate" in each for each in said["fetching"].values())
    assert {case: len(each) for case, each in heard.items() if each} == {"good": 3}
