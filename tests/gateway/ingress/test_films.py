"""What the door of videos reads out of a body, and how it words a record."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from gateway.generation import FIELDS, Kind, State, Type
from gateway.ingress.refusal import CODES, Refusal
from gateway.ingress.videos import answer, wishes
from gateway.ingress.videos.wishes import Reference
from gateway.ingress.videos.words import words
from gateway.ledger.records import Artifact, Record
from gateway.offer import Form, Limits, Offer, Pick, Price, Unit
from gateway.routing.menu import Dish, Menu
from gateway.routing.menu import menu as menu_of


def _dish(*values: Any, needed: bool = False, type_: Type = Type.TEXT, limits: Limits | None = None) -> Dish:
    known: dict[str, Any] = {"type": type_, "needed": needed, "values": values or None, "limits": limits}
    return Dish(**{field.name: known[field.name] for field in dataclasses.fields(Dish) if field.name in known})


def _menu(**fields: Dish) -> Menu:
    usual = {
        "prompt": _dish(),
        "duration": _dish(5, 10, type_=Type.NUMBER),
        "ratio": _dish("9:16", "16:9", "1:1", "adaptive"),
        "resolution": _dish("480p", "720p", "1080p"),
        "images": _dish(type_=Type.URLS),
    }
    return Menu("lab/film", Kind.VIDEO, (), {**usual, **fields}, {})


def _read(body: dict[str, Any], menu: Menu | None = None, *references: Reference) -> wishes.Wishes:
    return wishes.read({"prompt": "a seal", **body}, menu or _menu(), references)


@pytest.mark.parametrize(
    ("size", "ratio", "resolution"),
    [
        ("1280x720", "16:9", "720p"),
        ("720x1280", "9:16", "720p"),
        ("1920x1080", "16:9", "1080p"),
        ("854x480", "16:9", "480p"),
        ("1024x1024", "1:1", "720p"),
        ("1792x1024", "16:9", "1080p"),
    ],
)
def test_a_size_is_a_shape_and_a_class(size: str, ratio: str, resolution: str) -> None:
    """Pixels are read as the shape and the class that come nearest."""
    found = _read({"size": size})
    assert (found.fields["ratio"], found.fields["resolution"], found.size) == (ratio, resolution, size)


@pytest.mark.parametrize(("seconds", "expected"), [("5", 5), (10, 10), ("7.5", 7.5)])
def test_seconds_are_a_text_or_a_number(seconds: Any, expected: float) -> None:
    """Their clients write them as a text, others as a number; what the model offers is decided later."""
    assert _read({"seconds": seconds}).fields["duration"] == expected


@pytest.mark.parametrize(
    ("dish", "expected"),
    [
        (_dish(5, 10, type_=Type.NUMBER), 5),
        (_dish(2, 3, 5, type_=Type.NUMBER), 3),  # of two that are as near the shorter one
        (_dish(4, 8, type_=Type.NUMBER), 4),
        (_dish(type_=Type.NUMBER, limits=Limits(Type.NUMBER, min=6, max=9)), 6),
        (_dish(type_=Type.NUMBER, limits=Limits(Type.NUMBER, max=3)), 3),
        (_dish(type_=Type.NUMBER), 4),
    ],
)
def test_a_length_nobody_says(dish: Dish, expected: float) -> None:
    """Without seconds a film is as long as that API makes it, or as near to it as the model can."""
    assert _read({}, _menu(duration=dish)).fields["duration"] == expected


def test_an_edit_has_the_length_of_its_film() -> None:
    """Where a model works on a film no length is made up."""
    assert "duration" not in _read({}, _menu(video=_dish(type_=Type.URL, needed=True))).fields


def test_a_shape_that_follows_the_picture_is_told() -> None:
    """A model without shapes makes its own, and the request says what was asked."""
    found = _read({"size": "1280x720"}, _menu(ratio=_dish("adaptive")))
    assert "ratio" not in found.fields
    assert found.fields["resolution"] == "720p"
    assert [(each["field"], each["asked"]) for each in found.adjusted] == [("size", "1280x720")]


def test_references_are_pictures_or_a_film() -> None:
    """Pictures in their order, a film by itself, and two films not at all."""
    takes = _menu(video=_dish(type_=Type.URL))
    found = _read({}, takes, Reference("a"), Reference("b"), Reference("c", is_video=True))
    assert (found.fields["images"], found.fields["video"]) == (["a", "b"], "c")
    with pytest.raises(Refusal) as refused:
        _read({}, takes, Reference("c", is_video=True), Reference("d", is_video=True))
    assert refused.value.details["field"] == "input_reference"


def test_a_model_says_what_it_starts_from() -> None:
    """A picture for a model that takes none is refused as that, and so is a film."""
    for menu, reference, what in (
        (_menu(images=_dish(type_=Type.URLS)), Reference("c", is_video=True), "a video"),
        (Menu("lab/film", Kind.VIDEO, (), {"prompt": _dish(), "duration": _dish(5)}, {}), Reference("a"), "a picture"),
    ):
        with pytest.raises(Refusal, match=f"cannot be {what}") as refused:
            _read({}, menu, reference)
        assert refused.value.details["field"] == "input_reference"


def _following() -> Menu:
    """A model of two forms: out of words in shapes, out of a picture in the shape of that alone."""
    limits = {"prompt": Limits(Type.TEXT)}
    price = Price(Unit.REQUEST, (), {(): 1})
    seconds = Pick(("duration",), {(5,): {}})
    shapes = Pick(("ratio", "resolution"), {("16:9", "720p"): {}, ("9:16", "720p"): {}})
    adaptive = Pick(("ratio",), {("adaptive",): {}})

    def form(
        given: frozenset[str], picks: tuple[Pick, ...], takes: dict[str, Limits], defaults: dict[str, Any]
    ) -> Form:
        return Form("x", given, frozenset(), takes, picks, frozenset(), defaults, price)

    pictures = form(
        frozenset({"images"}), (seconds, adaptive), {**limits, "images": Limits(Type.URLS)}, {"ratio": "adaptive"}
    )
    words_ = form(frozenset(), (seconds, shapes), limits, {})
    types = {name: FIELDS[name].type for name in ("prompt", "duration", "ratio", "resolution", "images")}
    return menu_of([Offer("one", "lab/film", Kind.VIDEO, 1, 1000, (pictures, words_), types)])


def test_beside_a_picture_a_size_gives_way() -> None:
    """Where a film has the shape of the picture whatever is said, it is made so, and the request says what was asked."""
    found = _read({"size": "1280x720"}, _following(), Reference("https://a.example/a.png"))
    assert not {"ratio", "resolution"} & set(found.fields)
    assert [(each["asked"], each["given"]) for each in found.adjusted] == [
        ("1280x720", "the shape of what it starts from")
    ]
    words_alone = _read({"size": "1280x720"}, _following())
    assert (words_alone.fields["ratio"], words_alone.fields["resolution"]) == ("16:9", "720p")
    assert words_alone.adjusted == ()


def test_words_of_the_model_pass() -> None:
    """Our own words and the native ones reach the model, in either spelling but not in both."""
    found = _read({"seed": 7, "generation_negative_prompt": "rain", "provider_order": ["a", "b"], "user": "u"})
    assert (found.fields["seed"], found.fields["negative_prompt"], found.order) == (7, "rain", "a, b")
    assert "user" not in found.fields
    with pytest.raises(Refusal, match="already"):
        _read({"seconds": "5", "generation_duration": 5})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"seconds": "five"}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"seconds": [5]}, "seconds"),
        ({"size": "big"}, "size"),
        ({"size": 720}, "size"),
        ({"size": "3000x100"}, "size"),
        ({"provider_order": 5}, "provider_order"),
        ({"provider_order": "a", "generation_provider_order": "b"}, "provider_order"),
    ],
)
def test_a_word_that_means_nothing_is_named(body: dict[str, Any], field: str) -> None:
    """What cannot be read is refused under the name it was sent by."""
    with pytest.raises(Refusal) as refused:
        _read(body)
    assert refused.value.details["field"] == field


# ---- a record as a film


_RECORD = Record(
    id="0c1d",
    account="acme",
    kind=Kind.VIDEO,
    model="lab/film",
    request={"prompt": "a seal"},
    plan={"defaults": {"duration": 5, "ratio": "16:9", "resolution": "720p"}},
    adjustments=(),
    order=("one",),
    state=State.RUNNING,
    price=1,
    settled=None,
    provider_used=None,
    prediction=None,
    error=None,
    created=1_795_000_000_500,
    changed=1_795_000_000_500,
    started=None,
    ended=None,
    deadline=1_795_000_900_000,
    removed=None,
    artifacts=(),
    attempts=(),
)


def _film(share: float | None = None, keep: int | None = 1000, **changes: Any) -> dict[str, Any]:
    return answer.film(dataclasses.replace(_RECORD, **changes), share=share, keep=keep)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (State.ACCEPTED, "queued"),
        (State.SUBMITTING, "in_progress"),
        (State.RUNNING, "in_progress"),
        (State.STORING, "in_progress"),
        (State.SUCCEEDED, "completed"),
        (State.FAILED, "failed"),
        (State.CANCELED, "failed"),
    ],
)
def test_every_state_has_a_word_the_clients_know(state: State, word: str) -> None:
    """Any other word would end a client's waiting as if all were well."""
    assert _film(state=state)["status"] == word


