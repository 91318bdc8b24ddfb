"""BytePlus films as they are played: what a task takes, its life, the list, and what DELETE means."""

import pytest

TASKS = "/contents/generations/tasks"
SEEDANCE = "seedance-1-0-pro-250528"
SECOND = "dreamina-seedance-2-0-260128"
PNG = "https://example.com/a.png"


def text(said="waves"):
    return {"type": "text", "text": said}


def image(role=None, address=PNG):
    item = {"type": "image_url", "image_url": {"url": address}}
    return item if role is None else {**item, "role": role}


async def film(ark, **more):
    said = await ark.call("POST", TASKS, {"model": SEEDANCE, "content": [text()], **more})
    assert said.status == 200, said.body
    return said.body["id"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"duration": "5"}, "duration"),
        ({"duration": 13}, "duration"),
        ({"duration": -1}, "duration"),
        ({"resolution": "4k"}, "resolution"),
        ({"ratio": "3:2"}, "ratio"),
        ({"ratio": "adaptive"}, "ratio"),
        ({"frames": 30}, "frames"),
        ({"draft": True}, "draft"),
        ({"priority": 1}, "priority"),
        ({"seed": 2**32}, "seed"),
        ({"execution_expires_after": 60}, "execution_expires_after"),
        ({"content": []}, "content"),
        ({"content": [text(), text()]}, "content"),
        ({"content": [text(), image("last_frame")]}, "content"),
        ({"content": [text(), image("reference_image")]}, "content"),
        ({"content": [image(), image("first_frame")]}, "content"),
        ({"content": [text(), image("middle_frame")]}, "content.1.role"),
        (
            {"content": [text(), {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}]},
            "content.1.video_url.url",
        ),
    ],
)
async def test_a_wrong_film_request_is_refused_by_field(ark, sims, change, param):
    """A setting the model does not take, and content that does not go together, is a 400 that names it."""
    said = await ark.call("POST", TASKS, {"model": SEEDANCE, "content": [text()], **change})
    assert (said.status, said.body["error"]["param"]) == (400, param)
    assert sims.jobs() == []


@pytest.mark.parametrize(
    "content",
    [
        [image("first_frame"), image("reference_image")],
        [{"type": "audio_url", "audio_url": {"url": "https://example.com/a.mp3"}, "role": "reference_audio"}],
        [image("reference_image") for _ in range(10)],
    ],
)
async def test_references_keep_their_own_rules(ark, content):
    """References do not mix with frames, sound is never the only one, and there are at most nine images."""
    said = await ark.call("POST", TASKS, {"model": SECOND, "content": [text(), *content]})
    assert (said.status, said.body["error"]["param"]) == (400, "content")


async def test_references_and_assets_are_taken_where_the_model_has_them(ark):
    """Up to nine images, also of the vendor's own asset store, may be shown to a 2.0 model."""
    content = [text(), *(image("reference_image", "asset://a-1") for _ in range(9))]
    assert (
        await ark.call("POST", TASKS, {"model": SECOND, "content": content, "safety_identifier": "j1"})
    ).status == 200


async def test_a_task_goes_from_queued_to_a_film(ark, hand):
    """A task is queued, running, succeeded; its tokens follow from pixels and seconds."""
    task = (await ark.call("POST", TASKS, {"model": SECOND, "content": [text()], "ratio": "16:9", "duration": 5})).body[
        "id"
    ]
    seen = []
    for pause in (0, 1, 1):
        hand.wind(pause)
        seen.append((await ark.call("GET", f"{TASKS}/{task}")).body)
    assert [one["status"] for one in seen] == ["queued", "running", "succeeded"]
    assert seen[2]["usage"]["completion_tokens"] == 108_000
    file = await ark.call("GET", seen[2]["content"]["video_url"])
    assert (file.headers["Content-Type"], file.body[4:8]) == ("video/mp4", b"ftyp")


