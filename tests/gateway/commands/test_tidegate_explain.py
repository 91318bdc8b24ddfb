"""`tidegate explain` on the packs that are shipped."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.commands.shell import MODEL, Shell

_PICTURE = "https://example.com/reference.jpg"
_STORY = (
    "explain", MODEL, "prompt=a baby seal plays in the Arctic", "ratio=16:9", f"images={_PICTURE}",
    "order=byteplus, replicate, fal",
)  # fmt: skip
_SECRETS = {
    "ARK_API_KEY": "ark-marked",
    "CLOUDFLARE_ACCOUNT_ID": "account-marked",
    "CLOUDFLARE_API_TOKEN": "cf-marked",
    "FAL_KEY": "fal-marked",
    "REPLICATE_API_TOKEN": "r8-marked",
}


def _told(tidegate: Shell, *words: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    said = tidegate(*words, "--json", env=_SECRETS if env is None else env)
    told: dict[str, Any] = json.loads(said.out)
    return told


def test_story_is_spelled_as_each_vendor_spells_it(tidegate: Shell) -> None:
    """One request becomes three wire formats: pixels, a ratio inside `input`, an edit endpoint with addresses."""
    told = _told(tidegate, *_STORY)
    first, second, third = (step["request"] for step in told["plan"][:3])
    assert [step["provider"] for step in told["plan"]][:3] == ["byteplus", "replicate", "fal"]
    assert first["body"]["size"] == "2848x1600"
    assert first["body"]["image"] == [_PICTURE]
    assert second["body"]["input"]["aspect_ratio"] == "16:9"
    assert second["body"]["input"]["image_input"] == [_PICTURE]
    assert third["url"].endswith("/fal-ai/bytedance/seedream/v4.5/edit")
    assert third["body"]["image_urls"] == [_PICTURE]
    assert third["body"]["image_size"] == {"width": 2848, "height": 1600}


def test_json_has_the_promised_form_and_no_secret(tidegate: Shell) -> None:
    """The keys are fixed, amounts are numbers of credits, and where a secret goes there are stars."""
    said = tidegate(*_STORY, "--json", env=_SECRETS)
    told = json.loads(said.out)
    assert list(told) == ["model", "kind", "plan", "excluded", "hold"]
    assert (told["model"], told["kind"], told["hold"]) == (MODEL, "image", 0.04)
    assert set(told["plan"][0]) == {"provider", "native", "request", "price", "adjustments"}
    assert list(told["plan"][0]["request"]) == ["method", "url", "headers", "body"]
    assert told["plan"][0]["request"]["headers"]["Authorization"] == "Bearer ***"
    assert "marked" not in said.out


def test_provider_without_credential_is_explained_with_a_note(tidegate: Shell) -> None:
    """Before there is any key a plan can be seen; the note names the variable that is missing."""
    told = _told(tidegate, *_STORY, env={"FAL_KEY": "fal-marked"})
    assert [step["provider"] for step in told["plan"]][:3] == ["byteplus", "replicate", "fal"]
    assert {"byteplus", "replicate"} <= {note["provider"] for note in told["notes"]}
    assert "fal" not in {note["provider"] for note in told["notes"]}
    assert "ARK_API_KEY" in told["notes"][0]["note"]


def test_field_nobody_else_takes_excludes_with_a_reason(tidegate: Shell) -> None:
    """A seed leaves those out that have no word for it, and says so."""
    told = _told(tidegate, "explain", MODEL, "prompt=seal", "seed=7")
    assert [step["provider"] for step in told["plan"]] == ["fal"]
    assert {each["provider"]: each["reason"] for each in told["excluded"]}["byteplus"] == "seed is not offered"


def test_what_is_left_out_is_an_adjustment(tidegate: Shell) -> None:
    """A field a provider drops is listed with its step."""
    told = _told(tidegate, "explain", MODEL, "prompt=seal", "format=jpeg", "order=replicate")
    assert told["plan"][0]["adjustments"] == [{"field": "format", "action": "dropped"}]


def test_native_names_mean_the_same(tidegate: Shell) -> None:
    """The names of the native API give the same plan as the short ones."""
    natively = (
        "explain", MODEL, "generation_prompt=a baby seal plays in the Arctic", "generation_ratio=16:9",
        f"generation_input_file={_PICTURE}", "generation_provider_order=byteplus, replicate, fal",
    )  # fmt: skip
    assert _told(tidegate, *natively) == _told(tidegate, *_STORY)


def test_plan_as_for_somebody(tidegate: Shell, tmp_path: Path) -> None:
    """With an account, a key and a tag the routes for those count; without, they do not."""
    path = tmp_path / "p.yaml"
    path.write_text(
        "providers: {fal: {labels: [eu]}}\n"
        "routes:\n"
        "  - {match: {tag: private}, labels: [eu]}\n"
        "  - {match: {key: app, account: acc}, order: {replicate: 9, fal: 1}, only: [replicate, fal]}\n"
    )

    def served(*words: str) -> list[str]:
        told = _told(tidegate, "explain", MODEL, "prompt=seal", "-c", str(path), *words)
        return [step["provider"] for step in told["plan"]]

    assert served()[:3] == ["byteplus", "replicate", "fal"]
    assert served("--tag", "private") == served("--tag", "night,private") == ["fal"]
    assert served("--key", "key_1", "--key", "app", "--account", "acc") == ["replicate", "fal"]
    assert served("--key", "app")[0] == "byteplus"
    told = _told(tidegate, "explain", MODEL, "prompt=seal", "-c", str(path), "--tag", "private")
    assert {each["reason"] for each in told["excluded"]} == {
        "the route asks for the label 'eu', which it does not carry"
    }


def test_tag_that_is_none_is_a_usage_error(tidegate: Shell) -> None:
    """What no request could carry is refused."""
    said = tidegate("explain", MODEL, "prompt=seal", "--tag", "Night Shift")
    assert said.code == 2
    assert "X-Tidegate-Tag holds up to 16 tags" in said.err


def test_switched_off_provider_is_excluded(tidegate: Shell, tmp_path: Path) -> None:
    """The policy holds: who is switched off is not in the plan, a base of one's own is in the address."""
    path = tmp_path / "p.yaml"
    path.write_text("providers:\n  byteplus: {enabled: false}\n  fal: {base: 'http://127.0.0.1:9/fal'}\n")
    told = _told(tidegate, "explain", MODEL, "prompt=seal", "-c", str(path))
    assert told["excluded"] == [{"provider": "byteplus", "reason": "it is switched off"}]
    assert told["plan"][1]["request"]["url"].startswith("http://127.0.0.1:9/fal/")


