"""What earlier answers told, and the keys there are by what they are good for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.harness.fuzzing.wire import Answer, Request

_REMEMBERED = 60  # of each kind; older ones make room
VICTIM = "victim"  # the account that is changed; the others have to last


@dataclass
class Known:
    """Lists, so that the same dice choose the same."""

    keys: Mapping[str, str]
    generations: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    made_keys: list[tuple[str, str]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)

    def learn(self, name: str, request: Request, answer: Answer) -> None:
        """Take what an answer of an operation tells."""
        if not answer.body.startswith(b"{"):
            return
        said = json.loads(answer.body)
        data = said.get("data")
        if "/v1/generate/" in name and (ended := said.get("error", {}).get("details", {}).get("generation_id")):
            self.accepted.add(ended)
        if not isinstance(data, dict):
            return
        is_other = (request.header("Authorization") or "").endswith(self.keys["other"])
        self._generations(data, is_other=is_other)
        if not is_other:
            self._hooks(data)
        if name in {"POST /admin/v1/keys/create", "POST /admin/v1/keys/rotate"} and "key" in data:
            _keep(self.made_keys, (data["id"], data["key"]))

    def _generations(self, data: Mapping[str, Any], *, is_other: bool) -> None:
        if "generation_initialized" in data:
            self.accepted.add(data["generation_id"])
            _keep(self.others if is_other else self.generations, data["generation_id"])
        for link in data.get("generation_output_file") or ():
            if "/v1/outputs/" in link:
                _keep(self.links, link[link.index("/v1/outputs/") :])

    def _hooks(self, data: Mapping[str, Any]) -> None:
        hook = data.get("webhook_id")
        if isinstance(hook, str) and "webhook_url" in data:
            _keep(self.hooks, hook, 6)
        if "webhook_deleted" in data and hook in self.hooks:
            self.hooks.remove(hook)
        for each in data.get("deliveries", ()):
            _keep(self.deliveries, each.get("delivery_id") or each["id"])


def _keep(known: list[Any], new: Any, most: int = _REMEMBERED) -> None:
    if new not in known:
        known.append(new)
        if len(known) > most:
            del known[0]
