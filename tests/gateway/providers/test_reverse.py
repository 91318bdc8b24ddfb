"""Names and bodies in a provider's spelling: what they mean in our words, and how what means nothing is refused."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from gateway.providers.heard import Adjustment, Heard, Unheard
from gateway.providers.reverse import Spellings, version_of
from gateway.providers.sizes import nearest, pixels
from tests.gateway.providers import acme

READS = """\
reads:
  steps: {30: {}}
  quick: {(any): {}}
  size: {wide: {ratio: "16:9"}, custom: {}}
  filter: {false: {}}
"""
LENGTH = """\
reads: {seconds: {(none): {duration: 5}}}
"""
# Another provider of one of the models, with words of its own, and a model that the first does not have.
LUMEN = {
    "lumen/provider.yaml": acme.PROVIDER.replace("provider: acme", "provider: lumen").replace("ACME_KEY", "LUMEN_KEY"),
    "lumen/acme/still.yaml": """\
makes: image
native: still-of-acme
lifecycle: now
takes: {prompt: {required: true}, seed: {}}
picks:
  ratio: {"1:1": {shape: "1:1"}, "16:9": {shape: "16:9"}, "3:2": {shape: "3:2"}}
  count: {1: {}}
defaults: {ratio: "1:1", count: 1}
body: {input: {words: $prompt, shape: $shape, seed: $seed}}
price: {per: image, usd: 0.03}
""",
    "lumen/lumen/lamp.yaml": """\
makes: image
native: lamp-1
lifecycle: now
takes: {prompt: {required: true}, images: {max: 2}, count: {min: 1, max: 4}}
picks:
  ratio: {"1:1": {shape: "1:1"}, "21:9": {shape: "21:9"}, adaptive: {}}
  resolution: {1K: {class: 1}, 2K: {class: 2}}
defaults: {ratio: "1:1", resolution: 1K, count: 1}
body: {input: {words: $prompt, pictures: [{$each: images, at: $item}], shape: $shape, class: $class, number: $count}}
price: {per: image, usd: 0.03}
""",
}


@pytest.fixture(scope="module")
def spellings(tmp_path_factory: pytest.TempPathFactory) -> Spellings:
    """Two providers, of which the first says what its clients may send beside its bodies."""
    files = {
        **acme.FILES,
        **LUMEN,
        "acme/provider.yaml": acme.PROVIDER + READS,
        "acme/acme/clip.yaml": acme.CLIP + LENGTH,
    }
    found = acme.loaded(tmp_path_factory.mktemp("packs"), files)
    return Spellings(found.models, found.aliases)


def read(spellings: Spellings, name: str, body: dict[str, Any], speaks: str = "acme", *within: str) -> Heard | Unheard:
    """Find a name and read a body."""
    named = spellings.find(name, speaks)
    assert named is not None
    return spellings.read(named, body, within)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("acme/still", "acme/still"),
        ("acme-labs/still", "acme/still"),
        ("acme-still-2", "acme/still"),
        ("still-of-acme", "acme/still"),
        ("acme/clip/from-image", "acme/clip"),
        ("acme/still:0123abcd", "acme/still"),
        (version_of("acme-still-2"), "acme/still"),
    ],
)
def test_name(spellings: Spellings, name: str, model: str) -> None:
    """A model is found by our id, an alias, any provider's name, with or without a version, and by a version alone."""
    named = spellings.find(name)
    assert named is not None
    assert named.model == model


def test_unknown_name(spellings: Spellings) -> None:
    """A name nobody knows means nothing, and the closest one is at hand."""
    assert spellings.find("acme/stil") is None
    assert spellings.find("acme/stil:1") is None
    assert spellings.nearest("acme/stil") == "acme/still"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"prompt": "a seal"}, {"prompt": "a seal"}),
        ({"prompt": "a seal", "model": "acme-still-2"}, {"prompt": "a seal"}),
        ({"prompt": "a seal", "n": 2, "strength": 0.5}, {"prompt": "a seal", "count": 2, "strength": 0.5}),
        ({"prompt": "a seal", "first": "a.png"}, {"prompt": "a seal", "images": ["a.png"]}),
        ({"first": "a.png", "second": {"url": "b.png", "role": "second"}}, {"images": ["a.png", "b.png"]}),
        ({"first": ["a.png", "b.png"]}, {"images": ["a.png", "b.png"]}),
        ({"size": "2048x2048"}, {"resolution": "2K", "ratio": "1:1"}),
        ({"size": {"width": 2048, "height": 2048}}, {"resolution": "2K", "ratio": "1:1"}),
        ({"size": "1344*768"}, {"ratio": "16:9"}),
        ({"size": "wide"}, {"ratio": "16:9"}),
        ({"size": "custom", "width": 1344, "height": 768}, {"resolution": "1K", "ratio": "16:9"}),
        ({"look": "LOUD"}, {"style": "loud"}),
        ({"look": None, "size": "", "first": []}, {}),
        ({"steps": 30, "filter": False}, {}),
        ({"steps": "30"}, {}),
        ({"ratio": "16:9", "images": ["a.png"]}, {"ratio": "16:9", "images": ["a.png"]}),
    ],
)
def test_body(spellings: Spellings, body: dict[str, Any], fields: dict[str, Any]) -> None:
    """A body reads as our fields; what says nothing or holds anyhow is left out."""
    heard = read(spellings, "acme-still-2", body)
    assert isinstance(heard, Heard), heard
    assert dict(heard.fields) == fields
    assert heard.adjusted == ()


