"""The breakers of all offers, and with them what else may stand in an offer's way, kept between requests.

It lives in memory: a restart begins with everything closed, and each process has its own. A credential's breaker and that of a
provider as a whole are kept under no model and concern every one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from gateway.fault import Effect, Fault, FaultKind, Reach
from gateway.routing import breaker
from gateway.routing.breaker import Breaker
from gateway.routing.override import Forced, Overrides
from gateway.routing.panic import Panic
from gateway.routing.paths import Paths
from gateway.routing.plan import Standing, Why
from gateway.routing.signal import Kind, Trial, concerned
from gateway.routing.traffic import Traffic

WHOLE = ""  # instead of a model
_CREDENTIAL_REST = 300_000  # ms a refused or empty account is left alone
_MANY = 2  # models at rest after failures, from which on the trouble is the provider's
_ROOM_AGAIN = 1_000  # ms after which it makes sense to ask once more whether a full provider has room
_UNREACHED = frozenset({FaultKind.PROVIDER_ERROR, FaultKind.TIMEOUT})  # of a call that was not sent: nobody was there

Key = tuple[Kind, str, str]

# In the order in which they are told.
_REASONS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.CREDENTIAL: "its credential was refused",
        Kind.PROVIDER: "it could not be reached",
        Kind.SUBMIT: "it failed too often",
        Kind.JOB: "its jobs failed too often",
    }
)


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of the attempts on one offer since the process started."""

    attempts: int = 0
    failures: int = 0
    successes: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A breaker that has ever left `closed`, or is held by hand, as it stands; `until` in ms where that ends by itself."""

    kind: Kind
    provider: str
    model: str
    standing: breaker.Standing
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose work asks for a place, and its number among those that wait; without one it is yet to be accepted, and may wait."""

    account: str
    number: int | None = None


