"""Requests out of the document: fitting ones, and bent ones. The same dice and the same known ids make the same requests."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any
from urllib.parse import quote

from gateway.providers.reverse import version_of
from tests.harness.fuzzing import arguments
from tests.harness.fuzzing.bending import Meant, astray, bend
from tests.harness.fuzzing.known import Known
from tests.harness.fuzzing.values import fitting
from tests.harness.fuzzing.wire import Request

_METHODS = ("get", "post", "patch", "put", "delete")
_ACTS = "/admin/v1/"
_NOBODY = "00000000-0000-4000-8000-000000000000"
_HOOKS = 4  # endpoints of the account at a time: each is told of everything
# How often the groups of the document come, and how often a request of them is bent.
_GROUPS = {
    "Generations": 30,
    "Models": 18,
    "Webhooks": 14,
    "Operator": 20,
    "Account": 8,
    "Library": 3,
    "Health": 4,
    "Operations": 5,
    "Other clients": 10,
}
_SOME = ("bytedance", "seedream-4.5")  # a model whose name stands in two words of a path
_BENT, _BENT_OF_OPERATORS = 0.62, 0.4
_SAID: Mapping[str, Sequence[str]] = {
    "Prefer": ("wait=1", *("wait=0", "respond-async", "handling=lenient") * 3),  # a turn lasts as long as its longest
    "Range": ("bytes=0-9", "bytes=-5", "bytes=10-"),
    "If-None-Match": ('"x"', "*"),
    "X-Tidegate-Tag": ("batch", "batch, night", "a.b"),
}
_KINDS = ("full",) * 24 + ("other", "other", "poor", "narrow", "limited", "budget", "expired", "revoked", "unknown")

Operation = Mapping[str, Any]


class Asking:
    """Makes requests from a document."""

    def __init__(self, document: Mapping[str, Any], known: Known, aliases: Mapping[str, str]) -> None:
        """Ask for what is in the document, by what is known; `aliases` gives other names of models."""
        self._document = document
        self._known = known
        self._aliases = aliases
        self._groups: dict[str, list[tuple[str, str, Operation]]] = defaultdict(list)
        for path, item in document["paths"].items():
            for method in _METHODS:
                if method in item:
                    shared = [*item.get("parameters", []), *item[method].get("parameters", [])]
                    operation = {**item[method], "parameters": [self._at(each) for each in shared]}
                    self._groups[operation["tags"][0]].append((method.upper(), path, operation))
        self._models = [path.split("/", 4)[4] for _, path, _ in self._groups["Models"]]

    def next(self, dice: Random) -> Request:
        """One request."""
        if dice.random() < 0.03:
            return astray((("Authorization", f"Bearer {self._known.keys['full']}".encode()),), dice)
        [group] = dice.choices(list(_GROUPS), list(_GROUPS.values()))
        method, path, operation = dice.choice(self._groups[group])
        request = self._fitting(method, path, operation, dice)
        schema = self._schema(operation) if "requestBody" in operation else {}
        meant = Meant(schema, [each["name"] for each in operation["parameters"] if each["in"] == "query"])
        if dice.random() < (_BENT_OF_OPERATORS if group == "Operator" else _BENT):
            for _ in range(dice.choice((1, 1, 1, 2, 3))):
                request = bend(request, meant, dice)
        return self._signed(request, dice)

    def _fitting(self, method: str, path: str, operation: Operation, dice: Random) -> Request:
        names, query, headers = {}, [], []
        for parameter in operation["parameters"]:
            name, schema = parameter["name"], parameter["schema"]
            match parameter["in"]:
                case "path":
                    names[name] = self._named(path, name, dice)
                case "query" if dice.random() < 0.4:
                    query.append(f"{name}={quote(str(fitting(schema, dice, name)).lower())}")
                case "header" if dice.random() < 0.15:
                    said = dice.choice(_SAID.get(name, (f"key-{dice.randrange(40)}",)))
                    headers.append((name, said.encode()))
        if "{lab}" in path:
            operation, names["lab"], names["model"] = self._model(path, operation, dice)
        target = path.format_map(names) + (f"?{'&'.join(query)}" if query else "")
        if "{file}" in path and self._known.links and dice.random() < 0.8:
            target = dice.choice(self._known.links)
        body = None
        if "requestBody" in operation:
            headers.append(("Content-Type", b"application/json"))
            written = json.dumps(self._body(path, operation, dice), ensure_ascii=dice.random() < 0.5)
            body = written.encode(errors="replace")
        return Request(method, target.encode(), tuple(headers), body)

    def _model(self, path: str, operation: Operation, dice: Random) -> tuple[Operation, str, str]:
        """A model on the general path, with the operation that says what it takes."""
        begins = path.partition("{")[0]
        known = [each for each in self._groups["Models"] if each[1].startswith(begins)] or self._groups["Models"]
        _, own, of_model = dice.choice(known)
        lab, name = own.split("/")[-2:]
        chance = dice.random()
        if chance < 0.05:
            lab, name = "none", "such"
        elif (alias := self._aliases.get(f"{lab}/{name}")) is not None and chance < 0.5:
            lab, _, name = alias.partition("/")
        return (of_model if "requestBody" in operation else operation), lab, name

    def _body(self, path: str, operation: Operation, dice: Random) -> dict[str, Any]:
        body: dict[str, Any] = fitting(self._schema(operation), dice)
        if path.startswith(_ACTS):
            act = path.removeprefix(_ACTS).replace("/", ".")
            return arguments.fit(act, body, self._known, self._models, dice)
        if "/images/" in path and dice.random() < 0.9:
            body["model"] = dice.choice(self._models)
        if path.endswith("/v1/predictions") and dice.random() < 0.9:
            body["version"] = dice.choice(self._models)
        if path == "/v1/webhooks" and len(self._known.hooks) >= _HOOKS:
            body["webhook_url"] = "http://127.0.0.1/"
        return body

    def _named(self, path: str, name: str, dice: Random) -> str:
        known = self._known
        pools: Mapping[str, list[str]] = {
            "id": known.hooks if "webhooks" in path else [*known.generations, *known.others],
            "delivery": known.deliveries,
            "generation": known.generations,
            "named": [each.replace("/", "%2F") for each in self._models],
            "owner": [_SOME[0]],
            "name": [_SOME[1]],
            "version": [version_of("/".join(_SOME))],
            "deployment": [each.replace("/", "%2F") for each in self._models],
        }
        pool = pools.get(name, [])
        usual = {"file": "0.png", "attempt": "1", "proof": "x" * 22}.get(name, _NOBODY)
        return dice.choice(pool) if pool and dice.random() < 0.9 else usual

    def _signed(self, request: Request, dice: Random) -> Request:
        """With a key, most of the time one that opens it."""
        keys, made = self._known.keys, self._known.made_keys
        full = f"Bearer {keys['full']}".encode()
        odd = (b"Basic evil", b"Bearer", b"Bearer  ", b"bearer " + full[7:], b"Bearer \xff", b"Bearer " + b"e" * 5_000, b"Bearer bye_" + b"0" * 39, b"Token evil")  # fmt: skip
        chance, kind = dice.random(), dice.choice(_KINDS)
        sent: list[tuple[str, bytes]] = []
        if chance < 0.02:
            kind = "no key"
        elif chance < 0.05:
            kind, sent = "odd", [("Authorization", dice.choice(odd))]
        elif chance < 0.06:
            kind, sent = "twice", [("Authorization", full), ("Authorization", full)]
        elif chance < 0.07:
            kind = "astray"
            target = request.target + (b"&" if b"?" in request.target else b"?") + b"key=" + full[7:]
            request = replace(request, target=target)
        elif chance < 0.09 and made:
            kind, sent = "made", [("Authorization", f"Bearer {dice.choice(made)[1]}".encode())]
        else:
            sent = [("Authorization", f"Bearer {keys[kind]}".encode())]
        if kind in {"unknown", "expired", "revoked"}:  # from anywhere: one address may try few wrong ones
            sent.append(("X-Forwarded-For", f"203.0.{dice.randrange(256)}.{dice.randrange(256)}".encode()))
        notes = request.notes if kind == "full" else (*request.notes, "key")
        return replace(request, headers=(*request.headers, *sent), notes=notes)

    def _schema(self, operation: Operation) -> Mapping[str, Any]:
        return self._at(operation["requestBody"]["content"]["application/json"]["schema"])

    def _at(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in found:
            _, _, kind, name = found["$ref"].split("/")
            found = self._document["components"][kind][name]
        return found
