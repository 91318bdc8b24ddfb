"""Outputs brought into files: each whole, with the hash that was told, or not there at all."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import assert_never
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

from gateway.client import replies
from gateway.client.calls import Call
from gateway.client.errors import DownloadError, GatewayError
from gateway.client.records import Generation, Saved, Status
from gateway.client.replies import Reply
from gateway.client.retries import Retries, pause
from gateway.client.steps import Broken, Drop, Fetch, Fetched, Flow, Keep, Pause, Write

_ENDINGS: Mapping[str, str] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_HOPS = 5  # from a link to where the bytes are; no key goes along
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


def save(
    generation: Generation, to: Path, *, is_folder: bool, origin: str, retries: Retries
) -> Flow[tuple[Saved, ...]]:
    """Bring every output into a file: `to` itself, numbered if there are several, or a usual name in the folder `to`."""
    if generation.status is not Status.SUCCEEDED or not generation.outputs:
        raise DownloadError(f"{generation.id} has no outputs: it is {generation.status.value}")
    saved = []
    for at, link in enumerate(generation.outputs, 1):
        number = f"-{at}" if len(generation.outputs) > 1 else ""
        folder = to if is_folder else to.parent
        fetched = yield from _fetched(urljoin(origin, link), folder, retries)
        type_ = fetched.headers.get("content-type", "").partition(";")[0].strip().lower()
        usual = f"{generation.model.replace('/', '-')}-{generation.id[:8]}{number}{_ending(type_, link)}"
        path = to / usual if is_folder else to.with_name(f"{to.stem}{number}{to.suffix}")
        verified = _told_hash(fetched) is not None
        yield Keep(fetched.part, path)
        saved.append(Saved(path, type_, fetched.size, fetched.sha256, verified))
    return tuple(saved)


def _fetched(link: str, folder: Path, retries: Retries) -> Flow[Fetched]:
    """Get one output whole, as often as is right."""
    if link.startswith("data:"):
        return (yield from _inline(link, folder))
    if not link.startswith(("http://", "https://")):
        raise DownloadError(f"the output has an address that cannot be read: {link[:60]!r}")
    get, tried, hops = Call("GET", link, repeats=True), 0, _HOPS
    while True:
        heard = yield Fetch(link, folder)
        found = _judged(heard.reply)
        if isinstance(found, Fetched):
            return found
        if isinstance(found, str) and hops:
            link, hops = urljoin(link, found), hops - 1
            continue
        error = found if isinstance(found, DownloadError) else DownloadError("the output is sent from place to place")
        if isinstance(heard.reply, Fetched):
            yield Drop(heard.reply.part)
        tried += 1
        seconds = pause(retries, get, error, tried, heard.chance, unsent=False)
        if seconds is None:
            raise error
        yield Pause(seconds)


def _judged(reply: Reply | Broken | Fetched | None) -> Fetched | str | DownloadError:
    """The output when it is whole, the link that leads on, or what went wrong."""
    match reply:
        case Fetched() as fetched:
            wrong = _mistake(fetched)
            said = f"the output came otherwise than it was sent: {wrong}"
            return fetched if wrong is None else DownloadError(said, retryable=True)
        case Reply(status, headers) if status in _ELSEWHERE and "location" in headers:
            return headers["location"]
        case Reply(status) as refused:
            found = replies.data_of(refused)
            said = found.message if isinstance(found, GatewayError) else f"HTTP {status}"
            retryable = status in {429, 500, 502, 503, 504}
            return DownloadError(f"the output could not be read: {said}", retryable=retryable)
        case Broken(why):
            return DownloadError(f"the output could not be read: {why}", retryable=True)
        case None:
            raise AssertionError("a fetch is answered")
        case _:
            assert_never(reply)


def _inline(link: str, folder: Path) -> Flow[Fetched]:
    """An output that came inside its link."""
    head, _, data = link.removeprefix("data:").partition(",")
    try:
        content = base64.b64decode(data, validate=True) if head.endswith(";base64") else unquote_to_bytes(data)
    except binascii.Error as error:
        raise DownloadError("the output inside the answer cannot be read") from error
    heard = yield Write(content, folder)
    assert isinstance(heard.reply, Fetched), "what is written is a file"
    sha256 = hashlib.sha256(content).hexdigest()
    return Fetched(heard.reply.part, {"content-type": head.partition(";")[0]}, len(content), sha256)


def _mistake(fetched: Fetched) -> str | None:
    """What is wrong with the bytes; None when they are as many as was said, with the hash that was said."""
    length = fetched.headers.get("content-length", "")
    if length.isdigit() and int(length) != fetched.size:
        return f"{fetched.size} bytes of {length}"
    told = _told_hash(fetched)
    if told is not None and told != base64.b64encode(bytes.fromhex(fetched.sha256)).decode():
        return "its hash is another"
    return None


def _told_hash(fetched: Fetched) -> str | None:
    """The SHA-256 the gateway told, in base64 as RFC 9530 writes it; a provider's own link tells none."""
    found = _DIGEST.search(fetched.headers.get("repr-digest", ""))
    return found[1] if found else None


def _ending(type_: str, link: str) -> str:
    """The ending of a file's name: what its media type says, or else its link."""
    if type_ in _ENDINGS:
        return _ENDINGS[type_]
    ending = "" if link.startswith("data:") else Path(urlsplit(link).path).suffix.lower()
    return ending if re.fullmatch(r"\.[a-z0-9]{2,5}", ending) else ".bin"
