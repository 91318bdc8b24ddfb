"""Packs read backwards: what a pack renders reads as what was asked, and means the same to every other provider of the model."""

from __future__ import annotations

import json
import pathlib

import pytest

from gateway.generation import FIELDS, Kind, Value, settle
from gateway.offer import Fit, fit
from gateway.providers import catalog, render
from gateway.providers.pack import Model
from gateway.providers.reverse import Heard, Spellings
from tests.providers.asking import cases

CATALOG = catalog.load_once([pathlib.Path(__file__).parents[2] / "providers.d"])
SPELLINGS = Spellings(CATALOG.models, CATALOG.aliases)
PROVIDERS = sorted(CATALOG.providers)


def body_of(model: Model, found: Fit) -> dict:
    """What a provider is sent for a request."""
    body: dict = json.loads(
        json.dumps(model.shapes[found.form].build(render.names_of(model, found.form, found.values)))
    )
    return body


def read_back(model: Model, found: Fit) -> Heard:
    """Read what a provider is sent, as its own client would send it."""
    body = body_of(model, found)
    named = SPELLINGS.find(model.shapes[found.form].native, model.provider.id)
    assert named is not None
    wrapped = next(iter(body)) if len(body) == 1 and isinstance(next(iter(body.values())), dict) else None
    heard = SPELLINGS.read(named, body, (wrapped,) if wrapped else ())
    assert isinstance(heard, Heard), heard
    assert (heard.provider, heard.model, heard.adjusted) == (model.provider.id, model.offer.model, ())
    return heard


def settled(model: str, fields: dict) -> dict[str, Value]:
    """Values as they are after intake."""
    types = {name: type_ for offer in CATALOG.offers(model) for name, type_ in offer.types.items()}
    return {name: settle(types.get(name) or FIELDS[name].type, value) for name, value in fields.items()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_request_reads_back(provider: str) -> None:
    """Forms, rows and bounds of every pack of a provider read as a request that is sent the same way."""
    for (owner, name), model in CATALOG.models.items():
        if owner != provider:
            continue
        for case, fields in list(cases(model))[::3]:
            found = fit(model.offer, fields)
            if not isinstance(found, Fit) or (model.offer.kind is Kind.VIDEO and "duration" not in fields):
                continue
            again = fit(model.offer, settled(name, dict(read_back(model, found).fields)))
            assert isinstance(again, Fit), (name, case, again.reasons)
            assert body_of(model, again) == body_of(model, found), (name, case)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_meaning_survives(provider: str) -> None:
    """What one provider's spelling says, every other provider of the model is sent as if it had been asked in our words."""
    for (owner, name), model in CATALOG.models.items():
        others = [each for each in CATALOG.models.values() if each.offer.model == name and each is not model]
        if owner != provider or not others:
            continue
        for case, fields in list(cases(model))[::7]:
            found = fit(model.offer, fields)
            if not isinstance(found, Fit) or (model.offer.kind is Kind.VIDEO and "duration" not in fields):
                continue
            said = settled(name, dict(read_back(model, found).fields))
            for other in others:
                meant, sent = fit(other.offer, fields), fit(other.offer, said)
                if isinstance(meant, Fit) and isinstance(sent, Fit):
                    assert body_of(other, sent) == body_of(other, meant), (name, case, other.provider.id)
                elif isinstance(meant, Fit):
                    # A spelling has a word for what holds anyhow, and a provider without one is then left out.
                    assert all(found.values.get(field) == said[field] for field, _ in sent.reasons), (name, case, sent)
