"""The packs that come with the project: they load, their samples hold, and no request or reply upsets them."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.generation import FIELDS, Type, Value
from gateway.offer import Fit, Offer, fit
from gateway.providers import catalog, read, render, samples
from gateway.providers.classify import UNREADABLE, Reply
from gateway.providers.pack import Model
from gateway.providers.render import Site
from gateway.providers.secrets import struck_address
from tests.providers.asking import cases

FOLDER = pathlib.Path(__file__).parents[2] / "providers.d"
CATALOG = catalog.load_once([FOLDER])
MODELS = list(CATALOG.models.values())
TEXT = st.text(max_size=20) | st.sampled_from(["$prompt", "$model", "$secret.FAL_KEY", "$$", "0", "null"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
# Words that replies are made of, so that paths of the packs lead somewhere.
WORDS = st.sampled_from(
    sorted(set(re.findall(r"[a-z_0-9]+", " ".join(path.read_text() for path in FOLDER.rglob("provider.yaml")))))
)
REPLIES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | WORDS | st.sampled_from(["IN_QUEUE", "COMPLETED"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def values_of(offer: Offer, name: str) -> st.SearchStrategy[Value]:
    """Draw a value of a field, mostly one that some form of the offer has."""
    listed = [
        value for form in offer.forms for pick in form.picks if name in pick.fields for value in pick.values(name)
    ]
    if listed:
        return st.sampled_from(listed)
    match offer.types[name]:
        case Type.URLS:
            return st.lists(TEXT, max_size=3).map(tuple)
        case Type.TEXT | Type.URL:
            return TEXT
        case Type.BOOLEAN:
            return st.booleans()
        case Type.INTEGER | Type.NUMBER:
            return st.integers(0, 20)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Model, dict[str, Value]]:
    """Draw a model and a request for it."""
    model = draw(st.sampled_from(MODELS))
    names = draw(st.sets(st.sampled_from(sorted(model.offer.types))))
    fields = {name: draw(values_of(model.offer, name)) for name in sorted(names | {"prompt"})}
    return model, fields


def strings(tree: Any) -> list[str]:
    """List every text in a body."""
    match tree:
        case dict():
            return [text for part in tree.values() for text in strings(part)]
        case list():
            return [text for part in tree for text in strings(part)]
        case str():
            return [tree]
        case _:
            return []


def test_every_sample_holds_and_nothing_lacks_one():
    """What each pack says it reads and sends is so, and every rule, state word, pause and form is shown."""
    assert [str(mistake) for mistake in samples.check_catalog(CATALOG, coverage=True)] == []


@pytest.mark.parametrize("provider", sorted(CATALOG.providers))
def test_a_pack_brings_its_proof(provider: str):
    """Every provider has samples and at least one model."""
    assert provider in CATALOG.samples
    assert any(owner == provider for owner, _ in CATALOG.models)


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.yaml")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_pack_holds_a_secret(path: pathlib.Path):
    """A credential stands in a pack by name alone: nothing there looks like a key."""
    text = path.read_text()
    assert not re.search(r"(?i)\b(bearer|key|token) (?!\$secret\.)[\w:.-]{12,}", text)
    assert not re.search(r"\b(r8_|sk-|ghp_|AKIA|xox[bp]-)[A-Za-z0-9]{8,}", text)
    # Long runs of letters and digits are how keys look; shared words are shorter.
    assert not [word for word in re.findall(r"\b[A-Za-z0-9]{32,}\b", text) if re.search(r"\d", word)]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.provider.id}/{model.offer.model}")
def test_every_row_of_every_table_can_be_asked_for(model: Model):
    """No row of a pack is unreachable: a request for it is served and changes what is sent as it says."""
    for name, fields in cases(model):
        found = fit(model.offer, fields)
        assert isinstance(found, Fit), (name, found)
        assert found.price > 0


@settings(max_examples=100, deadline=None)
@given(requests())
def test_a_request_that_fits_becomes_json_without_names(asked: tuple[Model, dict[str, Value]]):
    """Rendering a request that fits never raises, is JSON, and leaves no name of the pack in it."""
    model, fields = asked
    found = fit(model.offer, fields)
    if not isinstance(found, Fit):
        assert all(name in FIELDS or name in model.offer.types or not name for name, _ in found.reasons)
        return
    site = Site(model.provider.base, model.provider.base, model.provider.hosts)
    call = render.submit(model, found.form, found.values, site)
    json.dumps(call.body, allow_nan=False)
    theirs = set(strings([list(value) if isinstance(value, tuple) else value for value in fields.values()]))
    assert not [text for text in strings(call.body) if text.startswith("$") and text not in theirs]
    assert "$" not in struck_address(call.url)
    assert found.price > 0


@settings(max_examples=100, deadline=None)
@given(
    model=st.sampled_from(MODELS),
    body=REPLIES | JSON | st.just(UNREADABLE),
    status=st.integers(100, 599) | st.sampled_from([200, 201, 400, 422]),
    header=TEXT,
    now=st.integers(0, 2**45),
)
def test_any_reply_reads_as_something(model: Model, body: Any, status: int, header: str, now: int):
    """Reading any JSON, under any status, as the answer to any call never raises."""
    reply = Reply(status, {"retry-after": header}, body)
    for reader in (read.submitted, read.looked, read.fetched):
        for form in range(len(model.shapes)):
            found = reader(model, form, reply, now)
            assert found.state is not None or found.fault is not None
