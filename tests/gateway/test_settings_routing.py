"""The parts of the policy file that say who is asked for what: arrivals and mistakes."""

from __future__ import annotations

import pathlib

import pytest

from gateway.documents import Mistakes
from gateway.routing.policy import Patience, Route, Strategy
from gateway.settings import Provider, Settings, load


def load_text(folder: pathlib.Path, text: str) -> Settings:
    """Load a text as `config.yaml` in this folder."""
    path = folder / "config.yaml"
    path.write_text(text)
    return load(path, {})


def test_routing_in_full(tmp_path: pathlib.Path) -> None:
    """Weights, labels, keys, tags, caps and patience arrive where they are used."""
    settings = load_text(
        tmp_path,
        """
        providers:
          acme: {labels: [eu, no-training], concurrency: 8, rate: 0.5}
          other: {enabled: false}
        routes:
          - {match: {key: my-app, tag: batch.v2}, order: {acme: 3, other: 0}, labels: [eu]}
          - {order: fastest}
          - {}
        attempts: {explore: 0, soft_deadline: 2.5, soft_deadline_least: 10s}
        """,
    )
    policy = settings.policy
    assert policy.routes == (
        Route(
            key="my-app",
            tag="batch.v2",
            strategy=Strategy.WEIGHTED,
            weights=(("acme", 3), ("other", 0)),
            labels=("eu",),
        ),
        Route(strategy=Strategy.FASTEST),
        Route(),
    )
    assert settings.providers["acme"] == Provider(labels=("eu", "no-training"), concurrency=8, rate=0.5)
    assert policy.labels == {"acme": {"eu", "no-training"}, "other": frozenset()}
    assert (policy.explore, policy.patience) == (0, Patience(2.5, 10_000))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "routes: [{order: dearest}]",
            "1:18: routes.0.order: expected a list of provider ids, a mapping of them to weights, fastest or cheapest,",
        ),
        ("routes: [{order: 5}]", "1:18: routes.0.order: expected a list of provider ids, a mapping of them to weights"),
        ("routes: [{order: weighted}]", "1:18: routes.0.order: expected a list of provider ids, a mapping of them to"),
        ("routes: [{order: {}}]", "1:18: routes.0.order: expected at least 1 keys, found 0"),
        (
            "routes: [{order: {a: heavy}}]",
            "1:22: routes.0.order.a: expected a weight such as 3, found the text 'heavy'",
        ),
        ("routes: [{order: {a: 0.5}}]", "1:22: routes.0.order.a: expected a weight such as 3, found the number 0.5"),
        ("routes: [{order: {a: -1, b: 1}}]", "1:22: routes.0.order.a: expected at least 0, found -1"),
        ("routes: [{order: {a: 0, b: 0}}]", "1:18: routes.0.order: expected a weight above 0: nobody would be first"),
        ("routes: [{order: {A: 1}}]", "1:18: routes.0.order: expected provider ids before the weights, found 'A'"),
        (
            "routes: [{match: {tag: A}}]",
            "1:24: routes.0.match.tag: expected up to 64 small letters, digits, dots, - or",
        ),
        ("routes: [{labels: eu}]", "1:19: routes.0.labels: expected a list of labels, found the text 'eu'"),
        ("routes: [{labels: [a b]}]", "1:20: routes.0.labels.0: expected up to 64 small letters, digits, dots, - or _"),
        ("routes: [{labels: [eu, eu]}]", "1:24: routes.0.labels: the text 'eu' is in the list twice"),
        ("providers: {a: {rate: 0}}", "1:23: providers.a.rate: expected at least 0.01, found 0"),
        ("providers: {a: {rate: true}}", "1:23: providers.a.rate: expected a number or nothing, found true"),
        ("providers: {a: {concurrency: 0}}", "1:30: providers.a.concurrency: expected at least 1, found 0"),
        ("attempts: {explore: 1.5}", "1:21: attempts.explore: expected at most 1, found 1.5"),
        ("attempts: {soft_deadline: 0.5}", "1:27: attempts.soft_deadline: expected at least 1, found 0.5"),
        ("routes: [{order: [a, a]}]", "1:22: routes.0.order: the text 'a' is in the list twice"),
    ],
)
def test_mistakes_about_routing(tmp_path: pathlib.Path, text: str, said: str) -> None:
    """What is wrong with a route, a label, a cap or a share is one mistake at its place, which says what would be right."""
    with pytest.raises(Mistakes) as raised:
        load_text(tmp_path, text)
    (mistake,) = raised.value.mistakes
    assert str(mistake).removeprefix(f"{tmp_path}/config.yaml:").startswith(said)
