"""The predictions client of another vendor, unmodified, at the door of predictions."""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import replicate
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput

from gateway.providers.reverse import version_of
from tests.clients.predicting import SEEDREAM, asking, client, count
from tests.story.house import house

BANANA = "google/nano-banana-pro"
VEO = "google/veo-3.1"
DOWN = {"call": "submit", "do": "status", "status": 503}


async def test_another_vendor_runs_it(tmp_path: Path) -> None:
    """`run` gives files that can be read; the words of the client's own vendor reached another in that one's words."""
    async with asking(tmp_path) as (at, made):
        asked = {"prompt": "a seal", "aspect_ratio": "16:9", "size": "4K", "max_images": 1}
        [picture] = await made.async_run(SEEDREAM, input=asked)
        assert isinstance(picture, FileOutput)
        assert (await picture.aread())[:2] == b"\xff\xd8"
        [job] = at.sims.jobs("byteplus")
        assert job.body["size"] == "5504x3040"


async def test_who_served_and_what_was_left_out_is_told(tmp_path: Path) -> None:
    """Provider, cost and attempts stand in the metrics, and what was not done as written in the logs."""
    async with asking(tmp_path, [{**DOWN, "provider": "byteplus"}]) as (_, made):
        done = await made.models.predictions.async_create(
            SEEDREAM, {"prompt": "a seal", "disable_safety_checker": True}, wait=True
        )
        assert done.metrics is not None
        assert (done.metrics["provider"], done.metrics["cost"], done.metrics["attempts"]) == ("replicate", 0.04, 2)
        assert done.logs is not None
        assert done.logs.splitlines() == [
            "tidegate: input.disable_safety_checker is not handed on",
            "tidegate: served by replicate for 0.04 credits",
        ]
        assert (done.model, done.input) == (SEEDREAM, {"prompt": "a seal", "disable_safety_checker": True})


@pytest.mark.parametrize("model", [BANANA, VEO])
async def test_one_output_comes_alone_where_the_vendor_gives_it_so(tmp_path: Path, model: str) -> None:
    """A model whose outputs that vendor does not put into a list gives one file; a film has the length it has there."""
    async with asking(tmp_path) as (at, made):
        found = await made.async_run(model, input={"prompt": "a seal"})
        assert isinstance(found, FileOutput)
        assert await found.aread()
        if model == VEO:
            assert count(at, "generation", "json_extract(request, '$.duration') = 8") == 1


async def test_a_prediction_is_followed_to_its_end(tmp_path: Path) -> None:
    """Without waiting it is `starting`; the client polls it until it has succeeded, and finds it on the list."""
    async with asking(tmp_path, image=0.2) as (_, made):
        begun = await made.models.predictions.async_create(SEEDREAM, {"prompt": "a seal"})
        assert (begun.status, begun.output, begun.completed_at) == ("starting", None, None)
        assert begun.urls is not None
        assert begun.urls["cancel"].endswith(f"/v1/predictions/{begun.id}/cancel")
        await begun.async_wait()
        assert (begun.status, len(begun.output or [])) == ("succeeded", 1)
        [listed] = (await made.predictions.async_list()).results
        assert (listed.id, listed.status) == (begun.id, "succeeded")


async def test_wait_ends_as_a_prediction_that_has_not_begun(tmp_path: Path) -> None:
    """The client takes any word but `starting` for an end: so that is what a wait that ran out says."""
    async with asking(tmp_path, image=3) as (_, made):
        begun = await made.models.predictions.async_create(SEEDREAM, {"prompt": "a seal"}, wait=1)
        assert begun.status == "starting"


@pytest.mark.parametrize("prefix", ["", "/replicate", "/replicate/v1", "/v1"])
async def test_however_the_base_address_is_written(tmp_path: Path, prefix: str) -> None:
    """With the mount and without, with `/v1` and without; addresses told are under what the client was given."""
    async with house(tmp_path) as at, client(at.running.origin, prefix) as made:
        done = await made.models.predictions.async_create(SEEDREAM, {"prompt": "a seal"}, wait=True)
        assert done.urls is not None
        assert done.urls["get"] == f"{at.running.origin}{prefix}/v1/predictions/{done.id}"
        async with at.client.get(done.urls["get"]) as again:
            assert (await again.json())["id"] == done.id


