"""A value is on the menu when at least one provider of the model has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.generation import Kind, Type, Value
from gateway.offer import Limits, Offer, Price
from gateway.providers.catalog import Catalog, load_once
from gateway.routing.menu import Dish, Menu, menu
from tests.gateway.routing.offers import MODEL, PROMPT, form, offer, pick

PACKS = Path(__file__).parents[3] / "providers.d"


def takes(name: str, type_: Type, low: float | None = None, high: float | None = None) -> dict[str, Limits]:
    return {name: Limits(type_, low, high)}


def dish(name: str, *offers: Offer) -> Dish:
    return menu(offers).fields[name]


def seconds(low: float | None, high: float | None) -> Offer:
    return offer("s", form(takes("duration", Type.NUMBER, low, high)))


def test_a_menu_names_its_model_and_providers() -> None:
    """Model, kind, the providers in their usual order, and every price of every form."""
    card = menu([offer("b", form(price=1), form(price=2)), offer("a", form(price=3))])
    assert (card.model, card.kind, card.providers) == (MODEL, Kind.IMAGE, ("b", "a"))
    assert [list(price.amounts.values()) for price in card.prices()] == [[1], [2], [3]]
    assert all(isinstance(price, Price) for price in card.prices())


def test_fields_come_in_the_order_of_the_shared_words() -> None:
    """Shared words first, in their order; then the model's own; nothing nobody knows."""
    own = offer("b", form({"steps": Limits(Type.INTEGER)}, drops=("seed",)), types={"steps": Type.INTEGER})
    assert list(menu([own, offer("a", form(None, pick("ratio", "1:1")))]).fields) == [
        "prompt",
        "ratio",
        "seed",
        "steps",
    ]


def test_the_defaults_of_the_first_offer_win() -> None:
    """Where defaults differ, those of the provider that is asked first are shown, of its form for plain requests."""
    first = offer("a", form(defaults={"ratio": "4:3"}), form(defaults={"ratio": "1:1"}))
    second = offer("b", form(defaults={"ratio": "16:9", "count": 1}))
    assert menu([first, second]).defaults == {"ratio": "1:1", "count": 1}


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("ratio", ["16:9", "1:1", "adaptive", "9:16", "21:9", "4:3", "3:4"], "1:1 3:4 4:3 9:16 16:9 21:9 adaptive"),
        ("ratio", ["match:input", "1:2:3", "2:1"], "2:1 match:input 1:2:3"),
        ("resolution", ["2K", "4K", "1K"], "2K 4K 1K"),
        ("format", ["png", "jpg"], "png jpg"),
    ],
)
def test_ratios_are_sorted_and_other_words_keep_their_order(name: str, values: list[str], expected: str) -> None:
    """Ratios go by their numbers, those without numbers last; of other words the first written may be the default."""
    assert dish(name, offer("a", form(None, pick(name, *values)))).values == tuple(expected.split())


def test_values_of_all_providers_are_joined() -> None:
    """Each value stands once, whoever has it, and numbers are sorted."""
    some, others = offer("a", form(None, pick("count", 4, 1))), offer("b", form(None, pick("count", 2, 1)))
    assert dish("count", some, others) == Dish(Type.INTEGER, (1, 2, 4), None, needed=False)


def test_a_field_everyone_drops_has_neither_values_nor_bounds() -> None:
    """It may be asked for, and whatever is asked is dropped."""
    card = menu([offer("a", form(drops=("seed",)))])
    assert card.fields["seed"] == Dish(Type.INTEGER, None, None, needed=False)
    assert card.refusal("seed", 7) is None


def test_needed_is_what_every_form_needs() -> None:
    """A field one form can do without is not needed."""
    strict, lax = offer("a", form(needs=("prompt",))), offer("b", form(needs=("prompt",)), form())
    assert dish("prompt", strict).needed
    assert not dish("prompt", strict, lax).needed


@pytest.mark.parametrize(
    ("bounds", "low", "high"),
    [
        ([(1, 4)], 1, 4),
        ([(1, 4), (2, 8)], 1, 8),
        ([(2, 8), (1, 4)], 1, 8),
        ([(1, 4), (None, 8)], None, 8),
        ([(1, 4), (2, None)], 1, None),
    ],
)
def test_bounds_are_the_widest(bounds, low, high) -> None:
    """One who sets no bound takes everything, and else the widest of all holds."""
    offers = [offer("a", form(takes("count", Type.INTEGER, *bound))) for bound in bounds]
    assert dish("count", *offers).limits == Limits(Type.INTEGER, low, high)


@pytest.mark.parametrize(
    ("bound", "low", "high"), [((2, 4), 1, 9), ((None, 4), None, 9), ((2, None), 1, None), ((0, 10), 0, 10)]
)
def test_listed_numbers_widen_the_bounds_of_others(bound, low, high) -> None:
    """One provider takes a range and another a list: both kinds of values pass."""
    ranged, listed = offer("a", form(takes("count", Type.INTEGER, *bound))), offer("b", form(None, pick("count", 1, 9)))
    assert dish("count", ranged, listed).limits == Limits(Type.INTEGER, low, high)


