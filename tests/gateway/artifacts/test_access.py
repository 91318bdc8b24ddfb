"""How a bucket is named, and what the variables say."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway.artifacts.access import Access, Place, access, place

KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "very-secret"}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("s3://outputs", Place("outputs")),
        ("s3://outputs/", Place("outputs")),
        ("s3://my.outputs-2/tidegate/eu", Place("my.outputs-2", "tidegate/eu")),
        ("s3://outputs/a_b=c.d-e/", Place("outputs", "a_b=c.d-e")),
    ],
)
def test_a_place_is_a_bucket_and_a_prefix(written: str, found: Place) -> None:
    """A bucket alone, or with a prefix of several parts; a slash at the end says nothing."""
    assert place(written) == found
    assert str(found) == written.rstrip("/")


@pytest.mark.parametrize(
    "written",
    [
        *("s3:", "s3://", "s3:/outputs", "s3:outputs", "s3://ab", "s3://Outputs", "s3://out_puts", "s3://-outputs", "S3://outputs"),
        *("s3://outputs//a", "s3://outputs/../a", "s3://outputs/./a", "s3://outputs/a b", "s3://outputs/é", "s3://out..puts"),
        *("s3://key:secret@outputs", "s3://outputs?region=x", "s3://outputs#x", "s3://outputs:9000/a", "s3://" + "a" * 64),
    ],
)  # fmt: skip
def test_nothing_else_is_one(written: str) -> None:
    """What could be another place, or holds more than a place, is refused with what would be right."""
    with pytest.raises(ValueError, match="expected s3://bucket/prefix"):
        place(written)


def test_the_variables_are_read() -> None:
    """The usual variables say all there is to say; the name for this service alone counts before the common one."""
    assert access({}) == Access()
    found = access(
        {
            **KEYS,
            "AWS_ENDPOINT_URL": "https://other.example",
            "AWS_ENDPOINT_URL_S3": "http://10.0.0.7:9000/",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_SESSION_TOKEN": "t",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "True",
        }
    )
    assert found == Access("http://10.0.0.7:9000", "eu-west-1", "k", "very-secret", "t", in_host=True)
    assert access({**KEYS, "AWS_REGION": "auto", "AWS_DEFAULT_REGION": "x"}).region == "auto"


def test_no_secret_is_shown() -> None:
    """What is printed of it, in a trace for instance, holds neither key nor secret nor token."""
    shown = repr(access({**KEYS, "AWS_SESSION_TOKEN": "token-too"}))
    assert "very-secret" not in shown
    assert "token-too" not in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "k"}, "AWS_SECRET_ACCESS_KEY is not set"),
        ({"AWS_SECRET_ACCESS_KEY": "very-secret"}, "AWS_ACCESS_KEY_ID is not set"),
        ({"AWS_ENDPOINT_URL": "http://s3.local"}, "are not set; set them"),
        *(
            ({**KEYS, "AWS_ENDPOINT_URL": url}, "AWS_ENDPOINT_URL is no address such as")
            for url in ("s3.local", "ftp://s3.local", "http://", "http://very-secret:x@s3.local", "http://s3.local/?a", "http://[x", "http://s3:0")
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(values: dict[str, str], said: str) -> None:
    """A half of a key, no key where there is no role to have one from, no address: each by its name, none by its value."""
    with pytest.raises(ValueError, match=said) as caught:
        access(values)
    assert "very-secret" not in str(caught.value)


def test_a_role_needs_no_key() -> None:
    """Where the platform gives a role, the client asks it."""
    assert access({"AWS_ENDPOINT_URL": "https://s3.x.example", "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"}).key is None


def test_without_the_extra_all_else_works() -> None:
    """The client's library is imported where a bucket is wanted and nowhere else; without it, that is said."""
    script = (
        "import sys; sys.modules['obstore'] = None\n"
        "import gateway.app\n"
        "from gateway.settings.bucket import bucket\n"
        "from gateway.artifacts.access import Place\n"
        "found, wrong = bucket(Place('outputs'), {}, to_bucket=False, links=1)\n"
        "assert found is None; print(wrong['store'])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "a bucket needs a library that is not there; pip install 'tidegate[s3]'", done.stderr