@pytest.mark.parametrize("name", [f"{SEEDREAM}:0123abcd", SEEDREAM, version_of(SEEDREAM), "fal-ai/flux/schnell"])
async def test_versions_name_models(tmp_path: Path, name: str) -> None:
    """A model with a version, one without, a version alone, and another provider's name with more parts than two."""
    async with asking(tmp_path) as (_, made):
        done = await made.predictions.async_create(name, {"prompt": "a seal"}, wait=True)
        assert done.status == "succeeded"


async def test_a_pinned_version_runs(tmp_path: Path) -> None:
    """The client reads a version's schema after it has begun a prediction by it, and needs all of its parts."""
    async with asking(tmp_path) as (_, made):
        model = await made.models.async_get(SEEDREAM)
        assert model.latest_version is not None
        [picture] = await made.async_run(f"{SEEDREAM}:{model.latest_version.id}", input={"prompt": "a seal"})
        assert isinstance(picture, FileOutput)
        schemas = model.latest_version.openapi_schema["components"]["schemas"]
        assert schemas["Input"]["required"] == ["prompt"]
        assert schemas["Input"]["properties"]["size"]["enum"] == ["2K", "4K"]
        assert schemas["Output"]["type"] == "array"
        assert [each.id for each in (await model.versions.async_list()).results] == [model.latest_version.id]


async def test_a_model_that_vendor_lacks_is_asked_for_in_its_words(tmp_path: Path) -> None:
    """What its parameters usually mean there, they mean for any model; and our own words are understood."""
    async with asking(tmp_path) as (at, made):
        for words in ({"aspect_ratio": "16:9", "duration": 5}, {"ratio": "16:9", "duration": 5}):
            await made.async_run("kling/kling-3-pro", input={"prompt": "a seal", **words})
        assert count(at, "generation", "json_extract(request, '$.ratio') = '16:9'") == 2


async def test_files_are_handed_over(tmp_path: Path) -> None:
    """A file in the input is sent first, or put in whole; either way it reaches the provider."""
    async with asking(tmp_path) as (at, made):
        [picture] = await made.async_run(SEEDREAM, input={"prompt": "a seal"})
        data = await picture.aread()
        for strategy in (None, "base64"):
            more: dict[str, Any] = {"file_encoding_strategy": strategy} if strategy else {}
            begun = await made.models.predictions.async_create(
                SEEDREAM, {"prompt": "at night", "image_input": [io.BytesIO(data)]}, wait=True, **more
            )
            assert begun.status == "succeeded", begun.error
            assert begun.input is not None
            assert begun.input["image_input"] == ["data:image/jpeg;base64,…"]
        assert count(at, "generation", "request LIKE '%image/jpeg%'") == 2
        form = aiohttp.FormData()
        form.add_field("content", data, filename="a.jpg", content_type="image/jpeg")
        form.add_field("metadata", b"{}", filename="blob", content_type="application/json")
        status, _, kept = await at.ask("POST", "/replicate/v1/files", data=form)
        assert (status, kept["size"], kept["urls"]["get"][:23]) == (201, len(data), "data:image/jpeg;base64,")


async def test_a_failed_run_says_why(tmp_path: Path) -> None:
    """Every provider failed: a prediction that failed, as an error of the model; nothing is paid."""
    async with asking(tmp_path, [DOWN]) as (at, made):
        with pytest.raises(ModelError) as failed:
            await made.async_run(SEEDREAM, input={"prompt": "a seal"})
        assert failed.value.prediction.error
        assert await at.balance() == 100


