"""/openapi.json and /docs: kept as long as the packs are the same, safe to open, and told apart by their tags."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from gateway.ingress.openapi import page
from tests.gateway.ingress.house import IMAGE, House


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_it_is_sent_again_only_when_it_changed(house: House, path: str) -> None:
    """Whoever has it is told so without a body, by one tag among several or any; when models go, it is another."""
    first = await house.ask("GET", path)
    tag = first.headers["ETag"]
    for known in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        again = await house.ask("GET", path, headers={"If-None-Match": known})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert (await house.ask("GET", path, headers={"If-None-Match": '"x"'})).body == first.body
    menus = {model: card for model, card in house.intake.world.menus.items() if model != IMAGE}
    house.intake.world = replace(house.intake.world, menus=menus)
    later = await house.ask("GET", path, headers={"If-None-Match": tag})
    assert later.status == 200
    assert later.headers["ETag"] != tag
    assert IMAGE.encode() in first.body
    assert f"{IMAGE}</code>".encode() not in later.body
    assert f'image/{IMAGE}"'.encode() not in later.body


async def test_it_is_made_once(house: House) -> None:
    """Ten who ask at once are told one and the same, packed for whoever takes it so."""
    texts = {(await house.ask("GET", "/openapi.json", headers={"Accept-Encoding": "identity"})).body for _ in range(10)}
    packed = await house.ask("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) * 5 < len(packed.body)
    assert texts == {packed.body}
    assert packed.json["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    ("wish", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.000", False), ("identity", False), ("", False), ("xgzip", False)],
)  # fmt: skip
async def test_it_is_packed_for_who_wants_it_so(house: House, wish: str, *, packed: bool) -> None:
    """The packed form goes to those who name it with a weight above zero."""
    answer = await house.ask("GET", "/docs", headers={"Accept-Encoding": wish})
    assert (answer.headers.get("Content-Encoding") == "gzip") == packed
    assert answer.body.startswith(b"<!DOCTYPE html>")


async def test_who_asks_for_the_head_gets_the_head(house: House) -> None:
    """HEAD has the same headers and no body."""
    answer = await house.ask("HEAD", "/docs")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


async def test_the_page_can_do_nothing(house: House) -> None:
    """S53: the page runs no script, loads nothing, is framed by nobody, and no page of another origin reads it or the document."""
    answer = await house.ask("GET", "/docs", headers={"Origin": "https://evil.example"})
    rules = dict(rule.strip().partition(" ")[::2] for rule in answer.headers["Content-Security-Policy"].split(";"))
    assert (rules["sandbox"], rules["default-src"], rules["frame-ancestors"]) == ("", "'none'", "'none'")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    text = answer.body.decode()
    seen = _Seen()
    seen.feed(text)
    assert seen.tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "form", "base"})
    assert seen.attributes.isdisjoint({"src", "style", "onclick", "onload", "action"})
    assert all(re.fullmatch(r"#of-[a-z]+|openapi\.json", link) for link in seen.links)
    for path in ("/docs", "/openapi.json"):
        there = await house.ask("GET", path, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in there.headers


def test_nothing_of_a_document_becomes_markup() -> None:
    """Whatever a pack writes into a name or a value, the page shows it as it is written."""
    evil = "<script>alert(1)</script>\"'&`<b>`"
    field = {"type": "string", "enum": [evil], "description": evil}
    operation = {"operationId": evil, "tags": [evil], "summary": evil, "security": [{"key": [evil]}], "responses": {}}
    body = {"content": {"application/json": {"schema": {"properties": {evil: field}, "examples": [{evil: evil}]}}}}
    told = {
        "info": {"title": evil, "version": evil, "description": evil},
        "tags": [{"name": evil, "description": evil}],
        "paths": {f"/{evil}": {"post": {**operation, "requestBody": body}}},
        "components": {},
    }
    seen = _Seen()
    seen.feed(page.html(told))
    assert seen.tags.isdisjoint({"script", "b0"})
    assert seen.scripts == 0


class _Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
