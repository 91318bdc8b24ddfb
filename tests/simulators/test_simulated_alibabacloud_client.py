"""Model Studio's own client library, run against the simulators."""

import asyncio
import json
import os
import sys

from gateway.simulators import Simulators

STORY = """
import json, os, dashscope
from dashscope.v2.errors import DashScopeError
from dashscope.aigc.multimodal_conversation import MultiModalConversation
base = os.environ["DASHSCOPE_BASE_URL"]
dashscope.base_http_api_url = base
told = {}
client = dashscope.Client(base_url=base, max_retries=0)
fast = {"poll_interval": 0.02, "max_interval": 0.05}
made = client.images.generate(model="wan2.6-t2i", prompt="fox", n=2, size="1280x1280")
told["waited"] = len(made.image_urls)
made = client.images.generate(model="wan2.5-t2i-preview", prompt="fox", n=2, **fast)
told["task"] = [made.status, len(made.image_urls)]
film = client.videos.generate(model="wan2.7-i2v", image_url="https://example.com/a.png", prompt="pan", **fast)
told["film"] = [film.status, film.video_url.split("?")[0][-4:]]
with open("a.png", "wb") as file:
    file.write(b"picture")
shown = client.images.generate(model="wan2.6-image", prompt="fox", n=1, image_urls=["a.png"])
told["uploaded"] = len(shown.image_urls)
gone = client.videos.jobs.create(model="wan2.7-t2v", prompt="waves")
client.videos.jobs.cancel(gone.task_id)
told["gone"] = client.videos.jobs.fetch(gone.task_id).status
told["unknown"] = client.videos.jobs.fetch("nothing").status
told["listed"] = client.videos.jobs.list(model_name="wan2.7-t2v").total
try:
    client.videos.generate(model="wan2.7-t2v", prompt="waves", parameters={"duration": 99}, **fast)
except DashScopeError as exc:
    told["failed"] = str(exc)
message = [{"role": "user", "content": [{"text": "fox"}]}]
old = MultiModalConversation.call(model="qwen-image-2.0-pro", messages=message, n=2, size="1536*1024")
told["older"] = [old.status_code, len(old.output.choices[0].message.content)]
old = MultiModalConversation.call(model="qwen-image", messages=message, size="1*1")
told["refused"] = [old.status_code, old.code]
print(json.dumps(told))
"""


async def test_the_vendors_client_tells_the_same_story(tmp_path):
    """The vendor's client, old style and new, waits, polls, cancels, lists and fails, as its own process."""
    simulators = Simulators(image_seconds=0.02, video_seconds=0.4)
    await simulators.start()
    names = {"DASHSCOPE_BASE_URL": simulators.bases["alibabacloud"] + "/api/v1", "HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        STORY,
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env={**os.environ, **simulators.secrets, **names},
    )
    said, _ = await process.communicate()
    await simulators.close()
    told = json.loads(said)
    assert "parameters.duration" in told.pop("failed")
    assert told == {
        "waited": 2,
        "task": ["SUCCEEDED", 2],
        "film": ["SUCCEEDED", ".mp4"],
        "uploaded": 1,
        "gone": "CANCELED",
        "unknown": "UNKNOWN",
        "listed": 1,
        "older": [200, 2],
        "refused": [400, "InvalidParameter"],
    }