async def test_refused_content_is_told_by_that_vendor_s_mark(tmp_path: Path) -> None:
    """Clients look for the code of their own vendor in the error."""
    async with asking(tmp_path, [{"call": "submit", "do": "refuse_content"}]) as (_, made):
        with pytest.raises(ModelError, match=r"\(E005\)"):
            await made.async_run(SEEDREAM, input={"prompt": "a seal"})


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (SEEDREAM, {"prompt": "a seal", "aspect_rato": "1:1"}, "did you mean input.aspect_ratio?"),
    (SEEDREAM, {"prompt": "a seal", "size": "8K"}, "input.size"),
    (SEEDREAM, {"prompt": "a seal", "max_images": 4}, "input.max_images 4 is not offered"),
    (SEEDREAM, {"prompt": "a seal", "aspect_ratio": "7:9"}, "input.aspect_ratio"),
    (SEEDREAM, {"prompt": 5}, "input.prompt must be a text"),
    (SEEDREAM, {}, "input.prompt is required"),
    (SEEDREAM, {"prompt": "a seal", "image_input": ["nowhere"]}, "input.image_input"),
    (SEEDREAM, {"prompt": "a seal", "provider_order": "nobody"}, "nobody"),
    ("black-forest-labs/flux-schnell", {"prompt": "a seal", "guidance": 7}, "input.guidance"),
]


async def test_what_cannot_be_had_is_refused_by_name(tmp_path: Path) -> None:
    """Nothing is clamped and nothing dropped: the parameter that is wrong is named in the client's own word for it."""
    async with asking(tmp_path, credits=0) as (at, made):
        for model, given, says in REFUSED:
            with pytest.raises(ReplicateError) as refused:
                await made.models.predictions.async_create(model, given)
            assert refused.value.status == 422
            assert says in str(refused.value.detail)
        with pytest.raises(ReplicateError, match=r"did you mean 'bytedance/seedream-4\.5'") as unknown:
            await made.async_run("bytedance/seedream-4,5", input={"prompt": "a seal"})
        assert unknown.value.status == 404
        with pytest.raises(ReplicateError, match="owner/name") as version:
            await made.predictions.async_create("0" * 64, {"prompt": "a seal"})
        assert (version.value.status, version.value.title) == (422, "Invalid version or not permitted")
        with pytest.raises(ReplicateError) as poor:
            await made.async_run(SEEDREAM, input={"prompt": "a seal"})
        assert (poor.value.status, poor.value.title) == (402, "Insufficient credit")
        assert count(at, "generation") == 0


async def test_everything_that_is_wrong_is_listed(tmp_path: Path) -> None:
    """One line a parameter, in the form that vendor has for it."""
    async with house(tmp_path) as at:
        body = {"input": {"prompt": "a seal", "smile": 1, "size": "9K"}}
        status, headers, said = await at.ask("POST", f"/v1/models/{SEEDREAM}/predictions", json=body)
        assert (status, said["title"]) == (422, "Input validation failed")
        assert headers["Content-Type"].startswith("application/problem+json")
        assert [each["field"] for each in said["invalid_fields"]] == ["input.size", "input.smile"]
        for wrong, field in (
            ({"inputs": {}}, "inputs"),
            ({"input": []}, None),
            ({"input": "a seal"}, "input"),
            ({"webhook": "http://10.0.0.1/x"}, "webhook"),
            ({"webhook": 5}, "webhook"),
            ({"webhook_events_filter": ["done"]}, "webhook_events_filter"),
        ):
            asked = {"input": {"prompt": "a seal"}, **wrong} if field else wrong
            status, _, said = await at.ask("POST", f"/v1/models/{SEEDREAM}/predictions", json=asked)
            assert status == 422
            assert field is None or said["error"]["param"] == field
        for written in ("1", "4s", "25h", "soon"):
            asked = {"input": {"prompt": "a seal"}}
            status, _, said = await at.ask(
                "POST", f"/v1/models/{SEEDREAM}/predictions", json=asked, headers={"Cancel-After": written}
            )
            assert (status, said["error"]["param"]) == (422, "Cancel-After")
        assert count(at, "generation") == 0


async def test_who_gave_up_waiting_and_asks_again_is_given_the_same(tmp_path: Path) -> None:
    """However often the line is lost while it runs, there is one prediction, which is paid once; then the next is a new one."""
    body = {"input": {"prompt": "a seal"}}
    async with house(tmp_path, image=1.5) as at:
        url = f"{at.running.origin}/v1/models/{SEEDREAM}/predictions"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.4)) as hasty:
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await hasty.post(url, json=body, headers={"Prefer": "wait"})
        async with at.client.post(url, json=body, headers={"Prefer": "wait=30"}) as last:
            said = await last.json()
            assert (last.headers["X-Tidegate-Coalesced"], last.headers["Preference-Applied"]) == ("true", "wait=30")
        assert (said["status"], count(at, "generation"), len(at.sims.jobs())) == ("succeeded", 1, 1)
        assert await at.balance() == pytest.approx(99.96)
        async with at.client.post(url, json=body) as new:
            assert (await new.json())["id"] != said["id"]