@pytest.mark.parametrize(
    ("body", "parameter", "says"),
    [
        ({"promt": "a seal"}, "promt", "promt is not known for this model: did you mean prompt?"),
        ({"model": "acme-still-1"}, "model", "model is acme-still-1, and the model asked for is acme/still"),
        ({"size": "640x640"}, "size", "size 640x640 is not offered; size takes 1024x1024, 1344x768, 2048x2048"),
        ({"look": "QUIET"}, "look", "look QUIET is not offered; look takes LOUD"),
        ({"steps": 50}, "steps", "steps 50 is not offered; it takes 30"),
        ({"filter": True}, "filter", "filter true is not offered; it takes false"),
        ({"n": "two"}, "n", "n must be a whole number, not the text 'two'"),
        ({"prompt": {"text": "a seal"}}, "prompt", "prompt must be a text, not an object"),
        ({"second": {"url": "b.png", "role": "second"}}, "second.url", "second.url needs the pictures"),
        (
            {"first": "a.png", "second": {"url": "b.png", "role": "third"}},
            "second.role",
            "second.role is always second",
        ),
        ({"size": "wide", "ratio": "1:1"}, "ratio", "ratio says ratio 1:1, and size says otherwise"),
        ({"width": 1344}, "width", "width is not known for this model"),
    ],
)
def test_refused(spellings: Spellings, body: dict[str, Any], parameter: str, says: str) -> None:
    """What means nothing is refused by the client's own name for it, with what would do."""
    heard = read(spellings, "acme-still-2", body)
    assert isinstance(heard, Unheard), heard
    assert heard.problems[0].parameter == parameter
    assert heard.says.startswith(says)


def test_told(spellings: Spellings) -> None:
    """What is not done as written is told: a parameter that is not handed on, a size that is served in other pixels."""
    heard = read(spellings, "acme-still-2", {"quick": True, "size": "1536x864"})
    assert isinstance(heard, Heard)
    assert heard.adjusted == (
        Adjustment("quick", "quick is not handed on"),
        Adjustment("size", "size 1536x864 is served as resolution 1K, ratio 16:9, such as 1344x768"),
    )


def test_form(spellings: Spellings) -> None:
    """A name that stands for one form asks for what it is for, whatever other forms would take."""
    heard = read(spellings, "acme/clip/from-image", {"prompt": "a seal"})
    assert isinstance(heard, Unheard)
    assert heard.says == "image is required"
    heard = read(spellings, "acme/clip", {"prompt": "a seal", "image": "a.png", "seconds": 10})
    assert isinstance(heard, Heard)
    assert dict(heard.fields) == {"prompt": "a seal", "images": ["a.png"], "duration": 10}


def test_unsaid(spellings: Spellings) -> None:
    """What a client means when it says nothing stands in the pack."""
    heard = read(spellings, "acme/clip", {"prompt": "a seal"})
    assert isinstance(heard, Heard)
    assert dict(heard.fields) == {"prompt": "a seal", "duration": 5}


def test_other_provider(spellings: Spellings) -> None:
    """A model that the door's own provider lacks is asked for in the words that one usually has, in ours, or in another's."""
    own = {"prompt": "a seal", "n": 2, "first": "a.png", "size": "2048x2048"}
    heard = read(spellings, "lumen/lamp", {**own, "size": "wide"})
    assert isinstance(heard, Heard)
    assert dict(heard.fields) == {"prompt": "a seal", "count": 2, "images": ["a.png"], "ratio": "16:9"}
    ours = read(spellings, "lumen/lamp", {"prompt": "a seal", "ratio": "21:9", "resolution": "2K"})
    assert isinstance(ours, Heard)
    assert dict(ours.fields) == {"prompt": "a seal", "ratio": "21:9", "resolution": "2K"}
    theirs = {"words": "a seal", "pictures": [{"at": "a.png"}, {"at": "b.png"}], "class": 2}
    other = read(spellings, "lamp-1", {"input": theirs})
    assert isinstance(other, Heard)
    assert dict(other.fields) == {
        "prompt": "a seal",
        "images": ["a.png", "b.png"],
        "resolution": "2K",
        # Nothing sent for the shape follows the picture there.
        "ratio": "adaptive",
    }


