"""What a policy says in vain: routes that can never count, names nobody has, constraints that leave nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateway.documents import nearest
from gateway.generation import Kind
from gateway.routing.policy import Policy, Route, left_out

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One model: what it makes, and who serves it."""

    kind: Kind
    providers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is. `off` are the providers switched off, `aliases` lead to models; accounts and keys None where not known."""

    models: Mapping[str, Served]
    providers: frozenset[str]
    off: frozenset[str] = frozenset()
    aliases: Mapping[str, str] | None = None
    accounts: frozenset[str] | None = None
    keys: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something said in vain: in which route, where in it, and whether it is a mistake or only deserves a look."""

    route: int
    path: Path
    message: str
    is_mistake: bool


def unreachable(policy: Policy, facts: Facts) -> list[Finding]:
    """Find everything in the routes that can never matter, in their order.

    A mistake names what is not there, or makes every request of its route fail; all else is a warning.
    """
    found: list[Finding] = []
    for at, route in enumerate(policy.routes):
        models = _models(route, facts)
        strangers = list(_strangers(at, route, policy, facts))
        found += strangers
        if not models:
            found.append(_unmatched(at, route, facts))
            continue
        found += _unknown_callers(at, route, facts)
        if (before := _shadow(at, policy, facts)) is not None:
            found.append(Finding(at, (), _shadowed(before), is_mistake=False))
        if not strangers:
            found += _providers(at, route, policy, models, facts)
    return found


def _models(route: Route, facts: Facts) -> frozenset[str]:
    return frozenset(
        name
        for name, served in facts.models.items()
        if fnmatchcase(name, route.model) and route.kind in {None, served.kind}
    )


def _named(route: Route) -> Iterator[tuple[Path, str]]:
    """Every provider a route names, and where."""
    for key, names in (("order", route.order), ("only", route.only), ("never", route.never)):
        for index, name in enumerate(names):
            yield (key, index), name
    for name, _ in route.weights:
        yield ("order", name), name


def _strangers(at: int, route: Route, policy: Policy, facts: Facts) -> Iterator[Finding]:
    """Names of providers and labels that nobody has."""
    for path, name in _named(route):
        if name not in facts.providers:
            yield Finding(at, path, unknown_provider(name, facts.providers), is_mistake=True)
    carried = {label for provider in facts.providers for label in policy.labels.get(provider, ())}
    for index, label in enumerate(route.labels):
        if label not in carried:
            said = f"no provider carries the label {label!r}{_meant(label, carried)}"
            yield Finding(at, ("labels", index), said, is_mistake=True)


def unknown_provider(name: str, providers: Collection[str]) -> str:
    """Say that no pack has this id, and which was probably meant."""
    return f"no pack is called {name!r}{_meant(name, providers)}"


def _meant(word: str, candidates: Iterable[str]) -> str:
    near = nearest(word, sorted(candidates))
    return f"; did you mean {near!r}?" if near else ""


def _unmatched(at: int, route: Route, facts: Facts) -> Finding:
    if route.kind is not None and any(fnmatchcase(name, route.model) for name in facts.models):
        said = f"no model matched by {route.model!r} makes {route.kind}s"
        return Finding(at, ("match", "kind"), said, is_mistake=True)
    meant = (facts.aliases or {}).get(route.model)
    hint = f"; did you mean {meant!r}?" if meant else _meant(route.model, facts.models)
    return Finding(at, ("match", "model"), f"no model is matched by {route.model!r}{hint}", is_mistake=True)


def _unknown_callers(at: int, route: Route, facts: Facts) -> Iterator[Finding]:
    """Accounts and keys that are not there yet; they come and go without the policy."""
    for key, name, known in (("account", route.account, facts.accounts), ("key", route.key, facts.keys)):
        if name is not None and known is not None and name not in known:
            said = f"there is no {key} {name!r}{_meant(name, known)}"
            yield Finding(at, ("match", key), said, is_mistake=False)


def _shadow(at: int, policy: Policy, facts: Facts) -> tuple[int, ...] | None:
    """The earlier routes that together take every request this one is for; None when some request gets to it."""
    route = policy.routes[at]
    left = set(_models(route, facts))
    takers: list[int] = []
    for earlier, other in enumerate(policy.routes[:at]):
        if _is_for_all(other, route) and (taken := left & _models(other, facts)):
            left -= taken
            takers.append(earlier)
    return None if left else tuple(takers)


def _is_for_all(other: Route, route: Route) -> bool:
    """Whether whoever a route is for is somebody the other is for, models aside."""
    return other.account in {None, route.account} and other.key in {None, route.key} and other.tag in {None, route.tag}


def _shadowed(before: tuple[int, ...]) -> str:
    named = " and ".join(f"routes.{index}" for index in before)
    return f"this route never counts: {named}, further up, {'takes' if len(before) == 1 else 'take'} all it is for"


def _providers(at: int, route: Route, policy: Policy, models: frozenset[str], facts: Facts) -> Iterator[Finding]:
    """What a route says about providers that cannot matter for any of its models."""
    serving = {name for model in models for name in facts.models[model].providers}
    staying = {name for name in serving if left_out(route, name, policy.labels) is None}
    if not staying:
        path: Path = next(((key,) for key in ("only", "labels", "never") if getattr(route, key)), ())
        said = "this leaves nobody who serves what the route is for: every such request would be refused"
        yield Finding(at, path, said, is_mistake=True)
        return
    if staying <= facts.off:
        said = f"only {', '.join(sorted(staying))} may serve this, and that is switched off"
        yield Finding(at, (), said, is_mistake=False)
    for path, name in _named(route):
        if path[0] == "never":
            continue  # forbidding what is not there yet is prudent
        if name not in serving:
            yield Finding(at, path, f"{name} serves no model this route is for", is_mistake=False)
        elif (reason := left_out(route, name, policy.labels)) is not None:
            yield Finding(at, path, f"{name} is named in vain: {reason}", is_mistake=False)