async def test_delete_means_another_thing_in_each_state(ark, hand):
    """DELETE cancels what is queued, is an error while running, and erases what is over."""
    queued, running, over = await film(ark), await film(ark), await film(ark)
    assert (await ark.call("DELETE", f"{TASKS}/{queued}")).body == {}
    assert (await ark.call("GET", f"{TASKS}/{queued}")).body["status"] == "cancelled"
    hand.wind(1)
    assert (await ark.call("DELETE", f"{TASKS}/{running}")).status == 409
    assert (await ark.call("GET", f"{TASKS}/{running}")).body["status"] == "running"
    hand.wind(1)
    assert (await ark.call("DELETE", f"{TASKS}/{over}")).status == 200
    assert (await ark.call("GET", f"{TASKS}/{over}")).status == 404


async def test_links_die_before_records(ark, hand):
    """A day after its end a film's link is dead, while its record lives a week."""
    task = await film(ark)
    hand.wind(2)
    link = (await ark.call("GET", f"{TASKS}/{task}")).body["content"]["video_url"]
    hand.wind(24 * 3600 + 1)
    assert (await ark.call("GET", link)).status == 404
    assert (await ark.call("GET", f"{TASKS}/{task}")).status == 200
    hand.wind(6 * 24 * 3600)
    assert (await ark.call("GET", f"{TASKS}/{task}")).status == 404


async def test_a_cancelled_record_is_gone_after_a_day(ark, hand):
    """The record of a cancelled task disappears 24 hours later."""
    task = await film(ark)
    await ark.call("DELETE", f"{TASKS}/{task}")
    hand.wind(24 * 3600 + 1)
    assert (await ark.call("GET", f"{TASKS}/{task}")).status == 404


async def test_the_list_shows_flex_tasks_only_when_asked(ark):
    """The list filters by status, model, tier and ids, newest first."""
    first, flex, last = await film(ark), await film(ark, service_tier="flex"), await film(ark)
    ids = [item["id"] for item in (await ark.call("GET", TASKS)).body["items"]]
    assert (ids, flex.startswith("cgt-batch-")) == ([last, first], True)
    asked = f"{TASKS}?filter.service_tier=flex&filter.status=queued"
    assert [item["id"] for item in (await ark.call("GET", asked)).body["items"]] == [flex]
    one = (await ark.call("GET", f"{TASKS}?filter.task_ids={first}&filter.task_ids=nobody")).body
    assert ([item["id"] for item in one["items"]], one["total"]) == ([first], 1)
    page = (await ark.call("GET", f"{TASKS}?page_num=2&page_size=1")).body
    assert ([item["id"] for item in page["items"]], page["total"]) == ([first], 2)


@pytest.mark.parametrize("query", ["page_size=0", "page_size=501", "page_num=x", "status=queued"])
async def test_the_list_refuses_what_it_does_not_know(ark, query):
    """Page numbers run from 1 to 500, and filters have a prefix."""
    assert (await ark.call("GET", f"{TASKS}?{query}")).status == 400


async def test_the_list_echoes_the_safety_identifier(ark):
    """What a caller wrote into `safety_identifier` comes back, so a lost task can be found."""
    await ark.call("POST", TASKS, {"model": SECOND, "content": [text()], "safety_identifier": "job-6f2c"})
    assert (await ark.call("GET", TASKS)).body["items"][0]["safety_identifier"] == "job-6f2c"


async def test_a_task_that_takes_too_long_expires(ark, sims, hand):
    """A task that outlives `execution_expires_after` is expired and costs nothing."""
    sims.set_chaos([{"do": "never_end"}])
    task = await film(ark, execution_expires_after=3600)
    hand.wind(3600)
    assert (await ark.call("GET", f"{TASKS}/{task}")).body["status"] == "expired"
    assert sims.jobs()[0].billed is False


async def test_a_draft_becomes_a_film(ark):
    """A draft's id may be the content of the final task, anything else may not."""
    model = "seedance-1-5-pro-251215"
    draft = (await ark.call("POST", TASKS, {"model": model, "content": [text()], "draft": True})).body["id"]
    final = {"model": model, "content": [{"type": "draft_task", "draft_task": {"id": draft}}]}
    assert (await ark.call("POST", TASKS, final)).status == 200
    final["content"][0]["draft_task"]["id"] = "cgt-other"
    assert (await ark.call("POST", TASKS, final)).status == 400