def test_nobody_left_is_a_failure_with_the_reasons(tidegate: Shell) -> None:
    """Where no provider can serve, the reasons are printed and the exit code says so."""
    said = tidegate(
        "explain",
        MODEL,
        "prompt=seal",
        "seed=7",
        "format=jpg",
        "count=1",
        f"images={_PICTURE}",
        *[f"images={_PICTURE}"] * 12,
    )
    assert said.code == 1
    assert "not asked" in said.out


def test_wrong_request_names_everything_in_the_words_typed(tidegate: Shell) -> None:
    """All mistakes of a request are told at once, by the names that were typed, with what would be right."""
    said = tidegate("explain", MODEL, "prompt=seal", "ratoi=16:9", "count=many")
    assert said.code == 2
    assert "unknown field ratoi; did you mean ratio?" in said.err
    assert "count must be a whole number" in said.err


def test_unknown_model_gets_the_nearest(tidegate: Shell) -> None:
    """A model that is almost one is a usage error that names it."""
    said = tidegate("explain", "bytedance/seedream-45", "prompt=seal")
    assert said.code == 2
    assert f"did you mean '{MODEL}'?" in said.err


def test_page_for_people_has_a_block_for_each_provider(tidegate: Shell) -> None:
    """Without --json the same is laid out for reading, in no colour on a pipe, and in some when it is forced."""
    said = tidegate(*_STORY, env=_SECRETS)
    assert "1  byteplus  seedream-4-5-251128  0.04 credits" in said.out
    assert '"size": "2848x1600"' in said.out
    assert "\x1b" not in said.out
    assert "\x1b[" in tidegate(*_STORY, env={"FORCE_COLOR": "1"}).out
    assert "\x1b" not in tidegate(*_STORY, env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).out


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("[fal]", "as listed"),
        ("cheapest", "the cheapest first"),
        ("fastest", "as a running gateway has seen it"),
        ("{fal: 3, replicate: 1}", "drawn by weight"),
    ],
)
def test_page_says_what_the_order_goes_by(tidegate: Shell, tmp_path: Path, order: str, says: str) -> None:
    """A plan made without a running gateway says what it leaves open."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"auth: none\nroutes:\n  - order: {order}\n")
    said = tidegate("explain", MODEL, "prompt=x", "-c", str(policy))
    assert says in said.out.splitlines()[1]


def test_an_address_inside_is_told_by_its_kind(tidegate: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """S39: nothing is looked up to explain a request, and an address inside is refused by its kind alone."""
    asked: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: asked.append(str(host)))
    said = tidegate("explain", MODEL, "prompt=a seal", "images=http://10.11.12.13/a.png", env=_SECRETS)
    assert said.code == 2
    assert "a private address (blocked_address)" in said.err
    assert "10.11.12.13" not in said.err
    assert _told(tidegate, "explain", MODEL, "prompt=a seal", "images=https://inside.example/a.png")["plan"]
    assert asked == []