async def test_a_cancelled_prediction_stays_so(tmp_path: Path) -> None:
    """It is canceled at once, its credits are back, and stopping it again does no harm."""
    async with asking(tmp_path, video=30) as (at, made):
        begun = await made.models.predictions.async_create(VEO, {"prompt": "a seal"})
        stopped = await made.predictions.async_cancel(begun.id)
        assert (stopped.status, stopped.error) == ("canceled", None)
        assert (await made.predictions.async_cancel(begun.id)).status == "canceled"
        assert await at.balance() == 100


async def test_cancel_after_bounds_the_whole(tmp_path: Path) -> None:
    """What is not done in the time the client gives is canceled, in that API's word, and its credits are back."""
    async with house(tmp_path, video=60) as at:
        body = {"input": {"prompt": "a seal"}}
        status, _, begun = await at.ask(
            "POST", f"/v1/models/{VEO}/predictions", json=body, headers={"Cancel-After": "5s"}
        )
        assert status == 201
        began = time.monotonic()
        said = await at.end(begun["id"])
        assert said["generation_status"] == "failed"
        assert time.monotonic() - began < 9
        _, _, ended = await at.ask("GET", f"/v1/predictions/{begun['id']}")
        assert (ended["status"], ended["deadline"] <= ended["completed_at"]) == ("canceled", True)


async def test_the_list_goes_on_where_it_says(tmp_path: Path) -> None:
    """Newest first, between two times, with an address for what follows."""
    async with asking(tmp_path) as (at, made):
        for number in range(3):
            await made.models.predictions.async_create(SEEDREAM, {"prompt": f"seal {number}"}, wait=True)
        _, _, page = await at.ask("GET", "/v1/predictions")
        assert [each["input"]["prompt"] for each in page["results"]] == ["seal 2", "seal 1", "seal 0"]
        assert (page["next"], page["previous"]) == (None, None)
        middle = page["results"][1]["created_at"]
        _, _, later = await at.ask("GET", "/v1/predictions", params={"created_after": middle})
        assert len(later["results"]) == 2
        _, _, earlier = await at.ask("GET", "/v1/predictions", params={"created_before": middle})
        assert len(earlier["results"]) == 1
        status, _, said = await at.ask("GET", "/v1/predictions", params={"created_after": "yesterday"})
        assert (status, said["error"]["param"]) == (422, "created_after")


async def test_a_large_picture_arrives_whole(tmp_path: Path) -> None:
    """In the answer itself, piece by piece: to the byte what is kept."""
    async with asking(tmp_path) as (at, made):
        [picture] = await made.async_run(SEEDREAM, input={"prompt": "a seal", "size": "4K"})
        data = await picture.aread()
        assert len(data) > 200_000
        digest = hashlib.sha256(data).hexdigest()
        assert count(at, "artifact", f"sha256 = '{digest}' AND bytes = {len(data)}") == 1


async def test_a_prediction_of_another_account_is_not_there(tmp_path: Path) -> None:
    """What does not exist is a problem with a detail, and never a page of text."""
    async with asking(tmp_path) as (_, made):
        for call in (made.predictions.async_get("nope"), made.predictions.async_cancel("no%20pe")):
            with pytest.raises(ReplicateError) as refused:
                await call
            assert (refused.value.status, bool(refused.value.detail)) == (404, True)


async def test_deployments_and_accounts_answer(tmp_path: Path) -> None:
    """A deployment is the model of its name; the account is whose key it is."""
    async with asking(tmp_path) as (_, made):
        deployment = await made.deployments.async_get(SEEDREAM)
        begun = await deployment.predictions.async_create({"prompt": "a seal"}, wait=True)
        assert begun.status == "succeeded"
        assert (await made.accounts.async_current()).username == "local"
        assert SEEDREAM in {each.id for each in (await _replicate_models(made)).results}


async def _replicate_models(made: replicate.Client) -> Any:
    """The list of models under the door's own prefix: at the root it is another API's."""
    return await made.models.async_list("/replicate/v1/models")
