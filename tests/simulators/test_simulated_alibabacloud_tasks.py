"""Model Studio's tasks as they are played: films and pictures that are begun, polled, listed and cancelled."""

import dataclasses

import pytest

from gateway.simulators.alibabacloud_images import FROM_IMAGE, FROM_TEXT, IMAGES, MESSAGES_ASYNC
from gateway.simulators.alibabacloud_videos import FRAMES, VIDEOS

SERVICES = "/services/aigc/"
ASYNC = {"X_DashScope_Async": "enable"}
PICTURE = "https://example.com/a.png"
WAVES = {"model": "wan2.7-t2v", "input": {"prompt": "waves"}, "parameters": {"resolution": "720P", "duration": 5}}


@pytest.fixture
def studio(ark, sims):
    """The vendor with its key."""
    key = {"Authorization": f"Bearer {sims.secrets['DASHSCOPE_API_KEY']}"}
    return dataclasses.replace(ark, base=sims.bases["alibabacloud"] + "/api/v1", key=key)


async def begin(studio, body=WAVES, route=None):
    path = SERVICES + (route or (VIDEOS[body["model"]].route if body["model"] in VIDEOS else FROM_TEXT))
    said = await studio.call("POST", path, body, **ASYNC)
    assert (said.status, said.body["output"]["task_status"]) == (200, "PENDING"), said.body
    return f"/tasks/{said.body['output']['task_id']}"


async def end(studio, hand, body=WAVES, route=None):
    """Begin a task and return what is said of it at its end."""
    task = await begin(studio, body, route)
    hand.wind(2)
    return (await studio.call("GET", task)).body


def media(*kinds):
    return [{"type": kind, "url": PICTURE} for kind in kinds]


def smallest(name):
    """Return the least a film model takes."""
    given = {
        "prompt": "x",
        "img_url": PICTURE,
        "first_frame_url": PICTURE,
        "image_url": PICTURE,
        "video_url": PICTURE,
        "reference_urls": [PICTURE],
    }
    row = VIDEOS[name]
    body = {key: value for key, value in given.items() if key in row.input}
    kinds = [kind for kind, (least, _) in row.media.items() if least]
    if name.startswith(("wan2.7-i2v", "wan2.7-r2v")):
        kinds = [next(iter(row.media))]
    return {"model": name, "input": {**body, **({"media": media(*kinds)} if kinds else {})}}


@pytest.mark.parametrize("name", VIDEOS)
async def test_every_film_model_is_served(studio, hand, name):
    """Each model makes a film from the least it needs, and its address stands where that model puts it."""
    said = await end(studio, hand, smallest(name))
    output = said["output"]
    assert output["task_status"] == "SUCCEEDED", output
    link = output.get("video_url") or output["results"]["video_url"]
    assert ((await studio.call("GET", link)).headers["Content-Type"], said["usage"]["video_count"]) == ("video/mp4", 1)


@pytest.mark.parametrize(
    ("name", "route"),
    [(name, route) for name, row in IMAGES.items() for route in row.routes if route in (FROM_TEXT, FROM_IMAGE)],
)
async def test_every_older_picture_model_is_served(studio, hand, name, route):
    """Each model that takes a plain prompt makes its pictures, four of them if nobody says how many."""
    given = {"prompt": "fox", "images": [PICTURE], "base_image_url": PICTURE}
    given = {key: value for key, value in given.items() if key == "prompt" or key in IMAGES[name].input}
    said = await end(studio, hand, {"model": name, "input": given}, route)
    assert len(said["output"]["results"]) == said["usage"]["image_count"] == IMAGES[name].count


async def test_a_task_is_told_with_its_times_and_its_count(studio, hand, sims):
    """A task waits, runs and succeeds; its times are eight hours ahead of UTC."""
    task = await begin(studio)
    seen = [(await studio.call("GET", task)).body]
    for _ in range(2):
        hand.wind(1)
        seen.append((await studio.call("GET", task)).body)
    outputs = [one["output"] for one in seen]
    assert [one["task_status"] for one in outputs] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert outputs[2]["submit_time"] == "2026-05-29 04:26:40.000"
    assert ("scheduled_time" in outputs[0], "end_time" in outputs[1]) == (False, False)
    assert outputs[2]["actual_prompt"].startswith(outputs[2]["orig_prompt"])
    assert seen[2]["usage"] == {
        "video_count": 1,
        "duration": 5,
        "output_video_duration": 5,
        "input_video_duration": 0,
        "SR": 720,
        "ratio": "16:9",
        "fps": 30,
    }
    assert sims.jobs()[0].billed


