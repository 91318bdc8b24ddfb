"""The simulators as a whole: one port, a log, a list of jobs, and a harness in another process."""

import asyncio
import json
import sys

import pytest

from gateway.simulators import Simulators

PREDICT = "/models/black-forest-labs/flux-schnell/predictions"
INPUT = {"input": {"prompt": "fox"}}


async def test_every_vendor_has_its_base_on_one_port(sims):
    """The bases are what a gateway is pointed at, all on the port that was taken."""
    origin = f"http://127.0.0.1:{sims.port}"
    assert sims.origin == origin
    assert sims.bases == {
        "byteplus": f"{origin}/byteplus/api/v3",
        "replicate": f"{origin}/replicate",
        "fal": f"{origin}/fal",
        "runway": f"{origin}/runway",
        "google": f"{origin}/google/v1beta",
        "alibabacloud": f"{origin}/alibabacloud",
        "openai": f"{origin}/openai/v1",
        "bfl": f"{origin}/bfl",
        "cloudflare": f"{origin}/cloudflare/client/v4",
    }
    assert {"ARK_API_KEY", "REPLICATE_API_TOKEN", "FAL_KEY", "RUNWAYML_API_SECRET", "DASHSCOPE_API_KEY"} <= set(
        sims.secrets
    )


async def test_the_log_tells_each_call_and_no_key(replicate, sims):
    """A call is written down with kind, job and answer; that a key was sent shows, the key does not."""
    made = (await replicate.call("POST", PREDICT, INPUT)).body
    link = (await replicate.call("GET", made["urls"]["get"])).body["output"][0]
    await replicate.call("GET", link)
    seen = sims.log
    assert [(one.n, one.call, one.status) for one in seen] == [
        (1, "submit", 201),
        (2, "status", 200),
        (3, "output", 200),
    ]
    assert {one.job for one in seen} == {made["id"]}
    assert (seen[0].body, seen[0].headers["Authorization"]) == (INPUT, "***")
    assert sims.secrets["REPLICATE_API_TOKEN"] not in repr(seen)


async def test_jobs_are_listed_by_vendor(replicate, fal, sims):
    """The list of jobs is the proof of what arrived."""
    await replicate.call("POST", PREDICT, INPUT)
    await fal.call("POST", "/fal-ai/veo3.1", {"prompt": "x"})
    assert [(job.provider, job.state) for job in sims.jobs()] == [("replicate", "succeeded"), ("fal", "queued")]
    (job,) = sims.jobs("fal")
    assert (job.model, job.body, job.created, job.billed) == (
        "fal-ai/veo3.1",
        {"prompt": "x"},
        1_780_000_000_000,
        False,
    )


async def test_links_lead_through_the_address_that_was_called(replicate):
    """A caller who came by another name or through a proxy gets links that go the same way."""
    said = await replicate.call("POST", PREDICT, INPUT, Host="proxy.example:81")
    assert said.body["urls"]["get"].startswith("http://proxy.example:81/replicate/v1/predictions/")


