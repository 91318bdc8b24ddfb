"""The breakers and pauses of all offers, kept between requests.

Its keys are (provider, model); a credential's own trouble is kept under (provider, "") and concerns every model behind it. It
lives in memory: a restart begins with everything closed, and each process has its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.fault import Effect, Fault
from gateway.routing import breaker
from gateway.routing.breaker import Breaker
from gateway.routing.plan import Standing, Why

_CREDENTIAL = ""
_CREDENTIAL_REST = 300_000  # ms a refused or empty account is left alone
_USUAL_PAUSE = 5_000  # ms after a rate limit that does not say how long
_PANIC = 1_000  # ms between attempts when every offer rests


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of the attempts on one offer since the process started."""

    attempts: int = 0
    failures: int = 0
    successes: int = 0


class Health:
    """What is known of each offer's recent past. Every method takes the time; nothing here waits."""

    def __init__(self) -> None:
        """Begin with everything closed."""
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._pauses: dict[str, int] = {}
        self._panicked = -_PANIC
        self._tallies: dict[tuple[str, str], Tally] = {}

    def standing(self, provider: str, model: str, now: int) -> Standing | None:
        """Why the offer cannot be asked now, or None."""
        paused = self._pauses.get(provider, 0)
        if now < paused:
            return Standing(Why.RESTING, "it asked for a pause", paused)
        for key, reason in (
            ((provider, _CREDENTIAL), "its credential was refused"),
            ((provider, model), "it failed too often"),
        ):
            known = self._breakers.get(key)
            if known is not None and not breaker.admits(known, now):
                return Standing(Why.RESTING, reason, max(known.until, known.probing_until))
        return None

    def take(self, provider: str, model: str, now: int) -> bool:
        """Ask to send one attempt; in half-open this takes the probe's place."""
        if self.standing(provider, model, now) is not None:
            return False
        for key in ((provider, _CREDENTIAL), (provider, model)):
            if key in self._breakers:
                self._breakers[key], _ = breaker.admit(self._breakers[key], now)
        return True

    def may_panic(self, now: int) -> bool:
        """Whether one attempt may go out although every offer rests; at most one a second."""
        if now - self._panicked < _PANIC:
            return False
        self._panicked = now
        return True

    def succeeded(self, provider: str, model: str, now: int) -> None:
        """Take note that an attempt succeeded."""
        self._tally(provider, model, successes=1)
        for key in ((provider, _CREDENTIAL), (provider, model)):
            if key in self._breakers or key[1]:
                self._breakers[key] = breaker.succeeded(self._breakers.get(key, breaker.CLOSED), now)

    def failed(self, provider: str, model: str, fault: Fault, now: int, jitter: float) -> None:
        """Take note of a fault, as its kind says."""
        own, credential = (provider, model), (provider, _CREDENTIAL)
        match fault.permits.breaker:
            case Effect.NONE:
                self._release(own, credential)
            case Effect.PAUSE:
                self._pauses[provider] = max(self._pauses.get(provider, 0), now + (fault.pause or _USUAL_PAUSE))
                self._release(own, credential)
            case Effect.COUNT:
                self._tally(provider, model, failures=1)
                self._release(credential)
                self._breakers[own] = breaker.failed(self._breakers.get(own, breaker.CLOSED), now, jitter)
                if fault.pause:
                    self._pauses[provider] = max(self._pauses.get(provider, 0), now + fault.pause)
            case Effect.OPEN:
                self._tally(provider, model, failures=1)
                self._release(credential)
                self._breakers[own] = breaker.opened(self._breakers.get(own, breaker.CLOSED), now, jitter)
            case Effect.OPEN_CREDENTIAL:
                self._tally(provider, model, failures=1)
                self._release(own)
                rest = breaker.opened(self._breakers.get(credential, breaker.CLOSED), now, jitter)
                self._breakers[credential] = replace(rest, until=max(rest.until, now + _CREDENTIAL_REST))

    def released(self, provider: str, model: str) -> None:
        """Take note that an attempt ended without a word about the provider: it was canceled, or we stopped."""
        self._release((provider, model), (provider, _CREDENTIAL))

    def tallies(self) -> dict[tuple[str, str], Tally]:
        """What came of the attempts, by provider and model."""
        return dict(self._tallies)

    def breaker(self, provider: str, model: str) -> Breaker:
        """The breaker of one offer, as it stands."""
        return self._breakers.get((provider, model), breaker.CLOSED)

    def _release(self, *keys: tuple[str, str]) -> None:
        for key in keys:
            if key in self._breakers:
                self._breakers[key] = breaker.released(self._breakers[key])

    def _tally(self, provider: str, model: str, *, failures: int = 0, successes: int = 0) -> None:
        old = self._tallies.get((provider, model), Tally())
        self._tallies[provider, model] = Tally(old.attempts + 1, old.failures + failures, old.successes + successes)
