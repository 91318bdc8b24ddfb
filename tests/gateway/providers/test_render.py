"""Calls: what is sent, where it may go, and that a credential goes nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.offer import Fit, fit
from gateway.providers import render
from gateway.providers.pack import CallName, Encoding, Model, Nudge
from gateway.providers.render import Call, Misdirected, Site

HOME = "https://api.acme.example/v1"
SITE = Site(HOME, HOME, ("*.acme.example", "acme.test"))
KEPT = {"id": "j/1?x", "result": "https://r.eu.acme.example/j1"}
AUTH = {"Authorization": "Bearer $secret.ACME_KEY"}
CLIP = {"prompt": "x", "duration": 5}


def test_a_submit_call_is_rendered(still: Model):
    """Method, address, headers with the secret by name, and a body of values with their types."""
    found = fit(still.offer, {"prompt": "a seal", "images": ("a.png",), "ratio": "16:9", "style": "loud"})
    assert isinstance(found, Fit)
    call = render.submit(still, found.form, found.values, SITE)
    body = {"model": "acme-still-2", "prompt": "a seal", "first": "a.png", "n": 1, "size": "1344x768", "look": "LOUD"}
    assert call == Call(CallName.SUBMIT, "POST", f"{HOME}/pictures", AUTH, body, hands_over=True)
    assert call.has_body


def test_the_call_that_hands_over_the_outputs_is_told(still: Model, clip: Model):
    """Where there is a call for the result it is that one, else the one that says the job is done."""
    assert render.submit(still, 0, {"prompt": "x"}, SITE).hands_over
    assert not render.submit(clip, 0, {**CLIP, "images": ("a.png",)}, SITE).hands_over
    calls = (CallName.STATUS, CallName.RESULT, CallName.CANCEL)
    assert [render.follow(clip, 0, name, KEPT, SITE).hands_over for name in calls] == [False, True, False]
    lifecycle = clip.shapes[0].lifecycle
    polled = replace(lifecycle, calls={name: lifecycle.calls[name] for name in (CallName.SUBMIT, CallName.STATUS)})
    assert polled.hands_over(CallName.STATUS)


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


@pytest.mark.parametrize(
    "target",
    [
        "https://api.acme.example:80x/1",
        "https://api.acme.example:99999/1",
        "https://r.acme.example/1?key=$secret.OTHER_KEY",
        "https://r.acme.example/$secret.ACME_KEY",
    ],
)
def test_an_address_from_a_reply_is_taken_at_its_word(clip: Model, target: str):
    """A kept address whose port is none, or that would have a credential filled in at the door, is refused."""
    with pytest.raises(Misdirected, match="the reply points to"):
        render.follow(clip, 0, CallName.RESULT, {**KEPT, "result": target}, SITE)


def test_a_kept_value_never_names_a_secret(clip: Model):
    """What a reply gave cannot have a credential filled in, in a path either."""
    call = render.follow(clip, 0, CallName.STATUS, {**KEPT, "id": "$secret.ACME_KEY"}, SITE)
    assert call.url == f"{HOME}/jobs/%24secret.ACME_KEY"


def test_a_target_may_hold_a_secret_by_name(still: Model):
    """A credential in the path of a call stands there by name until it is sent."""
    call = render.submit(_submitting(still, "/accounts/$secret.ACME_KEY/run/$model"), 0, {"prompt": "x"}, SITE)
    assert call.url == f"{HOME}/accounts/$secret.ACME_KEY/run/acme-still-2"


def test_a_models_name_may_hold_a_version(still: Model):
    """Signs that names of models are made of stay as they are; a query mark does not begin a query."""
    model = _submitting(still, "/run/$model")
    model = replace(model, shapes=(replace(model.shapes[0], native="@acme/still:v2?x"),))
    assert render.submit(model, 0, {"prompt": "x"}, SITE).url == f"{HOME}/run/@acme/still:v2%3Fx"


def test_headers_of_the_provider_go_with_every_call(clip: Model):
    """Headers of the provider join its credential, and those of a call join both."""
    model = replace(clip, provider=replace(clip.provider, headers={"X-Api-Version": "2"}))
    submit = render.submit(model, 1, {"prompt": "x", "duration": 5}, SITE)
    assert submit.headers == {**AUTH, "X-Api-Version": "2", "x-mode": "plain"}
    assert render.follow(model, 1, CallName.STATUS, KEPT, SITE).headers == {**AUTH, "X-Api-Version": "2"}


def test_a_body_says_how_it_is_sent(still: Model):
    """The encoding of the form goes with the call."""
    model = replace(still, shapes=(replace(still.shapes[0], encoding=Encoding.MULTIPART),))
    assert render.submit(model, 0, {"prompt": "x"}, SITE).encoding is Encoding.MULTIPART
    assert render.submit(still, 0, {"prompt": "x"}, SITE).encoding is Encoding.JSON


BACK = "https://gate.example/v1/nudges/g/1/proof"


def test_a_callback_is_asked_for_in_the_body(clip: Model):
    """Where the provider takes an address in the body it stands there, with what goes with it."""
    call = render.submit(_nudging(clip, Nudge("webhook", None, {"events": ["done"]})), 1, CLIP, SITE, BACK)
    assert call.body == {"prompt": "x", "seconds": "5", "events": ["done"], "webhook": BACK}
    assert "?" not in call.url


@pytest.mark.parametrize(("target", "joint"), [("/jobs", "?"), ("/jobs?mode=plain", "&")])
def test_a_callback_is_asked_for_in_the_address(clip: Model, target: str, joint: str):
    """Where the provider takes an address in the query it is one parameter there, and what goes with it is in the body."""
    model = _nudging(_submitting(clip, target), Nudge(None, "hook", {"wait": False}))
    call = render.submit(model, 1, CLIP, SITE, BACK)
    assert call.url == f"{HOME}{target}{joint}hook=https%3A%2F%2Fgate.example%2Fv1%2Fnudges%2Fg%2F1%2Fproof"
    assert call.body == {"prompt": "x", "seconds": "5", "wait": False}


def test_no_callback_is_asked_for_without_an_address(clip: Model):
    """Without an address of ours, and at a provider that cannot call back, the call is the plain one."""
    plain = render.submit(clip, 1, CLIP, SITE)
    assert render.submit(_nudging(clip, Nudge("webhook", None, {"events": ["done"]})), 1, CLIP, SITE) == plain
    assert render.submit(clip, 1, CLIP, SITE, BACK) == plain


def _submitting(model: Model, target: str) -> Model:
    """Give the model with another target of its submit calls."""
    shapes = []
    for shape in model.shapes:
        line = replace(shape.lifecycle.calls[CallName.SUBMIT], target=target)
        calls = {**shape.lifecycle.calls, CallName.SUBMIT: line}
        shapes.append(replace(shape, lifecycle=replace(shape.lifecycle, calls=calls)))
    return replace(model, shapes=tuple(shapes))


def _nudging(model: Model, nudge: Nudge) -> Model:
    """Give the model at a provider that can call back."""
    shapes = (replace(shape, lifecycle=replace(shape.lifecycle, nudge=nudge)) for shape in model.shapes)
    return replace(model, shapes=tuple(shapes))
