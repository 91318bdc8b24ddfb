"""The parsers of what callers send: who they are, where they come from, how they ask, and what they ask for."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from random import Random
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from gateway.egress import Policy as Egress
from gateway.generation import Kind
from gateway.ingress import (
    address,
    body,
    content,
    credential,
    estimate,
    fields,
    generate,
    intake,
    keyform,
    preamble,
    tags,
)
from gateway.ingress.address import Header, Proxies
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked, Weighed, World, weigh
from gateway.money import LARGEST
from gateway.providers import render
from gateway.providers.render import Misdirected, Site
from gateway.routing.menu import menu
from gateway.routing.policy import Policy
from tests.harness import bent
from tests.harness.parsed_replies import CATALOG
from tests.harness.parsers import Parser

_MINTED = tuple(keyform.mint(Random(n).randbytes) for n in range(5))
_PROXIES = Proxies(tuple(map(address.ip_network, ("10.0.0.0/8", "fd00::/8"))))
_FORWARDED = Proxies(_PROXIES.trusted, Header.FORWARDED)
_PEERS = ("10.1.2.3", "203.0.113.9", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1", "[fd00::1]:443", "10.0.0.1:80")
_LINES = (
    "198.51.100.7, 10.0.0.9", "[2001:db8::7]:443, 10.1.1.1", "for=198.51.100.7;proto=https, for=10.0.0.9",
    'for="[2001:db8::7]:4711";by=10.0.0.1', "for=unknown, for=_hidden", 'for="\\1\\0.1.1.1"', "::ffff:198.51.100.7", "198.51.100.7:80",
)  # fmt: skip
_KEYS = ("a", "order-17", '"order-17"', "A.b:c_d-9", "0e9b2a54-6a3f-4c39-9f0e-0d3c1f7e6a11")
_RANGES = (
    "bytes=0-",
    "bytes=-1",
    "bytes=5-1",
    "bytes=0-0",
    "bytes=0-99999999999999999999",
    "bytes=0-1,2-3",
    "items=0-1",
)
_QUERIES = (
    "limit=5&offset=0",
    "limit=100",
    "count=2&duration=5.5&resolution=1080p&audio=true",
    "duration=10",
    "a=%ff&b=%",
    "",
)
_WISHES = ("wait=5", "respond-async, wait=10", "wait=999999", "wait=0")
_TAGS = ("eu", "eu, batch-1", "a.b_c-d", ",".join("abcdefghijklmnopq"))
_VIDEOS = frozenset(model for (_, model), pack in CATALOG.models.items() if pack.offer.kind is Kind.VIDEO)
_MODELS = tuple(dict.fromkeys(model for _, model in CATALOG.models))
_PROTOCOL: Any = SimpleNamespace(ssl_context=None, peername=("127.0.0.1", 1), sockname=("127.0.0.1", 2), transport=None)
_WORLD = World(
    menus={model: menu(CATALOG.offers(model)) for model in CATALOG.ids()},
    name=CATALOG.name,
    policy=Policy((), attempts=3, image_deadline=300_000, video_deadline=1_800_000, in_doubt_max_cost=100_000),
    standing={},
    egress=Egress(),
)
_ASKED: tuple[dict[str, Any], ...] = (
    {"generation_prompt": "a baby seal plays in the Arctic", "generation_ratio": "16:9", "generation_output_number": 2},
    {"generation_prompt": "x", "generation_input_file": ["https://example.com/reference.jpg"], "generation_provider_order": "fastest"},
    {"generation_prompt": "x", "generation_duration": 5, "generation_resolution": "720p", "generation_generate_audio": True},
    {"generation_prompt": "x", "generation_duration": 4.5, "generation_input_file_last_content": "data:image/png;base64,iVBORw0KGgo="},
    {"generation_prompt": "x", "generation_output_format": "jpeg", "generation_seed": 7, "generation_provider_order": "byteplus, fal"},
)  # fmt: skip


def request(target: str, headers: list[tuple[str, str]], match: dict[str, str] | None = None) -> web.Request:
    """A request as the server hands it on, without a server."""
    path, _, query = target.partition("?")
    url = URL.build(path=path, query_string=query, encoded=True)
    held = CIMultiDictProxy(CIMultiDict(headers))
    should_close = upgrade = chunked = False
    message = RawRequestMessage("GET", target, HttpVersion11, held, (), should_close, None, upgrade, chunked, url)
    nobody: Any = None
    found = web.Request(message, EMPTY_PAYLOAD, _PROTOCOL, nobody, nobody, nobody)
    found._match_info = match  # type: ignore[assignment] # as far as it is looked at
    return found


def _good(_given: Any, _result: Any) -> None:
    """Whatever comes is as good as anything."""


def _is(check: Callable[[Any], bool], what: str) -> Callable[[Any, Any], str | None]:
    return lambda _given, result: None if check(result) else f"{str(result)[:100]!r} is no {what}"


def _peer(dice: Random) -> tuple[str, list[str], Proxies]:
    lines = [bent.header(dice, _LINES) for _ in range(dice.choice((0, 1, 1, 2)))]
    return (
        bent.text(dice, _PEERS) if dice.random() < 0.2 else dice.choice(_PEERS),
        lines,
        dice.choice((_PROXIES, _FORWARDED, Proxies())),
    )


def _elsewhere(given: tuple[str, list[str], Proxies], found: Any) -> str | None:
    peer, _, proxies = given
    if found is not None and not isinstance(found, IPv4Address | IPv6Address):
        return f"{found!r} is no address"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return f"{found} is one of IPv4"
    address.neighbourhood(found)
    named = address.parse(peer)
    return (
        None
        if address.is_within(named, proxies.trusted) or found == named
        else "a peer that is not trusted was believed"
    )


def _preamble(dice: Random) -> bytes:
    good = (
        b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\nGET / HTTP/1.1\r\n", b"PROXY TCP6 2001:db8::7 fd00::1 1 65535\r\n", b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\x0a\0\0\x01\x12\x67\x01\xbb", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24" + bytes(range(36)),
    )  # fmt: skip
    return bent.data(dice, good)


def _unlike_a_preamble(given: bytes, found: preamble.Preamble | None) -> str | None:
    if found is None:
        return None if len(given) < preamble.LONGEST else "more bytes are waited for than it may have"
    if not 0 < found.size <= min(len(given), preamble.LONGEST):
        return f"it took {found.size} of {len(given)} bytes"
    return (
        None if found.source is None or isinstance(found.source, IPv4Address | IPv6Address) else "it names no address"
    )


def _credentials(dice: Random) -> list[tuple[str, str]]:
    keys = (*_MINTED, "bye_" + "a" * 39)
    good = (*(f"Bearer {key}" for key in keys), f"Basic {keys[0]}", f"Key {keys[1]}", *keys)
    names = (
        "Authorization",
        "Authorization",
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "Cookie",
        "x-key",
    )
    return [(dice.choice(names), bent.header(dice, good)) for _ in range(dice.choice((0, 1, 1, 1, 2)))]


def _carried(given: list[tuple[str, str]]) -> tuple[str, bool]:
    key = credential.presented(request("/v1/content/list", given), credential.CLIENTS)
    return key, keyform.is_key(key)


def _unlike_a_key(_given: Any, carried: tuple[str, bool]) -> str | None:
    key, is_key = carried
    return "a key nobody made is one" if is_key and key not in _MINTED and _checked(key) != key else None


def _checked(key: str) -> str:
    return key[:-6] + keyform._checksum(key[:-6])


def _body(dice: Random) -> bytes:
    return bent.data(dice, (bent.written(bent.tree(dice, _ASKED)),))


def _unlike_a_body(_given: Any, found: Any) -> str | None:
    if not isinstance(found, dict):
        return "it is no object"
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    waiting: list[tuple[Any, int]] = [(found, 1)]
    while waiting:
        each, depth = waiting.pop()
        if isinstance(each, int | float) and abs(each) > 2**53 - 1:
            return f"{each} is too large"
        parts = list(each.values()) if isinstance(each, dict) else each if isinstance(each, list) else []
        if (parts or isinstance(each, dict | list)) and depth > 32:
            return "it is too deep"
        waiting += [(part, depth + 1) for part in parts]
    return None


def _create(dice: Random) -> tuple[str, Any]:
    model = dice.choice(_MODELS) if dice.random() < 0.9 else bent.text(dice, _MODELS)[:200]
    is_video = model in _VIDEOS
    return model, bent.tree(dice, tuple(each for each in _ASKED if ("generation_duration" in each) == is_video))


def _created(given: tuple[str, Any]) -> Weighed:
    model, sent = given
    asked, order = fields.read(body.parse(bent.written(sent)))
    kind = Kind.VIDEO if "duration" in asked else Kind.IMAGE
    return weigh(_WORLD, "acme", Asked(kind, model, asked, order, fields.spell), {})


def _unlike_a_plan(_given: Any, found: Weighed) -> str | None:
    """Every step of a plan has a price, and becomes a call that can be written down and goes to its provider."""
    if not 0 <= found.plan.hold <= LARGEST:
        return f"a hold of {found.plan.hold}"
    for step in found.plan.steps:
        model = CATALOG.models[step.provider, found.menu.model]
        site = Site(model.provider.base, model.provider.base, model.provider.hosts)
        values = {**model.offer.forms[step.form].defaults, **found.fields}
        try:
            call = render.submit(model, step.form, values, site, "https://gate.example/v1/nudges/x", "tag")
        except Misdirected:
            return "a request misdirects its own call"
        json.dumps(call.body, allow_nan=False).encode()
        if not 0 < step.price <= found.plan.hold:
            return f"a price of {step.price} with a hold of {found.plan.hold}"
    return None


def _question(dice: Random) -> tuple[str, str]:
    model = dice.choice(_MODELS)
    raw = bent.header(dice, _QUERIES).encode("utf-8", "surrogateescape")
    return model, raw.decode("latin-1").replace(" ", "+").replace("#", "")


def _questioned(given: tuple[str, str]) -> Any:
    model, query = given
    asked = request(f"/v1/estimate?{query}", [])
    content.whole(asked, "limit", 50, 1, 100)
    return estimate._question(asked, _WORLD.menus[model])


def _ranged(sent: str) -> Any:
    try:
        return request("/v1/outputs/a/0.png", [("Range", sent)]).http_range
    except ValueError:
        return None


_SINGLE: tuple[tuple[str, float, tuple[str, ...], Callable[[str], Any], Callable[[Any, Any], str | None]], ...] = (
    ("idempotency", 50, _KEYS, intake.idempotency_key, _is(lambda key: 0 < len(key) <= 255 and key.isascii(), "key")),
    ("tags", 40, _TAGS, lambda sent: tags.parse([sent]), _is(lambda found: len(found) <= 16, "list of tags")),
    ("prefer", 40, _WISHES, lambda sent: generate._wanted_wait(request("/", [("Prefer", sent)])), _is(lambda s: 0 <= s <= 60, "wait")),
    ("ranges", 40, _RANGES, _ranged, _good),
    ("models", 40, _MODELS, lambda sent: generate.model_of(request("/", [], {"model": sent})), _is(lambda found: len(found) <= 200, "model")),
)  # fmt: skip

PARSERS = (
    Parser("addresses", 120, _peer, lambda given: address.client(*given), (), _elsewhere),
    Parser("preambles", 120, _preamble, preamble.parse, (preamble.Malformed,), _unlike_a_preamble),
    Parser("credentials", 120, _credentials, _carried, (Refusal,), _unlike_a_key),
    Parser("bodies", 150, _body, body.parse, (Refusal,), _unlike_a_body),
    Parser("creates", 120, _create, _created, (Refusal,), _unlike_a_plan),
    Parser("questions", 60, _question, _questioned, (Refusal,), _good),
    *(
        Parser(name, share, lambda dice, good=good: bent.header(dice, good), reader, (Refusal,), wrong)
        for name, share, good, reader, wrong in _SINGLE
    ),
)