def test_wrapped(spellings: Spellings) -> None:
    """Where one provider wraps its parameters and the door does not, or the other way round, both are understood."""
    bare = read(spellings, "still-of-acme", {"words": "a seal", "shape": "3:2"})
    assert isinstance(bare, Heard)
    assert dict(bare.fields) == {"prompt": "a seal", "ratio": "3:2"}
    wrapped = read(spellings, "acme-still-2", {"input": {"prompt": "a seal", "n": 3}}, "lumen", "input")
    assert isinstance(wrapped, Heard)
    assert dict(wrapped.fields) == {"prompt": "a seal", "count": 3}


def test_others_values(spellings: Spellings) -> None:
    """A value that another provider of the model has is taken where both write such values as we do, and by its own words."""
    heard = read(
        spellings, "acme/still", {"input": {"words": "a seal", "shape": "1:1", "strength": 0.5}}, "lumen", "input"
    )
    assert isinstance(heard, Heard)
    assert heard.fields["strength"] == 0.5
    assert (heard.spell("ratio"), heard.spell("strength"), heard.spell("style")) == (
        "input.shape",
        "input.strength",
        "style",
    )


@pytest.mark.parametrize(
    "body", [{"input": "x"}, {"input": []}, {"input": None}, {}, {"prompt": [[1]], "size": {"width": {}}}]
)
def test_odd(spellings: Spellings, body: dict[str, Any]) -> None:
    """Whatever JSON comes, there is an answer."""
    for within in ((), ("input",)):
        assert isinstance(read(spellings, "acme/still", body, "acme", *within), Heard | Unheard)
        assert isinstance(read(spellings, "lamp-1", body, "acme", *within), Heard | Unheard)


@pytest.mark.parametrize("section", ["reads: {size: {wide: {shape: x}}}\n", "reads: {size: {wide: {count: many}}}\n"])
def test_lint(tmp_path: pathlib.Path, section: str) -> None:
    """A table of clients' words that names no field, or a value it cannot have, is a mistake at its place."""
    found = acme.mistakes(tmp_path, {**acme.FILES, "acme/provider.yaml": acme.PROVIDER + section})
    assert len(found) == 1
    assert found[0].startswith("acme/provider.yaml:43:")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1024x768", (1024, 768)),
        ("1024 × 768", (1024, 768)),
        ("16:9", None),
        ("21x9", None),
        ("0x100", None),
        (5, None),
    ],
)
def test_pixels(written: Any, size: Any) -> None:
    """A size is two sides, however they are joined; a ratio is none."""
    assert pixels(written) == size


def test_nearest() -> None:
    """The nearest size has the same shape and is of the same class; else there is none."""
    rows = [((1024, 1024), "small"), ((2048, 2048), "large"), ((1344, 768), "wide")]
    assert nearest((1200, 1200), rows) == ((1024, 1024), "small")
    assert nearest((1700, 1700), rows) == ((2048, 2048), "large")
    assert nearest((512, 512), rows) is None
    assert nearest((1024, 700), rows) is None


def test_shape_alone(tmp_path: pathlib.Path) -> None:
    """A model without classes of sizes draws each shape in pixels of its own: a size then says the shape, and that is told."""
    plain = LUMEN["lumen/acme/still.yaml"].replace("shape: $shape", "size: $shape")
    found = acme.loaded(
        tmp_path, {"lumen/provider.yaml": LUMEN["lumen/provider.yaml"], "lumen/lumen/plain.yaml": plain}
    )
    heard = read(Spellings(found.models, {}), "lumen/plain", {"input": {"size": "1500x1000"}}, "lumen", "input")
    assert isinstance(heard, Heard)
    assert heard.fields["ratio"] == "3:2"
    assert [each.says for each in heard.adjusted] == [
        "input.size 1500x1000 is served as ratio 3:2, in the model's own pixels"
    ]
    odd = read(Spellings(found.models, {}), "lumen/plain", {"input": {"size": "1500x300"}}, "lumen", "input")
    assert isinstance(odd, Unheard)
