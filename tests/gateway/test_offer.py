"""Whether an offer can serve a request: by which form, with which values, at what price, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from gateway.generation import Kind, Type, Value
from gateway.offer import Fit, Form, Handing, Limits, Misfit, Offer, Pick, Price, Unit, cost, fit

SIZES = Pick(
    ("resolution", "ratio"),
    {("1K", "1:1"): {"size": "s"}, ("1K", "16:9"): {"size": "w"}, ("2K", "1:1"): {"size": "l"}},
)
WORDS = Form(
    native="acme-2",
    given=frozenset(),
    needs=frozenset({"prompt"}),
    takes={
        "prompt": Limits(Type.TEXT, max_chars=5),
        "count": Limits(Type.INTEGER, 1, 4),
        "audio": Limits(Type.BOOLEAN),
    },
    picks=(SIZES, Pick(("format",), {("png",): {}})),
    drops=frozenset({"seed"}),
    defaults={"resolution": "1K", "ratio": "1:1"},
    price=Price(Unit.IMAGE, (), {(): 20_000}),
)
EDIT = replace(WORDS, given=frozenset({"images"}), takes={**WORDS.takes, "images": Limits(Type.URLS, min=2, max=3)})
OFFER = Offer("acme", "acme/still", Kind.IMAGE, 10, 60_000, (EDIT, WORDS), {})


def reasons(fields: Mapping[str, Value], offer: Offer = OFFER) -> dict[str, str]:
    """Ask for what cannot be served and give the reasons by field."""
    found = fit(offer, {"prompt": "seal", **fields})
    assert isinstance(found, Misfit)
    return dict(found.reasons)


def served(fields: Mapping[str, Value], offer: Offer = OFFER) -> Fit:
    """Ask for what can be served."""
    found = fit(offer, {"prompt": "seal", **fields})
    assert isinstance(found, Fit)
    return found


def test_defaults_fill_what_the_caller_left_out():
    """The values in force are the offer's defaults under what the caller said."""
    found = served({"ratio": "16:9"})
    assert found == Fit(1, {"resolution": "1K", "ratio": "16:9", "prompt": "seal"}, (), 20_000)


def test_the_first_form_that_fits_serves():
    """A request with pictures goes by the form that is for them."""
    assert served({"images": ("a", "b")}).form == 0


def test_an_empty_list_asks_for_nothing():
    """No pictures is the same as no word about pictures."""
    assert served({"images": ()}).form == 1


def test_a_dropped_field_is_reported():
    """A field the provider cannot honour and the pack lets go is named, in alphabetical order."""
    assert served({"seed": 3}).dropped == ("seed",)


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"prompt": ""}, "prompt", "prompt is required"),
        ({"prompt": "a seal"}, "prompt", "prompt is longer than 5 characters"),
        ({"duration": 5}, "duration", "duration is not offered"),
        ({"count": 0}, "count", "count is below the minimum of 1"),
        ({"count": 5}, "count", "count is above the maximum of 4"),
        ({"images": ("a",)}, "images", "images is below the minimum of 2 items"),
        ({"images": ("a",) * 4}, "images", "images is above the maximum of 3 items"),
        ({"ratio": "3:2"}, "ratio", "resolution 1K with ratio 3:2 is not offered"),
        ({"resolution": "4K"}, "resolution", "resolution 4K with ratio 1:1 is not offered"),
        ({"resolution": "2K", "ratio": "16:9"}, "ratio", "resolution 2K with ratio 16:9 is not offered"),
        ({"format": "gif"}, "format", "format gif is not offered"),
    ],
)
def test_what_cannot_be_served_has_its_reason(fields: dict[str, Value], field: str, reason: str):
    """Each limit excludes the offer with the field and a sentence."""
    assert reasons(fields) == {field: reason}


def test_a_truth_value_has_no_bounds():
    """True and false are within any limits."""
    assert served({"audio": True}).values["audio"] is True


def test_every_trouble_is_told():
    """A request wrong in two ways gets two reasons."""
    assert set(reasons({"count": 9, "format": "gif"})) == {"count", "format"}


def test_half_a_pair_is_not_left_out_silently():
    """A table over two fields without defaults needs both or neither."""
    offer = replace(OFFER, forms=(replace(WORDS, defaults={}),))
    assert reasons({"ratio": "1:1"}, offer) == {"resolution": "resolution is required beside ratio"}
    assert served({}, offer).values == {"prompt": "seal"}


def test_what_the_nearest_form_lacks_is_named():
    """When every form asks for more than the request holds, what is missing for the one that asks for least is required."""
    both = replace(EDIT, given=frozenset({"images", "last_image"}))
    assert reasons({}, replace(OFFER, forms=(both, EDIT))) == {"images": "images is required"}
    assert reasons({}, replace(OFFER, forms=(both,))) == {
        "images": "images is required",
        "last_image": "last_image is required",
    }


@pytest.mark.parametrize("value", ["data:image/png;base64,QUJD", "DATA:,x", ("https://acme.example/a", "data:,x")])
def test_data_in_place_of_an_address_is_refused_where_only_addresses_are_taken(value: Value):
    """A provider that takes addresses alone does not serve a request that holds the bytes themselves."""
    kind = Type.URLS if isinstance(value, tuple) else Type.URL
    said = "images must be public addresses: this provider takes no data in place of one"
    assert Limits(kind, takes=(Handing.URL,)).refusal("images", value) == said


@pytest.mark.parametrize("way", [Handing.DATA, Handing.BASE64, Handing.FILE])
def test_data_is_taken_where_it_can_be_handed_over(way: Handing):
    """A provider that takes bytes in any way serves both, and so are texts that are no files."""
    for value in ("data:image/png;base64,QUJD", "https://acme.example/a"):
        assert Limits(Type.URL, takes=(Handing.URL, way)).refusal("video", value) is None
        assert Limits(Type.TEXT).refusal("prompt", value) is None


def test_a_combination_without_a_price_is_refused():
    """What has no price is not served, whatever else fits."""
    price = Price(Unit.IMAGE, ("resolution",), {("1K",): 20_000})
    offer = replace(OFFER, forms=(replace(WORDS, price=price),))
    assert reasons({"resolution": "2K"}, offer) == {"resolution": "no price is known for this combination"}


@pytest.mark.parametrize(
    ("unit", "values", "millionths"),
    [
        (Unit.REQUEST, {"count": 3, "duration": 5}, 333),
        (Unit.IMAGE, {"count": 3}, 999),
        (Unit.IMAGE, {}, 333),
        (Unit.SECOND, {"duration": 5}, 1665),
        (Unit.SECOND, {"duration": 2.5, "count": 2}, 1665),
        (Unit.SECOND, {"duration": 0.5}, 167),
    ],
)
def test_a_price_counts_what_it_is_for(unit: Unit, values: dict[str, Value], millionths: int):
    """A request, its pictures or its seconds are counted exactly, and half a millionth is rounded up."""
    assert cost(Price(unit, (), {(): 333}), values) == millionths


def test_a_table_lists_the_values_of_one_field():
    """The values of a field come once each, in the order they are written."""
    assert SIZES.values("resolution") == ["1K", "2K"]
    assert SIZES.values("ratio") == ["1:1", "16:9"]
