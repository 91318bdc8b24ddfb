"""BFL's tasks as they are played: polling, ends, links that die, limits, and money."""

import pytest

FLUX_2, FILM, STILL = "/v1/flux-2-pro", "/v1/flux-3-video", "/v1/flux-3-image"
FOX, WAVES = {"prompt": "fox"}, {"mode": "t2v", "prompt": "waves"}


async def begin(bfl, path=FLUX_2, **given):
    """Begin a task and return the answer."""
    said = await bfl.call("POST", path, {**(WAVES if path == FILM else FOX), **given})
    assert said.status == 200
    return said.body


async def test_a_task_is_polled_at_the_address_it_came_with(bfl):
    """The address lies in a cluster; the common address does not know the task."""
    made = await begin(bfl, seed=7)
    said = await bfl.call("GET", made["polling_url"])
    elsewhere = await bfl.call("GET", f"/v1/get_result?id={made['id']}")
    assert set(said.body) == {"id", "status", "progress", "details", "preview", "result"}
    assert {"prompt": "fox", "seed": 7}.items() <= said.body["result"].items()
    assert (elsewhere.status, elsewhere.body["status"]) == (404, "Task not found")


async def test_with_a_callback_there_is_no_polling_address(bfl):
    """A task that was begun with a callback is polled at the common address."""
    made = await begin(bfl, webhook_url="https://example.com/hook", webhook_secret="s")
    said = await bfl.call("GET", f"/v1/get_result?id={made['id']}")
    assert ("polling_url" in made, made["status"], made["webhook_url"]) == (
        False,
        "Pending",
        "https://example.com/hook",
    )
    assert said.body["status"] == "Ready"


async def test_an_unknown_task_is_a_404_that_carries_its_status(bfl):
    """The status counts, not the HTTP; without an id the call itself is wrong."""
    for path in ("/v1/get_result?id=nobody", "/eu2/v1/get_result?id=nobody"):
        said = await bfl.call("GET", path)
        assert (said.status, said.body["status"], said.body["id"]) == (404, "Task not found", "nobody")
    assert (await bfl.call("GET", "/v1/get_result")).status == 422


async def test_a_film_goes_through_the_newer_words(bfl, hand):
    """FLUX 3 says what it is doing; with the end comes the settled price."""
    made = await begin(bfl, FILM, duration=8, resolution="fhd")
    seen = []
    for pause in (0, 0.6, 1, 1):
        hand.wind(pause)
        said = (await bfl.call("GET", made["polling_url"])).body
        seen.append(said["status"])
    assert seen == ["Pending", "Reasoning", "Generating", "Ready"]
    assert (made["cost"], said["cost"], "seed" in said["result"]) == (232, 232, False)


async def test_a_draft_leaves_its_cache(bfl, hand):
    """A draft's cache is a link of its own, from which the film can be finished."""
    made = await begin(bfl, FILM, draft=True, batch=2)
    hand.wind(2)
    result = (await bfl.call("GET", made["polling_url"])).body["result"]
    said = await bfl.call("POST", FILM, {"mode": "draft_enhance", "draft_cache": result["draft_cache"]})
    assert (made["cost"], said.status) == (60, 200)


@pytest.mark.parametrize(
    ("path", "minutes"),
    [(FLUX_2, 10), ("/v1/flux-pro-1.1", 10), (STILL, 60), (FILM, 120)],
)
async def test_links_die_after_their_time(bfl, hand, path, minutes):
    """The link of a finished file lives ten minutes to two hours by its kind, and needs no key."""
    made = await begin(bfl, path)
    hand.wind(2)
    link = (await bfl.call("GET", made["polling_url"])).body["result"]["sample"]
    bfl.key = {}
    hand.wind(minutes * 60 - 2)
    alive = (await bfl.call("GET", link)).status
    hand.wind(3)
    assert (alive, (await bfl.call("GET", link)).status) == (200, 404)


@pytest.mark.parametrize(
    ("rule", "status", "word"),
    [
        ({"do": "fail"}, 200, "Error"),
        ({"do": "fail", "code": "Failed"}, 200, "Failed"),
        ({"do": "refuse_content"}, 422, "Request Moderated"),
        ({"do": "refuse_content", "code": "Content Moderated"}, 200, "Content Moderated"),
    ],
)
async def test_a_task_ends_badly_in_the_vendors_words(bfl, sims, rule, status, word):
    """What was refused tells its reasons, and a status may come under an HTTP error."""
    sims.set_chaos([rule])
    made = await begin(bfl)
    said = await bfl.call("GET", made["polling_url"])
    reasons = {"Moderation Reasons": ["Derivative Works Filter"]} if rule["do"] == "refuse_content" else None
    assert (said.status, said.body["status"], said.body["result"], said.body["details"]) == (
        status,
        word,
        None,
        reasons,
    )
    assert sims.jobs()[0].billed is False


