"""Programs by which processes over one store tell one another how often somebody asked them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.ledger.program import Program, ask


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a name with a rate asked one process since that began; `rate` is a minute's."""

    name: str
    rate: int
    n: int
    epoch: int


def exchange(epoch: int, own: Sequence[Asked]) -> Program[list[Asked]]:
    """Note what changed here, and read what others noted within two minutes."""
    for each in own:
        yield from ask("pace_put", name=each.name, replica=epoch, rate=each.rate, n=each.n)
    rows = yield from ask("paces_of_others", replica=epoch)
    return [Asked(row["name"], row["rate"], row["n"], row["replica"]) for row in rows]


def forget() -> Program[None]:
    """Forget who has not asked for a while."""
    yield from ask("paces_forget")
