"""The two changes that every generation makes, for as many as want them at the same time: it begins, and its outputs are delivered.

A statement costs the interpreter more than its work costs the engine; so several generations share each, handed over as rows of
JSON. What needs a look of its own is left to the programs for one: repeated and capped requests, accounts that run short,
work that several providers were asked for. Both ways leave the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.generation import State
from gateway.ledger import attempts, generations, spending
from gateway.ledger.accounts import NO_CAPS, Allowance
from gateway.ledger.endings import succeed
from gateway.ledger.events import EventType, Happening, announce_all
from gateway.ledger.generations import Accepted, NewGeneration
from gateway.ledger.postings import REVENUE
from gateway.ledger.program import Apart, ConstraintBroken, Many, Program, Row, SQLValue, ask
from gateway.ledger.records import Artifact, ArtifactLike, Attempt, Record, dump
from gateway.outcome import AttemptState, Billing

_LARGE = 32 * 1024  # characters of one value; a request that brings files is written alone
_ALONE = Apart.APART


@dataclass(frozen=True, slots=True)
class Opening:
    """The first attempt of a generation, whose intent is committed with it; amounts in millionths."""

    provider: str
    native: str
    form: int
    price: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """A generation to accept, the API key it comes with and what its account is held to where nothing else is said.

    With an `opening` its first attempt is written with it, and may be sent as soon as that is on disk.
    """

    new: NewGeneration
    key: str | None
    usual: Allowance = NO_CAPS
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """It is accepted; `attempt` is the id of the attempt that was opened with it, None without one."""

    accepted: Accepted
    attempt: int | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outputs of an attempt, as they are kept, and the price: see `attempts.storing` and `endings.succeed`.

    `links` is what the provider handed over. `others` says that later attempts than this one were made.
    """

    generation: str
    attempt: int
    links: Sequence[Mapping[str, Any]]
    artifacts: Sequence[ArtifactLike]
    captured: int
    at: int
    provider: str
    reported_cost: int | None = None
    others: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """How a generation ended whose only attempt was delivered as soon as it was answered: all there is to know but what was asked."""

    opening: Opening
    delivery: Delivery

    def record(self, new: NewGeneration) -> Record:
        """The record of the generation, as reading it from the store gives it."""
        first, last = self.opening, self.delivery
        made = Attempt(
            id=last.attempt,
            generation=new.id,
            n=1,
            provider=first.provider,
            native=first.native,
            form=first.form,
            state=AttemptState.DONE,
            ref=None,
            kept=None,
            outputs=last.links,
            fault=None,
            price=first.price,
            billing=Billing.CERTAIN,
            cost=last.reported_cost,
            won=True,
            double_spend=False,
            started=new.created,
            submitted=last.at,
            ended=last.at,
        )
        outputs = (Artifact(a.index, a.uri, a.sha256, a.size, a.type, a.width, a.height) for a in last.artifacts)
        return Record(
            id=new.id,
            account=new.account,
            kind=new.kind,
            model=new.model,
            request={name: list(value) if isinstance(value, tuple) else value for name, value in new.request.items()},
            plan=new.plan,
            adjustments=list(new.adjustments),
            order=new.order,
            state=State.SUCCEEDED,
            price=new.price,
            settled=last.captured,
            provider_used=last.provider,
            prediction=None,
            error=None,
            created=new.created,
            changed=last.at,
            started=last.at,
            ended=last.at,
            deadline=new.deadline,
            removed=None,
            artifacts=tuple(outputs),
            attempts=(made,),
        )


Answer = Begun | spending.Refused


def _begin(item: Beginning) -> Program[Answer]:
    answer = yield from spending.accept(item.new, item.key, item.usual)
    if not isinstance(answer, Accepted):
        return answer
    attempt = None
    if (first := item.opening) is not None:
        attempt = yield from attempts.open_attempt(
            item.new.id,
            1,
            provider=first.provider,
            native=first.native,
            form=first.form,
            price=first.price,
            at=item.new.created,
        )
    return Begun(answer, attempt)


