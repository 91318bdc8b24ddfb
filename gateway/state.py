"""What a gateway keeps beside its store: its own secret, its private socket, and the packs it has checked."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets as entropy
from pathlib import Path

from gateway import log
from gateway.providers.kept import Kept
from gateway.settings import Settings

_SECRET = 32  # bytes of the gateway's own secret


def socket_path(settings: Settings) -> Path:
    """The private socket through which a running gateway is administered, beside its store."""
    return settings.store.path.with_name(settings.store.path.name + ".sock")


def secret_of(settings: Settings, purpose: str) -> bytes:
    """A key of the gateway's own for one purpose, derived from the secret the policy gives, or from one beside the store, made at the first use."""
    if settings.secret is not None:
        log.register(settings.secret)
        return hmac.new(settings.secret.encode(), purpose.encode(), hashlib.sha256).digest()
    path = settings.store.path.with_name(settings.store.path.name + ".secret")
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(entropy.token_bytes(_SECRET))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    secret = path.read_bytes()
    if len(secret) != _SECRET:
        raise OSError(f"{path} is not the gateway's secret any more: it has {len(secret)} bytes instead of {_SECRET}")
    return hmac.new(secret, purpose.encode(), hashlib.sha256).digest()


def kept_packs(settings: Settings) -> Kept:
    """Where the packs that were found right are kept, beside the store."""
    path = settings.store.path.with_name(settings.store.path.name + ".packs")
    return Kept(path, lambda: secret_of(settings, "packs"))


def peppers(settings: Settings) -> tuple[bytes, ...]:
    """What API keys are hashed with, and after it what older ones may be hashed with."""
    for each in settings.keys.peppers:
        log.register(each)
    return (*(each.encode() for each in settings.keys.peppers), secret_of(settings, "api keys"))
