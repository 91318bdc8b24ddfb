"""The folders of packs: what is found, what replaces what, and what does not belong."""

from __future__ import annotations

import pathlib

import pytest

from gateway.documents import Mistakes
from gateway.providers import catalog
from gateway.providers.catalog import Catalog
from tests.gateway.providers import acme

RIVAL = acme.PROVIDER.replace("provider: acme", "provider: rival").replace("rank: 10", "rank: 5")


def test_a_model_is_found_by_its_names(packs: Catalog):
    """An alias leads to the model's own id; a name nobody knows comes back as it is."""
    assert packs.name("acme-labs/still") == "acme/still"
    assert packs.name("acme/still") == "acme/still"
    assert packs.name("nobody/knows") == "nobody/knows"
    assert packs.ids() == ["acme/clip", "acme/still"]


def test_offers_come_in_order_of_rank(tmp_path: pathlib.Path):
    """Where nobody asks for an order, a lower rank comes first."""
    files = {**acme.FILES, "rival/provider.yaml": RIVAL, "rival/acme/still.yaml": acme.STILL}
    found = acme.loaded(tmp_path, files)
    assert [offer.provider for offer in found.offers("acme/still")] == ["rival", "acme"]
    assert found.offers("nobody/knows") == ()


def test_a_later_folder_replaces_whole_files(tmp_path: pathlib.Path):
    """A file in a later folder stands for the earlier one of the same name, and the others stay."""
    first = acme.write(tmp_path / "first")
    second = acme.write(tmp_path / "second", {"acme/acme/still.yaml": acme.STILL.replace("still-2", "still-3")})
    found = catalog.load([first, second])
    assert found.models["acme", "acme/still"].shapes[0].native == "acme-still-3"
    assert ("acme", "acme/clip") in found.models
    assert found.samples["acme"] == first / "acme" / "samples.yaml"


def test_hidden_files_and_other_kinds_are_passed_over(tmp_path: pathlib.Path):
    """What begins with a dot, and what is no data file, is nobody's business."""
    files = {**acme.FILES, ".git/config.yaml": "x", "acme/.draft.yaml": "x", "README.md": "words"}
    assert acme.mistakes(tmp_path, files) == []


@pytest.mark.parametrize("name", ["stray.yaml", "acme/other.yaml", "acme/acme/deep/er.yaml", "acme/acme/still.json"])
def test_a_file_that_belongs_nowhere_is_named(tmp_path: pathlib.Path, name: str):
    """A data file outside the layout is a mistake: it would be ignored without a word."""
    found = acme.mistakes(tmp_path, {**acme.FILES, name: "x: 1"})
    assert len(found) == 1
    assert found[0].startswith(f"{name}:1:1: a pack is <provider>/provider.yaml, ")


def test_a_folder_that_is_not_there_is_named(tmp_path: pathlib.Path):
    """A folder of packs that does not exist is a mistake, not an empty catalog."""
    with pytest.raises(Mistakes, match="no such folder of packs"):
        catalog.load([tmp_path / "nowhere"])


def test_a_model_without_its_provider_is_named(tmp_path: pathlib.Path):
    """A model file needs the provider beside it."""
    found = acme.mistakes(tmp_path, {"acme/acme/still.yaml": acme.STILL})
    assert found == ["acme/acme/still.yaml:1:1: there is no acme/provider.yaml to go with this model"]


def test_a_file_that_is_not_yaml_is_named(tmp_path: pathlib.Path):
    """A file that cannot be read is told with its place, and says nothing about the others."""
    found = acme.mistakes(tmp_path, {**acme.FILES, "acme/acme/still.yaml": "makes: [image"})
    assert len(found) == 1
    assert found[0].startswith("acme/acme/still.yaml:2:1: expected a ',' or the closing ']'")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "ratio: 1:1, count: 1}",
            "ratio: 16:9, count: 1}",
            "rival/acme/still.yaml:19:35: ratio is the text '16:9' here",
        ),
        ("makes: image", "makes: video", "rival/acme/still.yaml:1:8: acme/still makes image in "),
    ],
)
def test_a_model_means_the_same_everywhere(tmp_path: pathlib.Path, old: str, new: str, says: str):
    """Two providers of a model agree on what it makes and on what holds when the caller says nothing."""
    files = {**acme.FILES, "rival/provider.yaml": RIVAL, "rival/acme/still.yaml": acme.STILL.replace(old, new)}
    found = acme.mistakes(tmp_path, files)
    assert len(found) == 1
    assert found[0].startswith(says)


def test_a_default_of_a_form_is_named_where_it_stands(tmp_path: pathlib.Path):
    """When the defaults that disagree belong to a form, the mistake points into the form."""
    clip = acme.CLIP.replace("  - given: [images]\n", "  - given: [images]\n    defaults: {resolution: 480p}\n")
    clip = clip.replace("resolution: {720p: {}}", "resolution: {720p: {}, 480p: {}}")
    files = {**acme.FILES, "rival/provider.yaml": RIVAL, "rival/acme/clip.yaml": clip}
    found = acme.mistakes(tmp_path, files)
    assert len(found) == 1
    assert found[0].startswith("rival/acme/clip.yaml:13:28: resolution is the text '480p' here")


@pytest.mark.parametrize(
    ("alias", "says"),
    [("acme/clip", "acme/clip already means acme/clip"), ("acme-labs/still", "acme-labs/still already means acme/")],
)
def test_an_alias_means_one_model(tmp_path: pathlib.Path, alias: str, says: str):
    """An alias that is a model's own id, or another model's alias, is refused."""
    still = acme.STILL.replace("aliases: [acme-labs/still]", f"aliases: [{alias}]")
    files = {**acme.FILES, "acme/acme/still-two.yaml": still}
    found = acme.mistakes(tmp_path, files)
    assert len(found) == 1
    assert says in found[0]