@pytest.mark.parametrize(("share", "expected"), [(None, 0), (0.0, 0), (0.42, 42), (0.999, 99), (1.0, 99)])
def test_progress_is_a_number_and_not_done_before_the_end(share: float | None, expected: int) -> None:
    """What a provider tells is shown as far as it goes; the film is done when it is done."""
    assert _film(share)["progress"] == expected
    assert _film(share, state=State.SUCCEEDED)["progress"] == 100


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "720p", "1280x720"),
        ("9:16", "720p", "720x1280"),
        ("16:9", "480p", "854x480"),
        ("1:1", "1080p", "1080x1080"),
        ("16:9", "4k", "3840x2160"),
        ("adaptive", "720p", "auto"),
        ("16:9", "", "auto"),
    ],
)
def test_a_size_nobody_asked_for_is_worked_out(ratio: str, resolution: str, size: str) -> None:
    """A film has a size as soon as shape and class say it."""
    asked = {"prompt": "a seal", "ratio": ratio, "resolution": resolution}
    assert _film(request=asked)["size"] == size


def test_what_was_made_otherwise_is_told() -> None:
    """Asked for pixels that nobody makes, the film has its own size and says so."""
    made = Artifact(0, "file:x", "c0ffee", 1, "video/mp4", 1280, 720)
    said = _film(plan={"door": {"size": "1024x576"}}, artifacts=(made,), state=State.SUCCEEDED, ended=1_795_000_010_000)
    assert said["size"] == "1280x720"
    assert said["tidegate"]["adjustments"] == [
        {"field": "size", "asked": "1024x576", "given": "1280x720", "action": "adjusted"}
    ]


