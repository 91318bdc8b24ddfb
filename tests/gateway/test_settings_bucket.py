"""A bucket for outputs: one setting, and the variables that such services are reached by."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping

import pytest

from gateway.artifacts.access import Access, Place
from gateway.documents import Mistakes
from gateway.settings import Settings, load

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "a-secret-nobody-may-see"}
Loading = Callable[[str, Mapping[str, str]], Settings]


@pytest.fixture
def loading(tmp_path: pathlib.Path) -> Loading:
    """Load a text as `config.yaml` with these variables."""

    def read(text: str, environ: Mapping[str, str]) -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load(path, environ)

    return read


def test_one_setting_is_enough(loading: Loading) -> None:
    """The bucket in the policy, everything else from the variables; links are the gateway's own unless told otherwise."""
    environ = {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:9000", "AWS_REGION": "eu-west-1"}
    outputs = loading("outputs: {store: s3://media/tidegate}", environ).outputs
    assert outputs.folder is None
    assert outputs.bucket is not None
    assert outputs.bucket.place == Place("media", "tidegate")
    assert outputs.bucket.access == Access("http://127.0.0.1:9000", "eu-west-1", "AKID", KEYS["AWS_SECRET_ACCESS_KEY"])
    assert outputs.bucket.links is False
    assert loading("outputs: {store: s3://media, link_to: bucket, links: 7d}", KEYS).outputs.bucket.links is True


def test_a_secret_may_lie_in_a_file(loading: Loading, tmp_path: pathlib.Path) -> None:
    """Each variable has a twin that names a file, as providers' credentials have."""
    for name, value in KEYS.items():
        (tmp_path / name).write_text(value + "\n")
    environ = {f"{name}_FILE": str(tmp_path / name) for name in KEYS}
    found = loading("outputs: {store: s3://media}", environ).outputs.bucket
    assert found is not None
    assert (found.access.key, found.access.secret) == tuple(KEYS.values())


def test_no_secret_is_told(loading: Loading) -> None:
    """What the log and the report say of the settings names the bucket and no secret."""
    settings = loading("outputs: {store: s3://media/tidegate}", KEYS)
    assert settings.describe()["outputs"] == "s3://media/tidegate"
    assert "a-secret-nobody-may-see" not in f"{settings.describe()}{settings!r}"


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("{store: s3://media}", {"AWS_ACCESS_KEY_ID": "AKID"}, "1:18: outputs.store: AWS_SECRET_ACCESS_KEY is not set"),
        (
            "{store: s3://media}",
            {"AWS_ENDPOINT_URL": "http://s3:9000"},
            "1:18: outputs.store: AWS_ACCESS_KEY_ID and AWS_",
        ),
        (
            "{store: s3://media}",
            {**KEYS, "AWS_ENDPOINT_URL": "s3:9000"},
            "1:18: outputs.store: AWS_ENDPOINT_URL is no address",
        ),
        (
            "{store: s3://media}",
            {**KEYS, "AWS_CA_BUNDLE": "/nowhere"},
            "1:18: outputs.store: AWS_CA_BUNDLE names a file that",
        ),
        ("{store: s3://media, link_to: bucket}", {}, "1:39: outputs.link_to: the links of a role end with its session"),
        (
            "{store: s3://media, link_to: bucket}",
            {**KEYS, "AWS_SESSION_TOKEN": "t"},
            "1:39: outputs.link_to: the links of a role end with its session",
        ),
        (
            "{store: s3://media, link_to: bucket, links: 8d}",
            KEYS,
            "1:54: outputs.links: links to a bucket work for 7d at",
        ),
    ],
)
def test_mistakes(loading: Loading, tmp_path: pathlib.Path, text: str, environ: Mapping[str, str], said: str) -> None:
    """What is wrong with the variables is told at the setting that needs them."""
    with pytest.raises(Mistakes) as raised:
        loading(f"outputs: {text}", environ)
    (mistake,) = (str(each).removeprefix(f"{tmp_path}/config.yaml:") for each in raised.value.mistakes)
    assert mistake.startswith(said)
    assert "a-secret-nobody-may-see" not in mistake
