"""Pack files in memory: what each section becomes."""

from __future__ import annotations

import pathlib

import pytest

from gateway.fault import FaultKind
from gateway.generation import Kind, Type
from gateway.offer import Handing, Unit
from gateway.providers.catalog import Catalog
from gateway.providers.compile.table import forms_of, pick_rows, split_pick
from gateway.providers.compile.unit import micros, span
from gateway.providers.pack import CallName, Encoding, JobState, Model, Nudge, Pace, Provider
from tests.gateway.providers import acme


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("250ms", 250), ("90s", 90_000), ("5m", 300_000), ("24h", 86_400_000), ("2d", 172_800_000), ("0s", 0)],
)
def test_a_length_of_time_is_read(text: str, milliseconds: int):
    """A number and its unit become milliseconds."""
    assert span(text) == milliseconds


@pytest.mark.parametrize(("usd", "amount"), [(0.04, 40_000), (1, 1_000_000), (0.000001, 1), (0.1 + 0.2, 300_000)])
def test_dollars_become_millionths(usd: float, amount: int):
    """An amount of dollars is a whole number of millionths of a credit."""
    assert micros(usd) == amount


def test_a_provider_is_compiled(provider: Provider):
    """Credentials are listed by name once, rules keep their order, words are matched without regard to case."""
    assert provider.secrets == ("ACME_KEY",)
    assert [rule.kind for rule in provider.rules] == [
        FaultKind.CONTENT_BLOCKED,
        FaultKind.OUT_OF_CREDIT,
        FaultKind.RATE_LIMITED,
    ]
    assert provider.rules[1].says == ("no money",)
    assert [wait.unit for wait in provider.waits] == ["seconds", "duration"]


def test_a_lifecycle_that_answers_at_once(provider: Provider):
    """Without a status call the submit call itself brings the outputs; looks have their default pace."""
    now = provider.lifecycles["now"]
    assert now.is_immediate
    assert (now.state, now.expires, now.keep) == (None, None, {})
    assert now.pace == Pace(1000, 1000, 120_000)


def test_a_lifecycle_that_is_looked_at(provider: Provider):
    """Calls, words and times of a job are read from the file."""
    job = provider.lifecycles["job"]
    assert not job.is_immediate
    assert job.calls[CallName.SUBMIT].headers == {"x-mode": "plain"}
    cancel = job.calls[CallName.CANCEL]
    assert (cancel.method, cancel.target, cancel.when) == ("DELETE", "/jobs/$id", {JobState.QUEUED})
    assert job.state is not None
    assert job.state.words["stopped"] is JobState.CANCELED
    assert (job.expires, job.pace) == (3_600_000, Pace(2000, 500, 600_000))


def test_a_model_is_an_offer(still: Model):
    """Bounds, tables, defaults and prices of a model file become an offer."""
    offer, form = still.offer, still.offer.forms[0]
    assert (offer.provider, offer.model, offer.kind, offer.rank) == ("acme", "acme/still", Kind.IMAGE, 10)
    assert offer.deadline == 120_000
    assert offer.types["strength"] is Type.NUMBER
    assert offer.types["style"] is Type.TEXT
    assert form.needs == {"prompt"}
    assert form.price.per is Unit.IMAGE
    assert form.price.amounts == {("1K",): 20_000, ("2K",): 50_000}
    assert form.picks[0].rows["1K", "16:9"] == {"size": "1344x768"}
    assert still.shapes[0].cost is not None


def test_a_form_replaces_sections_whole(clip: Model):
    """A form keeps the file's sections except those it has itself, which hold as they stand."""
    image, words = clip.offer.forms
    assert image.given == {"images"}
    assert set(image.takes) == {"prompt", "images"}
    assert "prompt" not in image.needs
    assert words.picks == image.picks
    assert clip.shapes[1].native == "acme/clip/from-text"


def test_what_is_priced_by_the_second_needs_a_length(clip: Model):
    """A price per second makes the duration required, since nothing may be guessed."""
    assert all("duration" in form.needs for form in clip.offer.forms)


def test_a_price_table_over_two_fields_nests(tmp_path: pathlib.Path):
    """Amounts by two fields are found by both values; a value without a row has no price."""
    by_two = "by: [resolution, ratio], usd: {1K: {1:1: 0.02}, 2K: {1:1: 0.05, 16:9: 0.06}}"
    files = acme.bent("acme/acme/still.yaml", "by: [resolution], usd: {1K: 0.02, 2K: 0.05}", by_two)
    price = acme.model(acme.loaded(tmp_path, files), "still").offer.forms[0].price
    assert price.of({"resolution": "2K", "ratio": "16:9"}) == 60_000
    assert price.of({"resolution": "1K", "ratio": "16:9"}) is None