def test_times_are_seconds() -> None:
    """Begin, end and the end of the file are whole seconds; what has not come is null."""
    said = _film()
    assert (said["created_at"], said["completed_at"], said["expires_at"]) == (1_795_000_000, None, None)
    done = {"state": State.SUCCEEDED, "ended": 1_795_000_010_000}
    assert _film(keep=60_000, **done)["expires_at"] == 1_795_000_070
    assert _film(keep=None, **done)["expires_at"] is None
    assert _film(removed=1_795_000_020_000, **done)["expires_at"] == 1_795_000_020


def test_a_refused_content_has_its_own_word() -> None:
    """Clients branch on that code; anything else goes by the name of the error."""
    error = {"name": "content_refused", "message": "no", "errors": [], "retryable": False}
    assert _film(state=State.FAILED, error=error)["error"] == {"code": "moderation_blocked", "message": "no"}
    assert _film(state=State.CANCELED)["error"]["code"] == "canceled"
    error = {"name": "all_providers_failed", "message": "all", "errors": [], "retryable": True}
    assert _film(state=State.FAILED, error=error)["error"]["code"] == "all_providers_failed"


def test_no_error_has_a_status_that_clients_repeat_wrongly() -> None:
    """Their clients send 409 again by themselves, and know no 402."""
    for name in CODES:
        assert words(Refusal(name, "x")).status not in {402, 409}, name
