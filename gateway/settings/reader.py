"""A policy file to settings, or to every mistake in it."""

from __future__ import annotations

import importlib.util
import os
import pathlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator

from gateway import documents, egress
from gateway.artifacts.access import Place
from gateway.documents import Document, Mistake, Mistakes, Path
from gateway.generation import Kind as Makes
from gateway.routing.policy import Patience, Policy, Route
from gateway.settings import bucket
from gateway.settings.environment import filled
from gateway.settings.records import (
    Address,
    Auth,
    Booking,
    Bucket,
    Keep,
    Keys,
    Limits,
    Log,
    Metrics,
    Outputs,
    Provider,
    Proxies,
    Settings,
    Store,
    Timeouts,
    Webhook,
    origins,
)
from gateway.settings.schema import json_schema, settings
from gateway.settings.setting import ANY, EACH, Setting
from gateway.settings.values import READERS, Kind, Order
from gateway.webhooks import target
from gateway.webhooks.schedule import Rules

_TABLE: Mapping[tuple[str, ...], Setting] = MappingProxyType({one.steps: one for one in settings()})
_LISTS = frozenset(steps[: steps.index(EACH) + 1] for steps in _TABLE if EACH in steps)
_SYSTEM = pathlib.Path("/var/lib/tidegate")
# In a wheel the packs lie in the package, in a checkout beside it.
_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
_SHIPPED = (_PACKAGE / "providers.d", _PACKAGE.parent / "providers.d")
_PACKS = "providers.d"
_LEDGER = "tidegate.db"
_REPLICA = "tidegate-"  # and the port it serves on: what one of several keeps on its own disk
_LONGEST_STORE = 107 - len(
    ".sock"
)  # bytes: what Linux lets the path of a socket be, less what the private one's ends in
_DRAIN = 5_000  # ms: an endpoint is out of the tables of every node of a cluster by then
_PROVIDER = ("base", "enabled", "hosts", "labels", "concurrency", "rate")
_TIMEOUTS = ("connect_timeout", "submit_timeout", "poll_grace")
_LIMITS = ("live", "requests", "generations", "images", "videos", "daily_spend", "wrong_keys", "connections", "idle")
_RULES = ("schedule", "timeout", "disable_after", "keep_queued")


