"""Calls: what is sent, where it may go, and that a credential goes nowhere else."""

from __future__ import annotations

import pytest

from gateway.offer import Fit, fit
from gateway.providers import render
from gateway.providers.pack import CallName, Model
from gateway.providers.render import Call, Misdirected, Site

HOME = "https://api.acme.example/v1"
SITE = Site(HOME, HOME, ("*.acme.example", "acme.test"))
KEPT = {"id": "j/1?x", "result": "https://r.eu.acme.example/j1"}
AUTH = {"Authorization": "Bearer $secret.ACME_KEY"}


def test_a_submit_call_is_rendered(still: Model):
    """Method, address, headers with the secret by name, and a body of values with their types."""
    found = fit(still.offer, {"prompt": "a seal", "images": ("a.png",), "ratio": "16:9", "style": "loud"})
    assert isinstance(found, Fit)
    call = render.submit(still, found.form, found.values, SITE)
    body = {"model": "acme-still-2", "prompt": "a seal", "first": "a.png", "n": 1, "size": "1344x768", "look": "LOUD"}
    assert call == Call(CallName.SUBMIT, "POST", f"{HOME}/pictures", AUTH, body)
    assert call.has_body


def test_a_models_name_is_a_path_of_its_own(clip: Model):
    """The native name keeps its slashes in the address, and a call's own headers join."""
    call = render.submit(clip, 1, {"prompt": "x", "duration": 5}, SITE)
    assert call.url == f"{HOME}/jobs/acme/clip/from-text"
    assert call.headers == {**AUTH, "x-mode": "plain"}
    assert call.body == {"prompt": "x", "seconds": "5"}


def test_a_kept_value_is_one_segment(clip: Model):
    """What a reply gave cannot lead the next call to another path, and no body goes with it."""
    call = render.follow(clip, 0, CallName.STATUS, KEPT, SITE)
    assert (call.method, call.url) == ("GET", f"{HOME}/jobs/j%2F1%3Fx")
    assert not call.has_body


def test_a_kept_address_is_followed(clip: Model):
    """An address from a reply is taken whole when it is the provider's."""
    assert render.follow(clip, 0, CallName.RESULT, KEPT, SITE).url == "https://r.eu.acme.example/j1"


@pytest.mark.parametrize(
    "target",
    [
        "https://api.acme.example/other",
        "https://x.acme.example/1",
        "https://X.ACME.example:8443/1",
        "https://acme.test/1",
    ],
)
def test_the_providers_hosts_are_admitted(target: str):
    """The base's own host and the hosts of the pack may be called."""
    assert SITE.address(target) == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/1",
        "https://acme.example/1",
        "https://evilacme.example/1",
        "https://sub.acme.test/1",
        "http://api.acme.example/v1/1",
        "ftp://api.acme.example/1",
        "https://api.acme.example@evil.example/1",
        "https://user@api.acme.example/1",
        "https://@api.acme.example/1",
        "https://api.acme.example\\@evil.example/1",
        "https://api.acme.example\n.evil.example/1",
        "https://api.acme.example .evil.example/1",
        "https://[::1",
        "https:///1",
        "evil.example/1",
        "",
    ],
)
def test_all_else_is_refused(target: str):
    """An address outside the provider, or one that parsers may read in two ways, never gets the credential."""
    with pytest.raises(Misdirected, match="not a host of this provider"):
        SITE.address(target)


def test_two_slashes_do_not_name_a_host():
    """A target that begins with a slash stays under the base, whatever follows."""
    assert SITE.address("//evil.example/1") == f"{HOME}//evil.example/1"


def test_another_base_means_every_call():
    """With another base in force, links that begin with the pack's own are moved there, and plain http may be used."""
    site = Site("http://127.0.0.1:9/acme", HOME, ())
    assert site.address(f"{HOME}/jobs/1") == "http://127.0.0.1:9/acme/jobs/1"
    assert site.address("http://127.0.0.1:9/acme/jobs/1") == "http://127.0.0.1:9/acme/jobs/1"
    with pytest.raises(Misdirected):
        site.address("https://api.acme.example/v2/jobs/1")
