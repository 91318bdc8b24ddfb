"""A certificate of the gateway's own, for clients that speak TLS alone and for nobody who has a better one.

It is signed by an authority that is made for it and whose key is kept nowhere: whoever trusts `ca.pem` trusts this one certificate,
and nobody, the gateway included, can make another. It is used again as long as it fits.
"""

from __future__ import annotations

import datetime as dt
import os
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

ALWAYS = (
    "localhost",
    "127.0.0.1",
    "::1",
    "host.docker.internal",
)  # the last is how containers call the machine they run on
_LIFE = dt.timedelta(days=825)  # the longest that clients of one vendor of systems take
_AGAIN = dt.timedelta(days=30)  # before its end a certificate is made anew, for a process runs about that long
_BEFORE = dt.timedelta(hours=1)  # clocks of clients that are behind
_AUTHORITY = "Tidegate self-signed"


@dataclass(frozen=True, slots=True)
class Files:
    """What stands in the folder; `made` says that it was made just now, so that clients have to read it again."""

    authority: Path
    bundle: Path
    certificate: Path
    key: Path
    made: bool

    def context(self) -> ssl.SSLContext:
        """Give what serves with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # a write never has to wait for a read
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.certificate, self.key)
        return context


def prepare(folder: Path, hosts: Iterable[str], now: dt.datetime) -> Files:
    """Find the certificate for these hosts in the folder, or make it. OSError when the folder cannot be used."""
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = dict.fromkeys([*ALWAYS, *(each.lower() for each in hosts)])
    authority, bundle, certificate, key = (
        folder / name for name in ("ca.pem", "bundle.pem", "server.pem", "server.key")
    )
    fits = _fits(authority, certificate, key, wanted, now)
    files = Files(authority, bundle, certificate, key, made=not fits)
    if not fits:
        _make(files, wanted, now)
    own = files.authority.read_text(encoding="ascii")
    _write(files.bundle, "".join(_roots(folder)) + own, 0o644)
    return files


def _fits(authority: Path, certificate: Path, key: Path, wanted: Iterable[str], now: dt.datetime) -> bool:
    """Whether what is there can be read, belongs together, is for all of these hosts and does not end soon."""
    from cryptography import x509  # noqa: PLC0415 - takes a tenth of a second, and most gateways never need it
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415 - see above

    try:
        signer = x509.load_pem_x509_certificate(authority.read_bytes())
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        found.verify_directly_issued_by(signer)
        private = load_pem_private_key(key.read_bytes(), None)
        named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    if private.public_key() != found.public_key():
        return False
    return found.not_valid_after_utc - now > _AGAIN and set(wanted) <= _names(named)


def _make(files: Files, wanted: Iterable[str], now: dt.datetime) -> None:
    from cryptography import x509  # noqa: PLC0415 - takes a tenth of a second, and most gateways never need it
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - see above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - see above
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415 - see above

    signing, serving = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{_AUTHORITY} {now:%Y-%m-%d %H:%M:%S}")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])

    def certificate(name: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(
            digital_signature=not is_authority,
            key_cert_sign=is_authority,
            crl_sign=is_authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder(
                issuer, name, key.public_key(), x509.random_serial_number(), now - _BEFORE, now + _LIFE
            )
            .add_extension(
                x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True
            )
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        )

    authority = certificate(issuer, signing, is_authority=True).sign(signing, hashes.SHA256())
    served = (
        certificate(subject, serving, is_authority=False)
        .add_extension(x509.SubjectAlternativeName([_alternative(each) for each in wanted]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signing, hashes.SHA256())
    )
    private = serving.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(files.key, private.decode(), 0o600)
    _write(files.certificate, served.public_bytes(serialization.Encoding.PEM).decode(), 0o644)
    _write(files.authority, authority.public_bytes(serialization.Encoding.PEM).decode(), 0o644)


def _roots(folder: Path) -> Iterator[str]:
    """The certificates this system trusts, so that a client which is given the bundle loses none of them."""
    paths = ssl.get_default_verify_paths()
    # The variable that changes what is trusted may already name our own bundle.
    usual = paths.openssl_cafile if _is_within(paths.cafile, folder) else paths.cafile
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for place in (usual, *_each(paths.capath)):
        try:
            if place and not _is_within(place, folder):
                context.load_verify_locations(place)
        except (OSError, ssl.SSLError):
            continue
    for each in context.get_ca_certs(binary_form=True):
        yield ssl.DER_cert_to_PEM_cert(each)


def _each(folder: str | None) -> list[str]:
    return sorted(map(str, Path(folder).glob("*.[0-9]"))) if folder is not None else []


def _is_within(path: str | None, folder: Path) -> bool:
    return path is not None and folder.resolve() in Path(path).resolve().parents


def _names(named: x509.SubjectAlternativeName) -> set[str]:
    """The hosts a certificate is for."""
    return {str(each.value) for each in named}


def _alternative(host: str) -> x509.GeneralName:
    from cryptography import x509  # noqa: PLC0415 - takes a tenth of a second, and most gateways never need it

    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(path: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all; its mode is right from the moment it is there."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