class Health:
    """What is known of each offer's recent past. Every method takes the time, in ms; nothing here waits."""

    def __init__(self, caps: Mapping[str, int] | None = None, rates: Mapping[str, float] | None = None) -> None:
        """Begin with everything closed; `caps` and `rates` are those of `Traffic`."""
        self.traffic = Traffic(caps or {}, rates)
        self.overrides = Overrides()
        self.paths = Paths()
        self.panic = Panic()
        self._breakers: dict[Key, Breaker] = {}
        self._troubled: Counter[str] = Counter()  # by provider, how many are not closed
        self._resting: dict[str, dict[Key, int]] = {}  # by provider, until when, what failures opened
        self._changed: list[Seen] = []
        self._tallies: dict[tuple[str, str], Tally] = {}

    def standing(
        self, provider: str, model: str, now: int, *, spilled: bool = False, turn: Turn | None = None
    ) -> Standing | None:
        """Why the offer cannot be asked now, or None; `spilled` asks for work that another provider failed at.

        With a `turn` the places of a provider that takes only so many jobs at once go round among the accounts.
        """
        order = self.overrides.of(provider, model, now)
        if order is not None and order.forced is Forced.OPEN:
            return Standing(Why.SWITCHED_OFF, "the operator holds it open", order.until)
        paused = self.traffic.paused(provider, now)
        if paused is not None:
            is_own = self.traffic.is_own_pause(provider)
            said = "more calls wait than its rate allows" if is_own else "it asked for a pause"
            return Standing(Why.RESTING, said, paused)
        barred = self._barred(provider, model, now) if order is None else None
        if barred is None and not self._has_place(provider, now, spilled, turn):
            return Standing(Why.BUSY, "as many jobs as it takes are under way", now + _ROOM_AGAIN)
        return barred

    def is_well(self, provider: str) -> bool:
        """Whether all breakers of a provider are closed."""
        return not self._troubled.get(provider)

    def _has_place(self, provider: str, now: int, spilled: bool, turn: Turn | None) -> bool:  # noqa: FBT001 - as it was asked
        if self.traffic.most(provider, now) is None:
            return True
        has_room = self.traffic.has_room(provider, now, spilled=spilled)
        if turn is None:
            return has_room
        if turn.number is None and self.traffic.is_owed(provider, turn.account, now):
            return True
        number = self.traffic.upcoming if turn.number is None else turn.number
        return has_room and self.traffic.is_turn(provider, turn.account, number, now)

    def take(self, trial: Trial, now: int, *, waited: bool = False) -> bool:
        """Ask to send one attempt, and count it; in half-open this takes the probe's place.

        One that `waited` as long as it was asked to is held up by breakers alone. Whoever was let go calls `leave` in the end.
        """
        standing = self.standing(trial.provider, trial.model, now, spilled=trial.spilled)
        if standing is not None and (not waited or standing.why is Why.SWITCHED_OFF):
            return False
        if self.overrides.of(trial.provider, trial.model, now) is None:
            if self._barred(trial.provider, trial.model, now) is not None:
                return False
            for key in _keys(trial):
                if key in self._breakers:
                    lease = trial.job if key[0] is Kind.JOB else trial.answer
                    self._put(key, breaker.admit(self._breakers[key], now, lease)[0])
        self.enter(trial)
        return True

    def enter(self, trial: Trial) -> None:
        """Count an attempt that goes out whatever is known: somebody has to ask, or it did so before a restart."""
        self.traffic.enter(trial.provider, trial.account, spilled=trial.spilled)

    def leave(self, trial: Trial) -> None:
        """Count that an attempt is over."""
        self.traffic.leave(trial.provider, trial.account, spilled=trial.spilled)

    def submitted(self, trial: Trial, now: int) -> None:
        """Take note that a request was taken; where the answer is the whole job, that it succeeded."""
        for key in _keys(trial)[:3]:
            if key in self._breakers or key[0] is not Kind.CREDENTIAL:
                self._put(key, breaker.succeeded(self._breaker(key), now, trial.began))
        self.traffic.accepted(trial.provider, now)

    def finished(self, trial: Trial, now: int) -> None:
        """Take note that an attempt succeeded: what was submitted came to its good end."""
        self._tally(trial, successes=1)
        if not trial.immediate:
            key = (Kind.JOB, trial.provider, trial.model)
            self._put(key, breaker.succeeded(self._breaker(key), now, trial.began))

    def failed(self, trial: Trial, fault: Fault, now: int, jitter: float) -> None:
        """Take note of a fault, as its kind says, where its reach says that it belongs."""
        kind, effect = concerned(fault, immediate=trial.immediate), fault.permits.breaker
        if fault.pause or effect is Effect.PAUSE:
            self.traffic.pause(trial.provider, fault.pause, now, is_own=fault.reach is Reach.UNSENT)
        if effect is Effect.PAUSE and fault.reach is not Reach.UNSENT:  # unsent, it was our own cap that refused
            self.traffic.refused(trial.provider, trial.began, now)
        if kind is not None:
            self._tally(trial, failures=1)
            key = (kind, trial.provider, WHOLE if kind is Kind.CREDENTIAL else trial.model)
            self._put(key, _after(self._breaker(key), effect, now, jitter, trial.began))
        of_job = fault.reach is Reach.ACCEPTED and not trial.immediate
        if not of_job:
            self._reached(trial, fault, now, jitter)
        self._release(trial, {Kind.JOB} if of_job else set(Kind), kind)

    def released(self, trial: Trial, *, taken: bool) -> None:
        """Take note that an attempt ended without a word about the provider: it was canceled, or we stopped.

        `taken` says that its request had been answered, so that only its job is open.
        """
        self._release(trial, {Kind.JOB} if taken else set(Kind), None)

    def looked(self, provider: str, fault: Fault | None, now: int) -> None:
        """Take note of a look at a running job: only lines that break and errors of the provider's own make a path broken."""
        lost = fault is not None and (fault.reach is not Reach.ACCEPTED or (fault.status or 0) >= 500)
        if self.paths.looked(provider, now, arrived=not lost):
            self._changed.append(self._path(provider))

    def breaker(self, kind: Kind, provider: str, model: str) -> Breaker:
        """One breaker, as it stands."""
        return self._breaker((kind, provider, model))

    def tallies(self) -> dict[tuple[str, str], Tally]:
        """What came of the attempts, by provider and model."""
        return dict(self._tallies)

    def changes(self) -> list[Seen]:
        """The breakers that have moved since this was last asked, in order."""
        changed, self._changed = self._changed, []
        return changed

    def seen(self, now: int) -> list[Seen]:
        """Every breaker that has ever left `closed` or is held by hand; one whose rest is over counts as half open."""
        found = [_seen(key, known, now) for key, known in self._breakers.items() if known.openings]
        found += [self._path(provider) for provider in self.paths.broken]
        for order in self.overrides.listed(now):
            standing = breaker.Standing(order.forced.value)
            found.append(Seen(Kind.HELD, order.provider, order.model, standing, order.until))
        return sorted(found, key=lambda each: (each.provider, each.model, each.kind))

    def _barred(self, provider: str, model: str, now: int) -> Standing | None:
        if self.is_well(provider):
            return None
        for kind, reason in _REASONS.items():
            known = self._breakers.get((kind, provider, model if kind in {Kind.SUBMIT, Kind.JOB} else WHOLE))
            if known is not None and not breaker.admits(known, now):
                return Standing(Why.RESTING, reason, max(known.until, known.probing_until))
        until = self._rolled_up(provider, now)
        return Standing(Why.RESTING, "several of its models failed too often", until) if until is not None else None

    def _rolled_up(self, provider: str, now: int) -> int | None:
        """Until when so many models of a provider rest that all do; None when they do not."""
        models: dict[str, int] = {}
        for (_, _, model), until in self._resting.get(provider, {}).items():
            if until > now:
                models[model] = max(until, models.get(model, 0))
        return sorted(models.values())[-_MANY] if len(models) >= _MANY else None

    def _reached(self, trial: Trial, fault: Fault, now: int, jitter: float) -> None:
        key = (Kind.PROVIDER, trial.provider, WHOLE)
        if fault.reach is not Reach.UNSENT:
            self._put(key, breaker.succeeded(self._breaker(key), now, trial.began))
        elif fault.kind in _UNREACHED:
            self._put(key, breaker.failed(self._breaker(key), now, jitter, trial.began))

    def _release(self, trial: Trial, kinds: set[Kind], told: Kind | None) -> None:
        for key in _keys(trial):
            if key in self._breakers and key[0] in kinds and key[0] is not told:
                self._put(key, breaker.released(self._breakers[key], trial.began))

    def _breaker(self, key: Key) -> Breaker:
        usual = breaker.CLOSED_TO_JOBS if key[0] is Kind.JOB else breaker.CLOSED
        return self._breakers.get(key, usual)

    def _put(self, key: Key, fresh: Breaker) -> None:
        old = self._breaker(key)
        self._breakers[key] = fresh
        closed = breaker.Standing.CLOSED
        self._troubled[key[1]] += (fresh.standing is not closed) - (old.standing is not closed)
        if (old.standing, old.opened) == (fresh.standing, fresh.opened):
            return
        self._changed.append(_seen(key, fresh, fresh.opened))
        kind, provider, _ = key
        resting = self._resting.setdefault(provider, {})
        resting.pop(key, None)
        if fresh.standing is breaker.Standing.OPEN and fresh.counted and kind in {Kind.SUBMIT, Kind.JOB}:
            resting[key] = fresh.until

    def _path(self, provider: str) -> Seen:
        standing = breaker.Standing.OPEN if provider in self.paths.broken else breaker.Standing.CLOSED
        return Seen(Kind.PATH, provider, WHOLE, standing)

    def _tally(self, trial: Trial, *, failures: int = 0, successes: int = 0) -> None:
        key = (trial.provider, trial.model)
        old = self._tallies.get(key, Tally())
        self._tallies[key] = Tally(old.attempts + 1, old.failures + failures, old.successes + successes)