def _begin_all(items: Sequence[Beginning]) -> Program[Sequence[Answer | Apart]]:
    owners = yield from _owners([item if _may_share(item) else None for item in items])
    taken = [place for place in owners if items[place].new.price > 0]
    available = yield from _hold([items[place].new for place in taken])
    taken = [place for place in taken if items[place].new.account in available]
    if not taken:
        return [_ALONE] * len(items)
    news = [items[place].new for place in taken]
    latest = {(new.account, new.idempotency.key): new.id for new in news if new.idempotency is not None}
    rows = _rows(_begun(items[place], owners[place], latest) for place in taken)
    yield from ask("generations_begin", rows=rows)
    yield from ask("holds_open", rows=rows)
    opened = {}
    if any(items[place].opening is not None for place in taken):
        opened = {row["of"]: row["id"] for row in (yield from ask("attempts_begin", rows=rows))}
    if latest:
        yield from ask("idempotencies_put", rows=rows)
    answers: list[Answer | Apart] = [_ALONE] * len(items)
    for place, new in zip(taken, news, strict=True):
        answers[place] = Begun(Accepted(available[new.account]), opened.get(new.id))
    return answers


def _may_share(item: Beginning) -> bool:
    return item.new.callback is None and sum(map(_size, item.new.request.values())) <= _LARGE


def _size(value: object) -> int:
    """How many characters a value has, as near as matters."""
    return len(value) if isinstance(value, str) else sum(map(_size, value)) if isinstance(value, list | tuple) else 0


def _owners(items: Sequence[Beginning | None]) -> Program[dict[int, str | None]]:
    """Those that are no repeated requests and that nothing caps, by their places, and the keys they count against."""
    callers = list(dict.fromkeys((item.new.account, item.key) for item in items if item))
    asked = {str(place): {"account": account, "key": key} for place, (account, key) in enumerate(callers)}
    found = (yield from ask("caps_of", rows=dump(asked))) if asked else []
    caps = {callers[int(row["place"])]: row for row in found}
    owners: dict[int, str | None] = {}
    for place, item in enumerate(items):
        row = caps.get((item.new.account, item.key)) if item else None
        if item and row and not spending.is_capped(row, item.new.kind, item.usual):
            owners[place] = row["key_id"]
    keys: dict[str, dict[str, SQLValue]] = {}
    seen: set[tuple[str, str]] = set()
    for place in sorted(owners):
        item = items[place]
        assert item is not None
        if (key := item.new.idempotency) is None:
            continue
        if key.lately is not None and key.lately.before <= key.lately.after:
            pass  # it repeats nothing
        elif (item.new.account, key.key) in seen and (key.lately is None or key.lately.before > item.new.created):
            del owners[place]  # the same again in one batch: it finds the first one written
        else:
            keys[str(place)] = {"account": item.new.account, "key": key.key}
        seen.add((item.new.account, key.key))
    for row in (yield from ask("idempotencies_find", rows=dump(keys))) if keys else ():
        item = items[int(row["place"])]
        assert item is not None
        assert item.new.idempotency is not None
        if generations.stands(row, item.new.idempotency.lately, item.new.created):
            del owners[int(row["place"])]
    return owners


def _hold(news: Sequence[NewGeneration]) -> Program[dict[str, int]]:
    """Set aside what these cost; what is available then, by account. Those that cannot bear all of theirs are not there."""
    amounts: Counter[str] = Counter()
    for new in news:
        amounts[new.account] += new.price
    counts = Counter(new.account for new in news)
    rows = {account: {"amount": amount, "n": counts[account]} for account, amount in amounts.items()}
    held = yield from ask("accounts_hold", rows=dump(rows))
    if any(row["is_low"] for row in held):
        raise ConstraintBroken("somebody is told that credits run low")
    return {row["account"]: row["available"] for row in held}


