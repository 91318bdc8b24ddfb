"""Fitting arguments of the operator's acts: about what was made for it, where an act would end something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from tests.harness.fuzzing.known import VICTIM, Known

_TENDER = ("accounts.change", "keys.change", "keys.revoke", "keys.rotate")
_NEVER = ("breakers.open",)  # with a provider held open its models answer that nobody serves them
_FIXED: Mapping[str, Sequence[Any]] = {
    "provider": ("byteplus", "runway", "nobody"),
    "amount": ("1", "0.5", 2, 0.000001, "0"),
    "budget": ("1", "0.5", 2, 0.000001, "0"),
    "daily_spend": ("1000", 0),
    "thresholds": ([], ["1"], [1, 2.5]),
    "expires_in": ("1s", "12h", "90d", "2030-01-01", "2030-01-01T00:00:00Z"),
    "starts_in": ("1s", "12h", "90d", "2030-01-01", "2030-01-01T00:00:00Z"),
    "networks": ([], ["127.0.0.0/8"], ["10.0.0.1"], ["::/0"]),
    "models": ([], ["bytedance/*"], ["*"]),
    "grace": (1, 24),
    "name": ("acme", "a name", "fuzz"),
    "note": ("", "a note"),
    "reference": ("one", "two", "three"),
    "who": ("acme", "operator", "nobody"),
    "for": ("1s", "30m", "7d"),
}


def fit(act: str, body: Mapping[str, Any], known: Known, models: Sequence[str], dice: Random) -> dict[str, Any]:
    """The same arguments with values that mean something here."""
    fitted = {name: _argument(act, name, value, known, models, dice) for name, value in body.items()}
    if act.startswith("breakers."):
        fitted.pop("model", None)
    if act in _NEVER:
        fitted["provider"] = "nobody"
    return fitted


def _argument(act: str, name: str, value: Any, known: Known, models: Sequence[str], dice: Random) -> Any:
    pools: Mapping[str, Sequence[Any]] = {
        "account": _accounts(act, dice),
        "id": [each for each, _ in known.made_keys] or ["key_0"]
        if act.startswith("keys.")
        else known.hooks or ["we_0"],
        "delivery": known.deliveries or ["x"],
        "generation": known.generations or ["x"],
        "model": models,
        "url": ["https://hooks.invalid/take" if len(known.hooks) < 6 else "http://127.0.0.1/"],
        **_FIXED,
    }
    return dice.choice(pools[name]) if name in pools else value


def _accounts(act: str, dice: Random) -> Sequence[str]:
    if act in _TENDER:
        return [VICTIM]
    if act == "accounts.create":
        return [f"made-{dice.randrange(10_000)}"]
    return ["acme", "other", "poor", VICTIM, "nobody"]