def test_the_longest_text_is_the_longest_of_all() -> None:
    """Texts are bounded only where every provider bounds them, by the one who takes most."""
    short, long = (offer("a", form({"prompt": Limits(Type.TEXT, max_chars=most)})) for most in (10, 20))
    assert dish("prompt", short, long).limits == Limits(Type.TEXT, max_chars=20)
    assert dish("prompt", short, offer("c", form(PROMPT))).limits == Limits(Type.TEXT)


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        ([seconds(2, 5)], (2, 3, 4, 5)),
        ([seconds(2.5, 5.5)], (3, 4, 5)),
        ([seconds(2, 3), seconds(6, 7)], (2, 3, 6, 7)),
        ([seconds(2, 3), offer("b", form(None, pick("duration", 8, 2.5)))], (2, 2.5, 3, 8)),
    ],
)
def test_lengths_are_a_list_of_what_somebody_offers(offers: list[Offer], expected: tuple[float, ...]) -> None:
    """Whole seconds of every range and the listed ones, and none between that nobody has."""
    assert dish("duration", *offers).values == expected


@pytest.mark.parametrize("open_", [seconds(None, 9), seconds(1, None), seconds(2.2, 2.8)])
def test_lengths_without_a_list_keep_their_bounds(open_: Offer) -> None:
    """An open range cannot be listed, nor one without a whole second in it."""
    found = dish("duration", open_)
    assert found.values is None
    assert found.limits == open_.forms[0].takes["duration"]


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        ("ratio", "1:1", None),
        ("ratio", "2:1", "must be one of: 1:1, 16:9"),
        ("audio", False, None),
        ("audio", True, "must be one of: false"),
        ("seed", 9, None),
        ("seed", 10, "the value is above the maximum of 9"),
        ("seed", -1, "the value is below the minimum of 0"),
    ],
)
def test_a_refusal_says_what_would_be_right(name: str, value: Value, refusal: str | None) -> None:
    """A value off the list hears the list, one out of bounds hears the bound."""
    silent: Value = False
    laid = form(takes("seed", Type.INTEGER, 0, 9), pick("ratio", "16:9", "1:1"), pick("audio", silent))
    assert menu([offer("a", laid)]).refusal(name, value) == refusal


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The packs that are shipped."""
    return load_once([PACKS])


SHIPPED = ("bytedance/seedream-4.5", "bytedance/seedance-1-pro", "bfl/flux-schnell")


def card(catalog: Catalog, model: str) -> Menu:
    return menu(catalog.offers(model))


@pytest.mark.parametrize("model", SHIPPED)
def test_shipped_ratios_are_sorted_and_formats_known(catalog: Catalog, model: str) -> None:
    """Applications read both as lists of words: ratios by their numbers, formats never empty."""
    fields = card(catalog, model).fields
    ratios, formats = fields["ratio"].values, fields["format"].values
    assert ratios is not None
    numbered = [tuple(map(int, str(ratio).split(":"))) for ratio in ratios if ratio != "adaptive"]
    assert numbered == sorted(numbered)
    assert {"1:1", "16:9", "9:16"} <= set(ratios)
    assert formats


@pytest.mark.parametrize(
    ("model", "kind", "leading", "formats"),
    [
        ("bytedance/seedream-4.5", Kind.IMAGE, ["byteplus", "replicate", "fal"], {"jpg"}),
        ("bytedance/seedance-1-pro", Kind.VIDEO, ["byteplus", "replicate", "fal"], {"mp4"}),
        ("bfl/flux-schnell", Kind.IMAGE, ["replicate", "fal"], {"png", "jpg", "webp"}),
    ],
)
def test_shipped_providers_are_in_failover_order(catalog, model, kind, leading, formats) -> None:
    """The order in which a model's providers are shown is the order in which they are asked."""
    found = card(catalog, model)
    assert found.kind is kind
    assert [provider for provider in found.providers if provider in leading] == leading
    assert set(found.fields["format"].values or ()) == formats


def test_shipped_lengths_and_classes_are_lists(catalog: Catalog) -> None:
    """A video model lists its seconds; the classes stand in the order of the packs."""
    fields = card(catalog, "bytedance/seedance-1-pro").fields
    assert fields["duration"].values == tuple(range(2, 13))
    assert fields["duration"].needed
    assert fields["resolution"].values == ("480p", "720p", "1080p")
    assert card(catalog, "bytedance/seedream-4.5").fields["resolution"].values == ("2K", "4K")
    assert "duration" not in card(catalog, "bytedance/seedream-4.5").fields


def test_shipped_pictures_are_taken_where_the_model_takes_them(catalog: Catalog) -> None:
    """Up to fourteen pictures for one model, one for another, none for the third."""
    limits = [
        card(catalog, model).fields[name].limits for model, name in ((SHIPPED[0], "images"), (SHIPPED[1], "images"))
    ]
    assert [limit and limit.max for limit in limits] == [14, 1]
    assert "images" not in card(catalog, "bfl/flux-schnell").fields