async def test_pictures_of_a_task_come_as_messages(studio, hand):
    """The newer picture models answer a task in the shape they answer one who waits."""
    messages = [{"role": "user", "content": [{"text": "fox"}]}]
    body = {"model": "wan2.7-image", "input": {"messages": messages}, "parameters": {"n": 2}}
    said = await end(studio, hand, body, MESSAGES_ASYNC)
    assert (len(said["output"]["choices"]), said["usage"]["image_count"]) == (2, 2)


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (
            {"model": "wan2.7-videoedit", "input": {"media": media("video")}},
            {"duration": 10, "input_video_duration": 5, "SR": 1080},
        ),
        (
            {"model": "wan2.6-t2v", "input": {"prompt": "x"}, "parameters": {"size": "960*960"}},
            {"SR": 720, "size": "960*960"},
        ),
        (
            {"model": "wan2.2-kf2v-flash", "input": {"first_frame_url": PICTURE}},
            {"video_duration": 5, "size": "1280*720"},
        ),
    ],
)
async def test_usage_is_counted_by_family(studio, hand, body, usage):
    """What was shown counts too, and older models have other keys."""
    assert usage.items() <= (await end(studio, hand, body))["usage"].items()


@pytest.mark.parametrize(
    ("model", "given", "parameters"),
    [
        ("wan2.7-t2v", {}, {}),
        ("wan2.7-t2v", {"prompt": "x"}, {"duration": "5"}),
        ("wan2.7-t2v", {"prompt": "x"}, {"resolution": "720p"}),
        ("wan2.7-t2v", {"prompt": "x"}, {"size": "1280*720"}),
        ("wan2.7-i2v", {"img_url": PICTURE}, {}),
        ("wan2.7-i2v", {"media": media("last_frame")}, {}),
        ("wan2.7-i2v", {"media": media("first_clip", "first_frame")}, {}),
        ("wan2.7-i2v", {"media": media("first_frame")}, {"ratio": "16:9"}),
        ("wan2.7-r2v", {"prompt": "x", "media": media("reference_video")}, {"duration": 11}),
        ("wan2.7-r2v", {"prompt": "x", "media": media(*["reference_image"] * 3, *["reference_video"] * 3)}, {}),
        ("wan3.0-video", {"prompt": "x", "media": media("first_frame", "reference_image")}, {}),
        ("wan3.0-video", {"prompt": "x", "media": media("file", "link")}, {}),
        ("wan2.5-t2v-preview", {"prompt": "x"}, {"duration": 8}),
        ("wan2.5-i2v-preview", {"media": media("first_frame")}, {}),
        ("wan2.6-t2v", {"prompt": "x"}, {"resolution": "720P"}),
        ("happyhorse-1.0-t2v", {"prompt": "x", "negative_prompt": "y"}, {}),
        ("happyhorse-1.0-t2v", {"prompt": "x"}, {"resolution": "480P"}),
        ("happyhorse-1.0-r2v", {"prompt": "x", "media": media(*["reference_image"] * 10)}, {}),
        ("wan2.2-animate-mix", {"image_url": "data:image/png;base64,aGk=", "video_url": PICTURE}, {}),
    ],
)
async def test_what_is_wrong_in_a_task_shows_when_it_fails(studio, hand, sims, model, given, parameters):
    """A task is taken whatever its fields hold, and fails with the code one who waits would have got."""
    said = await end(studio, hand, {"model": model, "input": given, "parameters": parameters})
    assert (said["output"]["task_status"], "usage" in said) == ("FAILED", False)
    assert said["output"]["code"] in ("InvalidParameter", "InvalidURL")
    assert [job.billed for job in sims.jobs()] == [False]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("video-generation/video-synthesis", {"model": "wan9", "input": {}}, 404, "ModelNotFound"),
        ("video-generation/video-synthesis", {"model": "wan2.7-t2v"}, 400, "BadRequest.EmptyInput"),
        (FRAMES, WAVES, 400, "InvalidParameter"),
    ],
)
async def test_no_task_is_taken_without_model_path_and_input(studio, sims, path, body, status, code):
    """The model, its path and an input are looked at before anything is begun."""
    said = await studio.call("POST", SERVICES + path, body, **ASYNC)
    assert (said.status, said.body["code"], sims.jobs()) == (status, code, [])


async def test_only_a_waiting_task_can_be_cancelled(studio, hand, sims):
    """A task that waits is cancelled; one that runs, is over or is not known is refused."""
    gone, runs = await begin(studio), await begin(studio)
    said = await studio.call("POST", gone + "/cancel")
    assert (said.status, set(said.body)) == (200, {"request_id"})
    assert (await studio.call("GET", gone)).body["output"]["task_status"] == "CANCELED"
    hand.wind(1)
    for task in (gone, runs, "/tasks/nothing"):
        said = await studio.call("POST", task + "/cancel")
        assert (said.status, said.body["code"]) == (400, "UnsupportedOperation")
    hand.wind(1)
    assert [job.billed for job in sims.jobs()] == [False, True]