def test_a_model_may_replace_outputs_and_flags(tmp_path: pathlib.Path):
    """A model whose outputs lie elsewhere says so, for itself alone."""
    files = acme.bent("acme/acme/still.yaml", "makes: image\n", "makes: image\noutputs: others\nflagged: marks\n")
    found = acme.loaded(tmp_path, files)
    lifecycle = acme.model(found, "still").shapes[0].lifecycle
    assert lifecycle.outputs({"others": [1], "images": [2]}) == [1]
    assert lifecycle.flagged is not None
    assert lifecycle.flagged({"marks": [True]}) == [True]
    assert acme.provider(found).lifecycles["now"].outputs({"others": [1]}) is None


def test_the_only_lifecycle_need_not_be_named(tmp_path: pathlib.Path):
    """Where a provider runs jobs in one way, its models need not say which."""
    provider = acme.PROVIDER[: acme.PROVIDER.index("  job:\n")]
    still = acme.STILL.replace("lifecycle: now\n", "")
    found = acme.loaded(tmp_path, {"acme/provider.yaml": provider, "acme/acme/still.yaml": still})
    assert acme.model(found, "still").shapes[0].lifecycle.is_immediate


def test_a_path_meets_any_reply(tmp_path: pathlib.Path):
    """A function in a path that meets a type it does not take finds nothing instead of raising."""
    files = acme.bent("acme/acme/still.yaml", "at: usage.units", "at: length(usage)")
    found = acme.model(acme.loaded(tmp_path, files), "still").shapes[0].cost
    assert found is not None
    assert (found.at({"usage": [1, 2]}), found.at({"usage": 5})) == (2, None)


def test_the_words_of_a_table_over_two_fields():
    """A comma in the key of a table means two fields; rows are given with the path to them."""
    assert split_pick("resolution, ratio") == ("resolution", "ratio")
    assert list(pick_rows(("a", "b"), {"x": {"y": 1}, "z": 2})) == [(("x", "y"), 1, ("x", "y"))]
    assert list(pick_rows(("a",), {"x": 1})) == [(("x",), 1, ("x",))]


def test_a_file_without_forms_has_one():
    """What a model file says at its top is the one form it has."""
    assert list(forms_of({"makes": "image", "native": "n"})) == [((), {"native": "n"})]


def test_a_dropped_field_of_the_models_own_is_a_text(tmp_path: pathlib.Path):
    """A field that is only dropped, and is nobody's common field, is taken for a text."""
    files = acme.bent("acme/acme/still.yaml", "drops: [format]", "drops: [format, mood]")
    found: Catalog = acme.loaded(tmp_path, files)
    assert acme.model(found, "still").offer.types["mood"] is Type.TEXT


def test_every_secret_a_provider_needs_is_listed(tmp_path: pathlib.Path):
    """Credentials in the addresses of calls are needed like those in headers, each once."""
    files = acme.bent("acme/provider.yaml", "POST /pictures", "POST /accounts/$secret.ACME_ID/pictures")
    files["acme/provider.yaml"] = files["acme/provider.yaml"].replace("POST /jobs", "POST /$secret.ACME_KEY/jobs")
    assert acme.provider(acme.loaded(tmp_path, files)).secrets == ("ACME_KEY", "ACME_ID")


def test_headers_of_the_provider_are_read(tmp_path: pathlib.Path, provider: Provider):
    """Further headers are kept as they stand, and there need not be any."""
    files = acme.bent("acme/provider.yaml", "failure:", "headers: {X-Api-Version: 2026-11-22}\nfailure:")
    assert acme.provider(acme.loaded(tmp_path, files)).headers == {"X-Api-Version": "2026-11-22"}
    assert provider.headers == {}


def test_a_callback_is_read(tmp_path: pathlib.Path, provider: Provider):
    """How to ask for a callback belongs to the lifecycle; without a word about it none is asked for."""
    nudge = "    nudge: {field: webhook, with: {events: [done]}}\n"
    files = acme.bent("acme/provider.yaml", "    expires: 1h\n", f"    expires: 1h\n{nudge}")
    job = acme.provider(acme.loaded(tmp_path, files)).lifecycles["job"]
    assert job.nudge == Nudge("webhook", None, {"events": ["done"]})
    assert provider.lifecycles["job"].nudge is None


def test_ways_to_hand_a_file_over_are_read(tmp_path: pathlib.Path, still: Model):
    """The ways keep their order; a file is an address where nothing is said, and other fields have none."""
    files = acme.bent("acme/acme/still.yaml", "images: {max: 2}", "images: {max: 2, as: [base64, url]}")
    takes = acme.model(acme.loaded(tmp_path, files), "still").offer.forms[0].takes
    assert takes["images"].takes == (Handing.BASE64, Handing.URL)
    assert (still.offer.forms[0].takes["images"].takes, takes["prompt"].takes) == ((Handing.URL,), ())


def test_the_encoding_of_a_body_is_read(tmp_path: pathlib.Path, still: Model):
    """A body is JSON unless the file says otherwise."""
    files = acme.bent("acme/acme/still.yaml", "  second: {url: $images.2, role: second}\n", "  second: $images.2\n")
    files["acme/acme/still.yaml"] += "encoding: multipart\n"
    assert acme.model(acme.loaded(tmp_path, files), "still").shapes[0].encoding is Encoding.MULTIPART
    assert still.shapes[0].encoding is Encoding.JSON