def _keys(trial: Trial) -> tuple[Key, Key, Key, Key]:
    """The breakers an attempt goes by: three that its submit tells something to, and that of its job."""
    return (
        (Kind.CREDENTIAL, trial.provider, WHOLE),
        (Kind.PROVIDER, trial.provider, WHOLE),
        (Kind.SUBMIT, trial.provider, trial.model),
        (Kind.JOB, trial.provider, trial.model),
    )


def _after(known: Breaker, effect: Effect, now: int, jitter: float, began: int) -> Breaker:
    match effect:
        case Effect.COUNT:
            return breaker.failed(known, now, jitter, began)
        case Effect.OPEN:
            return breaker.opened(known, now, jitter)
        case Effect.OPEN_CREDENTIAL:
            rest = breaker.opened(known, now, jitter)
            return replace(rest, until=max(rest.until, now + _CREDENTIAL_REST))
        case Effect.NONE | Effect.PAUSE:
            return known


def _seen(key: Key, known: Breaker, now: int) -> Seen:
    kind, provider, model = key
    match known.standing:
        case breaker.Standing.OPEN if not breaker.admits(known, now):
            return Seen(kind, provider, model, known.standing, known.until)
        case breaker.Standing.OPEN:
            return Seen(kind, provider, model, breaker.Standing.HALF_OPEN)
        case breaker.Standing.HALF_OPEN | breaker.Standing.CLOSED:
            return Seen(kind, provider, model, known.standing)
