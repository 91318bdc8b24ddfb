"""No vendor's name in the package: what a provider is called stands in its pack, and in the simulators that play it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import yaml

from tests.house.tree import ROOT, SIMULATORS, none

# Vendors whose packs or dialects are expected; a name must not slip in before its pack does.
_EXPECTED = ("alibaba", "alibabacloud", "bfl", "cloudflare", "dashscope", "google", "openai", "runway", "runwayml")
# Second-level labels under which countries register names, so that the label before them is the registered one.
_SHARED = {"ac", "co", "com", "edu", "gov", "net", "org"}
_KEYS_WITH_HOSTS = ("base", "website", "docs")
# Between the parts of a name in camel case, so that `FalClient` holds the word `fal`.
_SEAM = "\x1f"


def registered(host: str) -> str:
    """The label somebody registered: `fal` of `queue.fal.run`."""
    labels = host.lower().strip("*.").split(".")
    at = -3 if len(labels) > 2 and labels[-2] in _SHARED else -2
    return labels[at] if len(labels) >= -at else ""


def _names(pack: dict[str, object]) -> Iterator[str]:
    yield str(pack["provider"])
    yield str(pack["name"])
    for key in _KEYS_WITH_HOSTS:
        if key in pack:
            yield registered(urlsplit(str(pack[key])).hostname or "")
    hosts = pack.get("hosts", [])
    assert isinstance(hosts, list)
    yield from (registered(str(host)) for host in hosts)


def vendors() -> set[str]:
    """Every name of every provider there is a pack for, and of those expected."""
    packs = sorted((ROOT / "providers.d").glob("*/provider.yaml"))
    assert packs, "there are no packs: the check would prove nothing"
    read = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in packs)
    return {name for pack in read for name in _names(pack) if name} | set(_EXPECTED)


def _seamed(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", _SEAM, text)


def named(text: str, names: set[str]) -> Iterator[tuple[int, str]]:
    """Each line that names a vendor, with the name; parts of a name joined by `_`, digits or case are words too."""
    spellings = {spelling.lower() for name in names for spelling in (name, _seamed(name))}
    pattern = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, sorted(spellings)))})(?![a-z])")
    for number, line in enumerate(text.splitlines(), 1):
        for form in (line.lower(), _seamed(line).lower()):
            if found := pattern.search(form):
                yield number, found[1].replace(_SEAM, "")
                break


def _findings() -> Iterator[str]:
    names = vendors()
    for path in sorted((ROOT / "gateway").rglob("*")):
        inside = path.relative_to(ROOT).as_posix()
        if not path.is_file() or inside.startswith(SIMULATORS) or "__pycache__" in inside:
            continue
        yield from (f"{inside}: its name holds {name}" for _, name in named(inside, names))
        text = path.read_text(encoding="utf-8", errors="replace")
        yield from (f"{inside}:{number}: {name}" for number, name in named(text, names))


def test_no_vendor_in_the_package() -> None:
    """No file of the package outside the simulators names a vendor, in code, text, comment or its own name."""
    none(_findings())


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("# as fal does", "fal"),
        ("class FalClient:", "fal"),
        ("FAL_KEY", "fal"),
        ("fal2", "fal"),
        ("https://queue.fal.run", "fal"),
        ("class BytePlusDialect:", "byteplus"),
        ("byteplus_base", "byteplus"),
    ],
)
def test_a_name_is_seen(line: str, name: str) -> None:
    """A vendor's name is found as a word and as a part of a name."""
    assert list(named(line, {"fal", "BytePlus"})) == [(1, name)]


@pytest.mark.parametrize("line", ["false", "default", "defalcate", "a byte plus one"])
def test_other_words_are_left_alone(line: str) -> None:
    """Words that only hold the letters of a vendor's name are no names."""
    assert not list(named(line, {"fal", "BytePlus"}))


@pytest.mark.parametrize(
    ("host", "label"),
    [("queue.fal.run", "fal"), ("api.example.co.uk", "example"), ("*.delivery.example.com", "example"), ("local", "")],
)
def test_registered_label(host: str, label: str) -> None:
    """Of a host, the label that was registered counts, not the generic ones around it."""
    assert registered(host) == label
