"""Programs about several processes over one store: who is there, whose lease is over, and who takes over what was left.

A process that serves has a lease, and under it an epoch that never comes again. All it writes is refused once the lease was taken
away, so that of two who believe to have a generation under way, one alone can say anything about it. Only asked of a store that is
shared; times are the server's.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.ledger.program import Program, ask, one

# How long a lease lasts, in ms. A process that is gone is replaced within it, one that is busy for some seconds keeps it.
LEASE = 25_000
_AT_ONCE = 200  # generations taken over in one transaction: the next one who looks gets its part


@dataclass(frozen=True, slots=True)
class Peer:
    """A process with a lease; `late` when that is over and nobody has taken it away yet."""

    epoch: int
    name: str
    late: bool


def join(name: str, version: str) -> Program[int]:
    """Begin a lease; gives its epoch."""
    [row] = yield from ask("replica_join", name=name, version=version, lease=LEASE)
    epoch: int = row["seq"]
    return epoch


def renew(epoch: int) -> Program[bool]:
    """Go on with a lease; False when it was taken away."""
    return (yield from one("replica_renew", replica=epoch, lease=LEASE)) is not None


def leave(epoch: int) -> Program[None]:
    """Give a lease up: what was under way is free for the others at once."""
    yield from ask("replica_leave", replica=epoch)


def peers() -> Program[list[Peer]]:
    """Every process that has a lease, the eldest first."""
    return [Peer(row["seq"], row["name"], bool(row["late"])) for row in (yield from ask("replicas_there"))]


def are_orphans() -> Program[bool]:
    """Whether a generation has not ended and nobody has it under way."""
    return (yield from one("generations_orphaned")) is not None


def take_over(epoch: int) -> Program[list[tuple[str, str]]]:
    """End the leases that are over and take some of what was left; account and id of each."""
    yield from ask("replicas_end")
    rows = yield from ask("generations_claim", replica=epoch, limit=_AT_ONCE)
    return [(row["account_id"], row["id"]) for row in rows]


def tell(said: str) -> Program[None]:
    """Tell every process that listens."""
    yield from ask("notify", said=said)