def _begun(item: Beginning, owner: str | None, latest: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """A generation and all that hangs on it; a key made of equal requests stands for the latest of them."""
    new, first, key = item.new, item.opening, item.new.idempotency
    row: dict[str, Any] = {
        "id": new.id,
        "account": new.account,
        "kind": new.kind.value,
        "model": new.model,
        "request": new.request,
        "plan": new.plan,
        "adjustments": list(new.adjustments),
        "order": new.order,
        "state": (State.ACCEPTED if item.opening is None else State.SUBMITTING).value,
        "price": new.price,
        "at": new.created,
        "deadline": new.deadline,
        "key": owner,
        "owner": new.owner,
    }
    if first is not None:
        row |= {"provider": first.provider, "native": first.native, "form": first.form, "costs": first.price}
    if key is not None and latest[new.account, key.key] == new.id:
        row |= {"idempotency": key.key, "fingerprint": key.fingerprint, "response": key.response}
    return row


def _deliver(item: Delivery) -> Program[bool]:
    if not (yield from attempts.storing(item.attempt, item.links, item.at)):
        return False
    return (
        yield from succeed(
            item.generation,
            item.attempt,
            item.artifacts,
            captured=item.captured,
            at=item.at,
            provider=item.provider,
            reported_cost=item.reported_cost,
            others=item.others,
        )
    )


def _deliver_all(items: Sequence[Delivery]) -> Program[Sequence[bool | Apart]]:
    awaited = {
        str(place): {"id": item.generation, "attempt": item.attempt}
        for place, item in enumerate(items)
        if item.artifacts and item.captured > 0 and not item.others and _is_small(item)
    }
    found = {int(row["place"]): row for row in (yield from ask("generations_awaited", rows=dump(awaited)))}
    if not found:
        return [_ALONE] * len(items)
    if any(row["held"] is None for row in found.values()):
        raise ConstraintBroken("a live generation has no open hold; run the ledger's checks")
    rows = _rows(_delivered(items[place], row["seq"]) for place, row in found.items())
    yield from ask("generations_deliver", rows=rows)
    yield from ask("attempts_deliver", rows=rows)
    outputs = (_output(each, row["seq"]) for place, row in found.items() for each in items[place].artifacts)
    yield from ask("artifacts_add", rows=_rows(outputs))
    yield from ask("holds_settle", rows=rows)
    yield from ask("txns_settle", rows=rows)
    yield from _post(
        [
            _Payment(items[place].generation, row["account"], items[place].captured, row["held"])
            for place, row in found.items()
        ]
    )
    yield from announce_all([each for place, row in found.items() for each in _happenings(items[place], row)])
    return [place in found or _ALONE for place in range(len(items))]


def _is_small(item: Delivery) -> bool:
    """Whether it holds no bytes worth speaking of: outputs that nothing keeps come inside their addresses."""
    return sum(len(each.uri) for each in item.artifacts) <= _LARGE


def _happenings(item: Delivery, row: Row) -> Iterator[Happening]:
    seq, account = row["seq"], row["account"]
    if row["state"] == State.SUBMITTING:  # of one that runs it was told
        said = {"provider": item.provider, "prediction": None}
        yield Happening(EventType.STARTED, account, item.generation, seq, said, item.at)
    yield Happening(EventType.COMPLETED, account, item.generation, seq, {}, item.at)


@dataclass(frozen=True, slots=True)
class _Payment:
    generation: str
    account: str
    amount: int
    held: int


def _post(paid: Sequence[_Payment]) -> Program[None]:
    """Move what several generations cost, each in a transaction of its own."""
    moves: dict[str, Counter[str]] = {REVENUE: Counter(released=0)}
    for each in paid:
        moves.setdefault(each.account, Counter()).update(amount=-each.amount, released=each.held)
        moves[REVENUE]["amount"] += each.amount
    after = {row["account"]: row["posted"] for row in (yield from ask("accounts_move", rows=dump(moves)))}
    if after.keys() != moves.keys():
        raise ConstraintBroken("credits move between two accounts; one of them does not exist")
    balance = {account: posted - moves[account]["amount"] for account, posted in after.items()}
    entries: list[dict[str, SQLValue]] = []
    for each in paid:
        for account, delta in ((each.account, -each.amount), (REVENUE, each.amount)):
            balance[account] += delta
            entries.append({"of": each.generation, "account": account, "delta": delta, "balance": balance[account]})
    yield from ask("entries_put", rows=_rows(entries))


def _delivered(item: Delivery, seq: int) -> dict[str, SQLValue]:
    return {
        "seq": seq,
        "id": item.generation,
        "attempt": item.attempt,
        "captured": item.captured,
        "provider": item.provider,
        "at": item.at,
        "cost": item.reported_cost,
        "outputs": dump(list(item.links)),
    }


def _output(each: ArtifactLike, seq: int) -> dict[str, SQLValue]:
    return {
        "seq": seq,
        "index": each.index,
        "uri": each.uri,
        "sha256": each.sha256,
        "size": each.size,
        "type": each.type,
        "width": each.width,
        "height": each.height,
    }


def _rows(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows by their places: an object, since the engines have no word in common for going through a list."""
    return dump({str(place): row for place, row in enumerate(rows)})


begin: Many[Beginning, Answer] = Many(_begin, _begin_all)
deliver: Many[Delivery, bool] = Many(_deliver, _deliver_all)