async def test_a_harness_reads_and_scripts_over_http(replicate, sims):
    """Log, jobs, script and reset are there for a harness in another process."""
    replicate.base = sims.origin
    assert (await replicate.call("GET", "/_simulators")).body["bases"] == sims.bases
    assert (await replicate.call("PUT", "/_simulators/chaos", [{"do": "empty"}])).status == 200
    assert (await replicate.call("POST", "/replicate/v1" + PREDICT, INPUT)).body == b""
    assert [job["provider"] for job in (await replicate.call("GET", "/_simulators/jobs")).body] == ["replicate"]
    assert (await replicate.call("GET", "/_simulators/log?since=0")).body[0]["fault"] == "empty"
    assert (await replicate.call("GET", "/_simulators/log?since=1")).body == []
    await replicate.call("POST", "/_simulators/reset")
    assert (sims.jobs(), sims.log) == ([], [])
    assert (await replicate.call("POST", "/replicate/v1" + PREDICT, INPUT)).status == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/_simulators/chaos", [{"do": "explode"}], 400),
        ("PUT", "/_simulators/chaos", b"nonsense", 400),
        ("GET", "/_simulators/log?since=x", None, 400),
        ("GET", "/_simulators/nothing", None, 404),
        ("GET", "/nobody/v1", None, 404),
        ("GET", "/", None, 404),
        ("GET", "/_files/replicate/none.png", None, 404),
        ("GET", "/_files/nobody/none.png", None, 404),
    ],
)
async def test_what_is_not_there_is_refused(replicate, sims, method, path, body, status):
    """A wrong call to the simulators themselves is an answer, never a breakdown."""
    replicate.base = sims.origin
    assert (await replicate.call(method, path, body)).status == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b"NaN",
        b'{"prompt": "\\ud800", "input": {"prompt": "\\ud800"}, "model": "seedream-4-5-251128"}',
        b'{"model": ["x"], "prompt": {}, "content": 1, "input": {"prompt": []}, "version": {}}',
        b'{"model": "seedance-1-0-pro-250528", "content": [null, 1, "x", [], {}, {"type": {}}, {"type": "text", "text": 1}]}',
        b'{"model": "seedream-4-5-251128", "prompt": "x", "size": "99999999999x1", "image": [[]], "tools": "x"}',
        b'{"input": {"prompt": "x", "aspect_ratio": {}, "num_outputs": 1e308, "output_format": ["png"]}}',
        b'{"prompt": "x", "image_size": {"width": 1e9, "height": {}}, "num_images": 99999999999, "duration": []}',
    ],
)
@pytest.mark.parametrize("vendor", ["ark", "replicate", "fal"])
async def test_no_body_breaks_a_vendor(callers, vendor, body):
    """Whatever is sent, the answer is a refusal in the vendor's words, or Fal's promise of one."""
    paths = {
        "ark": ["/images/generations", "/contents/generations/tasks"],
        "replicate": [PREDICT, "/predictions"],
        "fal": ["/fal-ai/flux/dev", "/fal-ai/veo3.1"],
    }
    for path in paths[vendor]:
        said = await callers[vendor].call("POST", path, body, Content_Type="application/json")
        assert 400 <= said.status < 500 or (vendor == "fal" and said.status == 200)


async def test_a_bad_script_leaves_the_old_one_in_place(replicate, sims):
    """A script that is refused changes nothing."""
    sims.set_chaos([{"do": "empty"}])
    with pytest.raises(ValueError, match="rule 1: do:"):
        sims.set_chaos([{"do": "explode"}])
    assert (await replicate.call("GET", "/account")).body == b""


async def test_ids_do_not_come_again_after_a_restart(session):
    """Two simulators of one seed give out different ids, as a vendor that restarts would."""
    ids = set()
    for _ in range(2):
        sims = Simulators(seed=7)
        await sims.start()
        headers = {"Authorization": f"Key {sims.secrets['FAL_KEY']}"}
        async with session.post(sims.bases["fal"] + "/fal-ai/veo3.1", json={"prompt": "x"}, headers=headers) as said:
            ids.add((await said.json())["request_id"])
        await sims.close()
    assert len(ids) == 2


async def test_the_simulators_run_as_a_process_of_their_own(tmp_path, session):
    """Started alone, they say where they listen in one line, follow the script, and stop when told."""
    script = tmp_path / "script.yaml"
    script.write_text("- {provider: fal, do: empty}\n")
    command = [sys.executable, "-m", "gateway.simulators", "--chaos", str(script), "--pace", "image=0,video=0.1"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    said = json.loads(await process.stdout.readline())
    async with session.post(said["bases"]["fal"] + "/fal-ai/veo3.1", json={}) as answer:
        assert await answer.read() == b""
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize("wrong", [["--pace", "image=fast"], ["--pace", "sound=1"], ["--chaos", "none.yaml"]])
async def test_a_wrong_command_is_refused(wrong):
    """What cannot be read is told on standard error, with exit code 2."""
    command = [sys.executable, "-m", "gateway.simulators", *wrong]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    assert (process.returncode, b"Traceback" in said) == (2, False)
    assert wrong[1].encode() in said