async def test_a_task_is_forgotten_after_a_day(studio, hand):
    """An unknown task is no error: it is in the state UNKNOWN, and so is one older than a day."""
    task = await begin(studio)
    for path in ("/tasks/nothing", task):
        hand.wind(86_401)
        said = await studio.call("GET", path)
        assert (said.status, said.body["output"]["task_status"]) == (200, "UNKNOWN")


async def test_a_task_without_a_result_is_given_up_after_three_hours(studio, hand, sims):
    """A task that never ends fails by itself in the end."""
    sims.set_chaos([{"do": "never_end"}])
    task = await begin(studio)
    hand.wind(3 * 3600 - 1)
    assert (await studio.call("GET", task)).body["output"]["task_status"] == "RUNNING"
    hand.wind(1)
    output = (await studio.call("GET", task)).body["output"]
    assert (output["task_status"], output["code"]) == ("FAILED", "InternalError.Timeout")


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"do": "fail"}, "FAILED", "InternalError"),
        ({"do": "refuse_content"}, "FAILED", "DataInspectionFailed"),
        ({"do": "fail", "code": "BadRequest.InputDownloadFailed"}, "FAILED", "BadRequest.InputDownloadFailed"),
        ({"do": "no_output"}, "SUCCEEDED", None),
        ({"do": "cancel_ignored"}, "SUCCEEDED", None),
        ({"do": "unknown_status", "seconds": 9}, "QUEUEING", None),
    ],
)
async def test_a_task_may_end_otherwise(studio, hand, sims, rule, status, code):
    """A failed task carries its code in a record that is answered with 200."""
    sims.set_chaos([rule])
    task = await begin(studio)
    if rule["do"] == "cancel_ignored":
        assert (await studio.call("POST", task + "/cancel")).status == 200
    hand.wind(2)
    said = await studio.call("GET", task)
    assert (said.status, said.body["output"]["task_status"], said.body["output"].get("code")) == (200, status, code)


async def test_one_picture_of_several_may_be_withheld(studio, hand, sims):
    """A task succeeds with what could be shown; a withheld picture has a code in place of an address."""
    sims.set_chaos([{"do": "refuse_content", "code": "partial"}])
    body = {"model": "wan2.5-t2i-preview", "input": {"prompt": "fox"}, "parameters": {"n": 3}}
    said = await end(studio, hand, body)
    output = said["output"]
    assert (output["task_status"], output["task_metrics"]) == ("SUCCEEDED", {"TOTAL": 3, "SUCCEEDED": 2, "FAILED": 1})
    assert [item.get("code") for item in output["results"]] == [None, None, "DataInspectionFailed"]
    assert said["usage"]["image_count"] == 2


async def test_tasks_are_listed_by_time_model_and_state(studio, hand):
    """The list holds the tasks of a day at most, newest first, each with the id of the call that began it."""
    first = await begin(studio)
    hand.wind(60)
    other = await begin(studio, {"model": "wan2.6-t2v", "input": {"prompt": "x"}})
    page = (await studio.call("GET", "/tasks/?page_no=1&page_size=1")).body
    assert (page["total"], page["total_page"], len(page["data"])) == (2, 2, 1)
    assert page["data"][0]["task_id"] == other.removeprefix("/tasks/")
    window = "start_time=20260529042640&end_time=20260529042640"
    rows = (await studio.call("GET", f"/tasks?{window}")).body["data"]
    assert [(row["task_id"], row["gmt_create"]) for row in rows] == [(first[7:], 1_780_000_000_000)]
    rows = (await studio.call("GET", "/tasks/?model_name=wan2.6-t2v&status=PENDING")).body["data"]
    assert [row["task_id"] for row in rows] == [other[7:]]
    for query in ("start_time=20260101000000", "start_time=x", "page_no=0"):
        assert (await studio.call("GET", f"/tasks?{query}")).status == 400


async def test_a_file_that_was_put_there_serves_one_model_for_two_days(studio, hand):
    """An upload's address needs a header, belongs to one model, and dies after 48 hours."""
    policy = (await studio.call("GET", "/uploads?action=getPolicy&model=qwen-image-2.0")).body["data"]
    assert (await studio.call("POST", policy["upload_host"], b"file")).status == 403
    link = f"oss://{policy['upload_dir']}/a.png"
    resolve = {"X_DashScope_OssResourceResolve": "enable"}

    async def use(model, **headers):
        content = [{"image": link}, {"text": "x"}]
        body = {"model": model, "input": {"messages": [{"role": "user", "content": content}]}}
        return (await studio.call("POST", SERVICES + "multimodal-generation/generation", body, **headers)).status

    assert [await use("qwen-image-2.0", **resolve), await use("qwen-image-2.0")] == [200, 400]
    assert await use("qwen-image-3.0", **resolve) == 400
    hand.wind(48 * 3600 + 1)
    assert await use("qwen-image-2.0", **resolve) == 400
