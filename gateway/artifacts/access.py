"""How a bucket is reached: where it is, and what the usual variables of its clients say."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# What is read by name here, each from its variable or from the file that the same name with _FILE behind it points to.
NAMES = (
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_CA_BUNDLE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_ROLES = NAMES[-3:]  # a role that the platform gives; the client reads these by itself, and fetches what they lead to
_USUAL_REGION = "us-east-1"  # what services that have no regions sign for
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_PLACE = re.compile(rf"s3://({_BUCKET})((?:/[A-Za-z0-9_.=-]{{1,128}}){{0,8}})/?", re.ASCII)
_TRUE = {"1", "true", "yes", "on"}
LONGEST_LINK = 7 * 24 * 3600  # seconds; the signature allows no more


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and the prefix in it under which everything lies; an empty one is the bucket itself."""

    bucket: str
    prefix: str = ""

    def __str__(self) -> str:
        """Give the form it is written in."""
        return f"s3://{self.bucket}/{self.prefix}" if self.prefix else f"s3://{self.bucket}"


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach it: None for what is not said. Without a key the platform's role is asked for one."""

    endpoint: str | None = None
    region: str = _USUAL_REGION
    key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    in_host: bool = False  # the bucket's name is part of the endpoint's host, and of no path
    authorities: str | None = None  # a file of certificates


def has_client() -> bool:
    """Whether the library that speaks to buckets is there; it comes with an extra."""
    try:
        importlib.import_module("obstore")
    except ImportError:
        return False
    return True


def place(written: str) -> Place:
    """Read `s3://bucket/prefix`; ValueError with a sentence that says what would be right."""
    found = _PLACE.fullmatch(written)
    if found is None or ".." in found[1] or {".", ".."} & set(found[2].split("/")):
        raise ValueError(
            "expected s3://bucket/prefix, the bucket in 3 to 63 small letters, digits, dots and hyphens, the prefix in letters,"
            f" digits, `_`, `.`, `=`, `-` and slashes, found '{written}'"
        )
    return Place(found[1], found[2].removeprefix("/"))


def access(values: Mapping[str, str]) -> Access:
    """Read the variables that are set; ValueError names the one that is missing or wrong, and never its value."""
    endpoint = values.get("AWS_ENDPOINT_URL_S3") or values.get("AWS_ENDPOINT_URL")
    if endpoint is not None:
        _check(endpoint)
    key, secret = values.get("AWS_ACCESS_KEY_ID"), values.get("AWS_SECRET_ACCESS_KEY")
    if (key is None) != (secret is None):
        missing = "AWS_ACCESS_KEY_ID" if key is None else "AWS_SECRET_ACCESS_KEY"
        raise ValueError(f"{missing} is not set, and the other half of the key is; set both, or neither for a role")
    # Elsewhere than at the service's home there is no role of a machine to fall back on.
    if key is None and endpoint is not None and not any(values.get(name) for name in _ROLES):
        raise ValueError(
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; set them, or name files that hold them in"
            " AWS_ACCESS_KEY_ID_FILE and AWS_SECRET_ACCESS_KEY_FILE"
        )
    return Access(
        endpoint=endpoint.rstrip("/") if endpoint is not None else None,
        region=values.get("AWS_REGION") or values.get("AWS_DEFAULT_REGION") or _USUAL_REGION,
        key=key,
        secret=secret,
        token=values.get("AWS_SESSION_TOKEN"),
        in_host=values.get("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "").lower() in _TRUE,
        authorities=values.get("AWS_CA_BUNDLE"),
    )


def _check(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        is_right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_right = False
        parts = urlsplit("")
    if not is_right or "@" in parts.netloc or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", endpoint):
        raise ValueError(
            "AWS_ENDPOINT_URL is no address such as https://s3.example.com, without user, query and fragment"
        )