def load(path: pathlib.Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings from a file, or the defaults when there is none; Mistakes names all that is wrong with it."""
    reading = _reading(path, environ)
    found = reading.settings()
    if reading.mistakes:
        raise Mistakes(reading.mistakes)
    return found


def addresses(path: pathlib.Path | None, environ: Mapping[str, str]) -> tuple[Address, Address | None]:
    """Read only where a gateway serves and where it shows metrics apart; Mistakes when the file cannot be read at all."""
    return _reading(path, environ).addresses()


def _reading(path: pathlib.Path | None, environ: Mapping[str, str]) -> _Reading:
    """Read a file's values, their variables filled in, with every mistake of form."""
    document = Document(None, {}, {}, "settings") if path is None else documents.read(path)
    document, mistakes = filled(document, environ, _typed)
    # A text whose variable is missing is wrong enough.
    said = {mistake.place for mistake in mistakes}
    violations = documents.against(document, Draft202012Validator(json_schema()))
    mistakes += [mistake for mistake in violations if mistake.place not in said]
    return _Reading(document, path, environ, mistakes)


def _setting(path: Path) -> Setting | None:
    """Find the setting a path of the document is about."""
    steps = tuple(EACH if isinstance(step, int) else str(step) for step in path)
    return _TABLE.get((steps[0], ANY, *steps[2:]) if steps[:1] == ("providers",) else steps)


def _typed(path: Path, text: str) -> Any:
    """Read a text that came from variables the way the key wants it: an empty one is nothing, `3` may be a number."""
    one = _setting(path)
    if one is None:
        return text
    if not text and one.default is None:
        return None
    return documents.resolve(text) if one.kind in {Kind.FLAG, Kind.WHOLE, Kind.NUMBER, Kind.CREDITS} else text


class _Reading:
    """Turns one document into settings, keeping each mistake and going on with the default."""

    def __init__(
        self, document: Document, path: pathlib.Path | None, environ: Mapping[str, str], mistakes: list[Mistake]
    ) -> None:
        """Begin with the mistakes already known; what is wrong at their places is not said twice."""
        self.mistakes = mistakes
        self._document = document
        self._path = path
        self._environ = environ
        self._beside = pathlib.Path.cwd() if path is None else path.resolve().parent
        wrong = {mistake.place for mistake in mistakes}
        inside = [own for own, place in document.places.items() if place in wrong]
        self._wrong = {own[:length] for own in inside for length in range(1, len(own) + 1)}

    def settings(self) -> Settings:
        """Give the settings; worthless while there are mistakes."""
        listen: Address = self._get("listen")
        auth = Auth(self._get("auth"))
        if auth is Auth.NONE and not listen.is_loopback:
            said = f"none serves anybody, so it needs a loopback address, and listen is {listen}; use keys"
            self._note(("auth",), said)
        metrics: Metrics = self._get("metrics")
        if metrics.listen == listen and listen.port:
            self._note(("metrics",), f"{listen} is where `listen` serves; take another port, or keys")
        usual = Booking.ENFORCE if auth is Auth.KEYS else Booking.TRACK
        store = self._store(listen)
        providers = MappingProxyType({str(name): self._provider(name) for name in self._items("providers")})
        return Settings(
            source=self._path,
            listen=listen,
            public_url=self._get("public_url"),
            drain=self._drain(listen),
            store=store,
            secret=self._get("secret"),
            outputs=self._outputs(store.path),
            catalog=self._catalog(),
            aliases=MappingProxyType(self._get("aliases")),
            providers=providers,
            policy=self._policy(providers),
            timeouts=Timeouts(*(self._get("attempts", name) for name in _TIMEOUTS)),
            auth=auth,
            credits=Booking(self._get("credits") or usual),
            keys=Keys(self._get("keys", "peppers")),
            limits=Limits(*(self._get("limits", name) for name in _LIMITS)),
            proxies=self._proxies(),
            keep=Keep(self._get("keep", "records"), self._get("keep", "usage")),
            webhooks=self._webhooks(origins(listen, self._get("public_url"), metrics)),
            delivery=Rules(*(self._get("delivery", name) for name in _RULES)),
            egress=self._networks(),
            log=Log(self._get("log", "format"), self._get("log", "level"), self._get("log", "prompts")),
            region=self._get("region"),
            metrics=metrics,
        )

    def _drain(self, listen: Address) -> int:
        """Give how long balancers have to see that it stops: none stands in front of a loopback address on another machine."""
        said: int | None = self._get("drain")
        return said if said is not None else 0 if listen.is_loopback else _DRAIN

    def addresses(self) -> tuple[Address, Address | None]:
        """Give where to serve, and where to show metrics apart."""
        listen: Address = self._get("listen")
        metrics: Metrics = self._get("metrics")
        return listen, metrics.listen

    def _get(self, *path: Any) -> Any:
        """Give the value at a path as its kind reads it; the default when it is absent or wrong."""
        one = _setting(path)
        assert one is not None, f"{path} is not in the table"
        read = READERS.get(one.kind, lambda value: value)
        written = self._written(path)
        if written is not None and path not in self._wrong:
            try:
                return read(written)
            except ValueError as error:
                self._note(path, str(error))
        return None if one.default is None else read(one.default)

    def _written(self, path: Path) -> Any:
        """Give what the file says at a path, None when nothing."""
        value = self._document.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _items(self, *path: Any) -> list[Any]:
        """Give the names or positions in what is kept by name or in a list; nothing where it is the other one, which is noted."""
        found = self._written(path)
        if (*path, EACH) in _LISTS:
            return list(range(len(found))) if isinstance(found, list) else []
        return list(found) if isinstance(found, dict) else []

    def _note(self, path: Path, message: str) -> None:
        """Keep a mistake."""
        self.mistakes.append(Mistake(self._document.place(path), f"{'.'.join(map(str, path))}: {message}"))

    def _store(self, listen: Address) -> Store:
        """Give where the ledger is; without a file to say so, a file where this user may write."""
        if self._path is not None:
            place: str = self._get("store")
            if place.startswith("postgres"):
                return self._shared(place, listen)
            found = self._beside / place
            if len(os.fsencode(found)) > _LONGEST_STORE:
                self._note(
                    ("store",), f"{found} is too long: beside it lies a socket, so at most {_LONGEST_STORE} bytes"
                )
            return Store(found)
        return Store(self._usual())

    def _shared(self, address: str, listen: Address) -> Store:
        """Give a store that several processes share: none of them can keep for itself what all of them need."""
        if importlib.util.find_spec("asyncpg") is None:
            self._note(("store",), "PostgreSQL needs a library that is not there; pip install 'tidegate[postgres]'")
        if self._get("secret") is None:
            said = "all who share a store derive links and hashes from one secret; set `secret: ${TIDEGATE_SECRET}`, such as the output of `openssl rand -hex 32`"
            self._note(("store",), said)
        if self._written(("outputs", "store")) is None:
            said = "who shares a store has no disk in common: set outputs.store to s3://bucket/prefix, none, or a folder that all of them mount"
            self._note(("store",), said)
        return Store(self._usual().with_name(f"{_REPLICA}{listen.port}"), address)

    def _usual(self) -> pathlib.Path:
        """Give the file of a ledger nobody named."""
        try:
            return usual_store(self._environ)
        except ValueError as error:
            self._note(("store",), str(error))
            return self._beside

    def _outputs(self, store: pathlib.Path) -> Outputs:
        """Give what happens to outputs; they lie beside the ledger unless told otherwise."""
        written = self._written(("outputs", "store"))
        place = "outputs" if written is None else self._get("outputs", "store")
        beside = store.parent if written is None else self._beside
        return Outputs(
            folder=beside / place if isinstance(place, str) else None,
            bucket=self._bucket(place if isinstance(place, Place) else None),
            keep=self._get("outputs", "keep"),
            links=self._get("outputs", "links"),
            max_image=self._get("outputs", "max_image"),
            max_video=self._get("outputs", "max_video"),
        )

    def _bucket(self, place: Place | None) -> Bucket | None:
        """Give how the bucket for outputs is reached, where there is one."""
        found, wrong = bucket.bucket(
            place,
            self._environ,
            to_bucket=self._get("outputs", "link_to") == "bucket",
            links=self._get("outputs", "links"),
        )
        for key, said in wrong.items():
            self._note(("outputs", key), said)
        return found

    def _proxies(self) -> Proxies:
        """Give whose word counts; that they speak the PROXY protocol means nothing without them."""
        trusted, protocol = self._get("proxies", "trusted").allow, self._get("proxies", "protocol")
        if protocol and not trusted:
            said = "true closes every connection that is not from a trusted proxy, and there is none; name them in proxies.trusted"
            self._note(("proxies", "protocol"), said)
        return Proxies(trusted, self._get("proxies", "header"), protocol)

    def _catalog(self) -> tuple[pathlib.Path, ...]:
        """Give the folders of provider files, all of which are there."""
        found = []
        for index, name in enumerate(self._get("catalog")):
            candidates = [self._beside / name, *(_SHIPPED if name == _PACKS else ())]
            folder = next((candidate for candidate in candidates if candidate.is_dir()), None)
            if folder is None:
                self._note(("catalog", index), f"there is no folder {candidates[0]}")
            else:
                found.append(folder)
        return tuple(found)

    def _provider(self, name: Any) -> Provider:
        """Give what differs for one provider."""
        return Provider(*(self._get("providers", name, key) for key in _PROVIDER))

    def _policy(self, providers: Mapping[str, Provider]) -> Policy:
        """Give the routes, and what holds where they say nothing."""
        return Policy(
            routes=tuple(self._route(index) for index in self._items("routes")),
            attempts=self._get("attempts", "per_generation"),
            image_deadline=self._get("attempts", "image_deadline"),
            video_deadline=self._get("attempts", "video_deadline"),
            in_doubt_max_cost=self._get("attempts", "in_doubt_max_cost"),
            labels=MappingProxyType({name: frozenset(each.labels) for name, each in providers.items()}),
            explore=self._get("attempts", "explore"),
            patience=Patience(*(self._get("attempts", name) for name in ("soft_deadline", "soft_deadline_least"))),
            hedge_share=self._get("attempts", "hedge_share"),
        )

    def _route(self, index: int) -> Route:
        """Give one route."""
        kind = self._get("routes", index, "match", "kind")
        order: Order = self._get("routes", index, "order")
        return Route(
            model=self._get("routes", index, "match", "model"),
            kind=Makes(kind) if kind else None,
            account=self._get("routes", index, "match", "account"),
            key=self._get("routes", index, "match", "key"),
            tag=self._get("routes", index, "match", "tag"),
            strategy=order.strategy,
            order=order.names,
            weights=order.weights,
            only=self._get("routes", index, "only"),
            never=self._get("routes", index, "never"),
            labels=self._get("routes", index, "labels"),
            attempts=self._get("routes", index, "attempts"),
            deadline=self._get("routes", index, "deadline"),
            follow_refusal=self._get("routes", index, "after_refusal") == "next",
            max_price=self._get("routes", index, "max_price"),
            hedge_max_cost=self._get("routes", index, "hedge_max_cost"),
        )

    def _webhooks(self, own: tuple[str, ...]) -> tuple[Webhook, ...]:
        """Give the endpoints, each once and at an address that it may have."""
        found = [webhook for index in self._items("webhooks") if (webhook := self._webhook(index, own)) is not None]
        places = [(webhook.account, webhook.url) for webhook in found]
        for index, place in enumerate(places):
            if place in places[:index]:
                self._note(("webhooks", index), "this account's endpoint is there already; put all events into one")
        return tuple(found)

    def _webhook(self, index: int, own: tuple[str, ...]) -> Webhook | None:
        """Give one endpoint; None when it lacks what it cannot be without."""
        names = ("url", "secret", "events", "account")
        url, secret, events, account = (self._get("webhooks", index, name) for name in names)
        for name in ("url", "secret"):
            if self._written(("webhooks", index, name)) is None:
                self._note(("webhooks", index), f"{name} is missing")
        if url is None or secret is None:
            return None
        try:
            target.check(url, self._networks(), own)
        except egress.BadAddress as error:
            self._note(("webhooks", index, "url"), str(error))
        return Webhook(url, secret, events, account)

    def _networks(self) -> egress.Policy:
        """Give what may be dialled beside the public internet, and what not."""
        opened, closed = self._get("egress", "allow"), self._get("egress", "deny")
        return egress.Policy(opened.allow, closed.allow, self._get("egress", "https_only"))


def usual_store(environ: Mapping[str, str], system: pathlib.Path = _SYSTEM) -> pathlib.Path:
    """Give the ledger's path where no policy says any: in the system's folder, or in the user's when that is closed."""
    there = next(parent for parent in (system, *system.parents) if parent.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return system / _LEDGER
    home = environ.get("HOME", "")
    state = environ.get("XDG_STATE_HOME") or (f"{home}/.local/state" if home else "")
    if not state.startswith("/"):
        raise ValueError(f"{system} cannot be written and there is no HOME; name a store in a policy file")
    return pathlib.Path(state) / "tidegate" / _LEDGER