@pytest.mark.parametrize(
    ("rule", "status", "body"),
    [
        ({"status": 402}, 402, {"detail": "Insufficient credits. Please add credits to your account."}),
        ({"status": 401}, 403, {"detail": "Not authenticated - Invalid Authentication"}),
        ({"status": 429}, 429, {"detail": "Too many active tasks. Please wait for running tasks to finish."}),
        ({"status": 500, "code": "Oops"}, 500, {"detail": "Oops"}),
    ],
)
async def test_a_bare_status_is_worded_as_the_vendor_would(bfl, sims, rule, status, body):
    """Errors are a detail in words."""
    sims.set_chaos([{"do": "status", **rule}])
    said = await bfl.call("POST", FLUX_2, FOX)
    assert (said.status, said.body) == (status, body)


async def test_a_poll_may_carry_its_status_under_an_outage(bfl, sims):
    """A script can put any status word under any HTTP status."""
    made = await begin(bfl)
    sims.set_chaos([{"do": "status", "call": "status", "status": 503, "code": "Pending", "times": 1}])
    said = await bfl.call("GET", made["polling_url"])
    assert (said.status, said.body["status"], said.body["id"]) == (503, "Pending", made["id"])
    assert (await bfl.call("GET", made["polling_url"])).body["status"] == "Ready"


async def test_a_task_may_say_a_word_unheard_of(bfl, sims, hand):
    """The word stays for a while, by the task or by the poll."""
    sims.set_chaos([{"do": "unknown_status", "call": "status", "seconds": 3, "times": 1}])
    made = await begin(bfl, FILM)
    seen = []
    for pause in (0.1, 1, 3):
        hand.wind(pause)
        seen.append((await bfl.call("GET", made["polling_url"])).body["status"])
    assert seen == ["Warming Up", "Warming Up", "Ready"]
    assert [call.job for call in sims.log] == [made["id"]] * 4


async def test_a_ready_task_may_hold_nothing(bfl, sims):
    """A success without a file is not billed."""
    sims.set_chaos([{"do": "no_output"}])
    made = await begin(bfl)
    assert (await bfl.call("GET", made["polling_url"])).body["result"]["sample"] is None
    assert sims.jobs()[0].billed is False


@pytest.mark.parametrize(("path", "most"), [(FLUX_2, 24), ("/v1/flux-kontext-max", 6), (FILM, 5)])
async def test_only_so_many_tasks_are_active(bfl, sims, hand, path, most):
    """The limit is on active tasks, not on a rate: when one ends there is room again."""
    sims.set_chaos([{"do": "late", "seconds": 60, "times": 1}, {"do": "late", "seconds": 90}])
    for _ in range(most):
        await begin(bfl, path)
    full = await bfl.call("POST", path, WAVES if path == FILM else FOX)
    hand.wind(60)
    await begin(bfl, path)
    assert (full.status, len(sims.jobs())) == (429, most + 1)


@pytest.mark.parametrize(
    ("path", "given", "cost", "shown", "made"),
    [
        (FLUX_2, {}, 3, 0, 1),
        (FLUX_2, {"input_image": "https://example.com/a.png"}, 4.5, 1, 1),
        ("/v1/flux-2-max", {"width": 2000, "height": 2000}, 16, 0, 4),
        ("/v1/flux-2-flex", {"input_image": "https://example.com/a.png"}, 10, 1, 1),
        ("/v1/flux-dev", {}, 2.5, 0, 1),
        (STILL, {"resolution": "4k"}, 60.7, 0, 16),
    ],
)
async def test_the_answer_tells_the_cost_and_the_balance_falls(bfl, path, given, cost, shown, made):
    """Cost is in credits of a cent, and is what the balance loses."""
    before = (await bfl.call("GET", "/v1/credits")).body["credits"]
    said = await begin(bfl, path, **given)
    after = (await bfl.call("GET", "/v1/credits")).body["credits"]
    assert (said["cost"], said["input_mp"], said["output_mp"]) == (cost, shown, made)
    assert before - after == pytest.approx(cost)


async def test_a_cost_that_is_unknown_is_left_out(bfl):
    """Some paths tell no cost."""
    assert "cost" not in await begin(bfl, STILL, resolution="1.5k")
