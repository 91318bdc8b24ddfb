"""Canaries: values that must never be seen again, planted in a whole gateway, and a search through all it left behind.

Run alone: `python -m tests.harness.canary`. A gateway in a process of its own logs all it can, and is told of providers' keys, by
variable and by file, of a secret for webhooks, of callers' keys and of a prompt. It serves, fails over, is failed by a provider
that repeats whatever it was sent, tells a receiver, is asked for everything an operator may ask for and for much that nobody may,
is killed at work, and starts again. Then every file, answer, event, output of a command and command line is searched. It prints
its figures and exits 1 when anything is found where it does not belong.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.gateway.webhooks.receiver import receiving
from tests.harness.echo import echo
from tests.harness.process import Gateway, far_ends, free_port
from tests.harness.spellings import Watch, files, keys_in

_IMAGE = "bytedance/seedream-4.5"
_FILM = "bytedance/seedance-1-pro"
_PROMPT = "canary-prompt-Zq81 a lighthouse nobody may hear of"
_QUERY, _PASSWORD = "canary-query-4417", "canary-password-9921"
_HOOK = "whsec_" + base64.b64encode(b"canary-webhook-secret-00").decode()
_PLANTED = {
    "provider key": "canary-ark-7Hq0/Zt+55xQ==",
    "provider key by file": "canary-bfl-Jd83kQm1Wz0p",
    "webhook secret": _HOOK,
    "prompt": _PROMPT,
    "query of an input": _QUERY,
    "password in an address": _PASSWORD,
}
_INPUT = f"https://pictures.example/a.png?sig={_QUERY}"
_BAD_INPUT = f"https://user:{_PASSWORD}@pictures.example/a.png"
_ASKED = {"generation_prompt": _PROMPT, "generation_ratio": "16:9"}
# Whoever sent them may read them back in a record, and the store has them until they are deleted.
_CALLERS_OWN = frozenset({"prompt", "query of an input", "password in an address"})
_OWN_PLACES = (
    "store",
    "answer",
    "output of explain",
    "file outputs",
)  # the played vendors write the prompt into the picture
_ONCE = ("output of keys", "answer of keys.create", "answer of webhooks.create")


@dataclass
class Left:
    """Everything that was said, by where; and what was found where it does not belong."""

    said: list[tuple[str, bytes]] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    lines: int = 0
    planted: dict[str, str | bytes] = field(default_factory=dict)

    def add(self, where: str, text: str | bytes) -> None:
        """Keep something for the search."""
        self.said.append((where, text.encode() if isinstance(text, str) else text))

    def search(self) -> None:
        """Look for everything that was planted, and for whole API keys, and say where they do not belong."""
        watch = Watch(self.planted)
        for where, data in self.said:
            for name in watch.seen(data):
                own = name in _CALLERS_OWN and where.startswith(_OWN_PLACES)
                if not own and not (name == "secret of a hook" and where.startswith(_ONCE)):
                    self.found.append(f"{name} in {where}")
            if keys_in(data) and not where.startswith(_ONCE):
                self.found.append(f"API key in {where}")

    def line(self) -> str:
        """The figures."""
        size = sum(len(data) for _, data in self.said)
        places = len({where for where, _ in self.said})
        return (
            f"places={places} bytes={size} log_lines={self.lines} planted={len(self.planted)} found={len(self.found)}"
        )


@dataclass
class Scene:
    """A gateway, its policy, and a client that keeps every answer."""

    gateway: Gateway
    apart: str
    config: Path
    client: aiohttp.ClientSession
    left: Left
    key: str = ""

    async def command(self, *words: str) -> str:
        """Run a command of the gateway's beside it, and keep what it says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *words, "-c", str(self.config),
            env=self.gateway.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        self.left.add(f"output of {words[0]}", out)
        self.left.add(f"errors of {words[0]}", err)
        return out.decode()

    async def ask(self, method: str, path: str, *, name: str = "", key: str | None = None, **more: Any) -> Any:
        """Send a request and keep the whole answer."""
        headers = {"Authorization": f"Bearer {key or self.key}", **more.pop("headers", {})}
        where = f"answer of {name or path.partition('?')[0]}"
        origin = self.apart if name == "apart" else self.gateway.origin
        async with self.client.request(method, origin + path, headers=headers, **more) as answer:
            body = await answer.read()
            self.left.add(where, repr(sorted(answer.headers.items())) + body.decode("utf-8", "replace"))
            return json.loads(body) if answer.content_type == "application/json" and body else None

    async def create(self, kind: str = "image", model: str = _IMAGE, tag: str = "all", **fields: Any) -> str:
        """Begin a generation; its id."""
        path = f"/v1/generate/{kind}/{model}"
        said = await self.ask("POST", path, name="generate", json={**_ASKED, **fields}, headers={"X-Tidegate-Tag": tag})
        return str(said["data"]["generation_id"])

    async def ended(self, generation: str) -> Mapping[str, Any]:
        """Read a record until it has ended."""
        for _ in range(300):
            said = await self.ask("GET", f"/v1/content/{generation}", name="content")
            record: Mapping[str, Any] = said["data"]
            if record["generation_status"] not in {"pending", "processing"}:
                return record
            await asyncio.sleep(0.1)
        raise AssertionError(f"{generation} did not end")


async def run(folder: Path, *, whole: bool = True) -> Left:
    """Play the story in a folder, with all of the operator's commands or with none, and search what is left."""
    left = Left()
    async with AsyncExitStack() as stack:
        _origin, bases, secrets = await stack.enter_async_context(far_ends([], 1, "image=0.1,video=3"))
        repeats = await echo(stack)
        receiver = await stack.enter_async_context(receiving())
        client = await stack.enter_async_context(aiohttp.ClientSession())
        (folder / "bfl").write_text(_PLANTED["provider key by file"] + "\n")
        port, apart = free_port(), free_port()
        bases = {**bases, "byteplus": repeats, "bfl": repeats}
        keys = {name: value for name, value in secrets.items() if name not in {"ARK_API_KEY", "BFL_API_KEY"}}
        environ = {
            **keys,
            "ARK_API_KEY": _PLANTED["provider key"],
            "BFL_API_KEY_FILE": str(folder / "bfl"),
            "HOOK": _HOOK,
        }
        gateway = Gateway(folder, _policy(folder, bases, port, apart, receiver.origin), environ, port)
        scene = Scene(gateway, f"http://127.0.0.1:{apart}", folder / "config.yaml", client, left)
        scene.key = (await scene.command("keys", "create", "canary")).strip()
        operator = (await scene.command("keys", "create", "operator", "--scopes", "admin")).strip()
        await scene.command("credits", "add", "100")
        await gateway.start()
        stack.push_async_callback(gateway.kill)
        _command_lines(left, gateway.pid)
        await _served(scene)
        await _operated(scene, operator, receiver.origin)
        if whole:
            await _commanded(scene)
        await _abused(scene, operator)
        await _killed(scene)
        await gateway.stop()
        for got in receiver.got:
            left.add("event", repr(got.headers) + got.body.decode())
        left.planted |= _PLANTED | {f"key of {name}": value for name, value in keys.items()}
        left.planted["own secret"] = (folder / "gateway.db.secret").read_bytes()
        _files(left, folder)
        left.search()
    return left


async def _served(scene: Scene) -> None:
    """What callers do: a failover, a failure told in the provider's words, an input, a film, reads, and a deletion."""
    good = await scene.create(generation_provider_order="byteplus, replicate, fal")
    record = await scene.ended(good)
    assert record["generation_status"] == "succeeded", record
    for link in record["generation_output_file"]:
        await scene.ask("GET", link.removeprefix(scene.gateway.origin), name="output")
    bad = await scene.ended(await scene.create(tag="echo"))
    assert bad["generation_status"] == "failed", bad
    assert "provider" in json.dumps(bad["generation_attempts"]), bad
    await scene.ended(await scene.create(generation_input_file=[_INPUT]))
    for path in ("/v1/content/list", "/v1/usage", "/v1/status", f"/v1/estimate/{_IMAGE}", "/v1/library/models"):
        await scene.ask("GET", path)
    await scene.ask("DELETE", f"/v1/content/{good}", name="delete")


async def _operated(scene: Scene, operator: str, receiver: str) -> None:
    """What the operator looks at and changes."""
    asked = {"account": "default", "url": f"{receiver}/made"}
    made = await scene.ask("POST", "/admin/v1/webhooks/create", name="webhooks.create", key=operator, json=asked)
    [scene.left.planted["secret of a hook"]] = [
        value for name, value in made["data"].items() if name.endswith("secret")
    ]
    for name, body in (
        ("keys.list", {}),
        ("keys.create", {"account": "default", "name": "more"}),
        ("accounts.list", {}),
        ("webhooks.list", {}),
        ("audit.list", {}),
        ("doctor", {}),
    ):
        await scene.ask("POST", f"/admin/v1/{name.replace('.', '/')}", name=name, key=operator, json=body)
    for path in ("/metrics", "/readyz?verbose", "/livez"):
        await scene.ask("GET", path, name="apart")


async def _commanded(scene: Scene) -> None:
    """What the operator types beside a gateway that runs."""
    said = await scene.ask("GET", "/v1/content/list", name="list")
    for each in said["data"]["generations"]:
        await scene.command("explain", "--generation", str(each["generation_id"]))
    await scene.command("explain", _IMAGE, f"prompt={_PROMPT}")
    words = (("doctor",), ("doctor", "--json"), ("check",), ("audit",), ("webhooks", "list"), ("credits", "show"))
    await asyncio.gather(*(scene.command(*each) for each in words))


async def _abused(scene: Scene, operator: str) -> None:
    """Requests that put keys, prompts and secrets where they do not belong, and requests that make no sense."""
    key, ark = scene.key, _PLANTED["provider key"]
    await scene.ask("GET", f"/v1/status?key={key}&api_key={key}", name="key in the query")
    await scene.ask("GET", f"/v1/{key}/{ark}", name="key in the path")
    await scene.ask("GET", f"/v1/content/{key}", name="key as an id")
    for headers in ({"X-Api-Key": key}, {"Authorization": f"Basic {key}"}, {"Cookie": f"key={key}"}):
        await scene.ask("GET", "/v1/status", name="key elsewhere", headers=headers)
    path = f"/v1/generate/image/{_IMAGE}"
    for body in (
        {**_ASKED, key: 1},
        {**_ASKED, "generation_ratio": key},
        {**_ASKED, "generation_provider_order": key},
        {**_ASKED, "generation_input_file": [_BAD_INPUT]},
        {**_ASKED, "generation_input_file": [f"http://127.0.0.1/{_QUERY}"]},
        {"generation_prompt": [_PROMPT]},
        _PROMPT,
        [_PROMPT] * 9,
    ):
        await scene.ask("POST", path, name="generate", json=body)
    for data in (
        b"\xff" + _PROMPT.encode(),
        f'{{"generation_prompt": "{_PROMPT}'.encode(),
        b"{" * 300 + _PROMPT.encode(),
    ):
        headers = {"Content-Type": "application/json"}
        await scene.ask("POST", path, name="generate", data=data, headers=headers)
    await scene.ask("POST", f"/v1/generate/image/{key}/{key}", name="key as a model", json=_ASKED)
    await scene.ask("POST", path, name="generate", json=_ASKED, headers={"Idempotency-Key": f"{key} "})
    await scene.ask("POST", f"/admin/v1/keys/{key}", name="key as an act", key=operator, json={key: key})
    await scene.ask("POST", "/admin/v1/webhooks/create", name="hook", key=operator, json={"url": _BAD_INPUT})
    reader, writer = await asyncio.open_connection("127.0.0.1", int(scene.gateway.origin.rpartition(":")[2]))
    writer.write(f"GET /v1/status HTTP/1.1\r\nAuthorization : Bearer {key}\r\nHost: a\r\nHost: b\r\n\r\n".encode())
    scene.left.add("answer to what is no HTTP", await reader.read())
    writer.close()


async def _killed(scene: Scene) -> None:
    """End in the middle of the work, and go on with it."""
    waiting = [await scene.create("video", _FILM, generation_duration=5), await scene.create()]
    await scene.gateway.kill()
    await scene.gateway.start()
    await asyncio.gather(*(scene.ended(each) for each in waiting))


def _command_lines(left: Left, *ours: int) -> None:
    for pid in ours:
        left.add("command line", Path(f"/proc/{pid}/cmdline").read_bytes())


def _files(left: Left, folder: Path) -> None:
    """Every file there is, but for the one that holds the provider's key and the one that holds the gateway's own secret."""
    for path, data in files(folder):
        name = path.relative_to(folder).as_posix()
        if name in {"bfl", "gateway.db.secret"}:
            assert path.name == "bfl" or path.stat().st_mode & 0o077 == 0
            continue
        place = "log" if name == "gateway.log" else "store" if name.startswith("gateway.db") else "file"
        left.add(f"{place} {name}", data)
        left.lines += data.count(b"\n") if place == "log" else 0


def _policy(folder: Path, bases: Mapping[str, str], port: int, apart: int, receiver: str) -> str:
    providers = "".join(f"  {name}: {{base: '{base}'}}\n" for name, base in bases.items())
    return (
        f"listen: 127.0.0.1:{port}\nmetrics: 127.0.0.1:{apart}\nstore: sqlite:gateway.db\n"
        f"outputs: {{store: 'file://{folder}/outputs'}}\negress: {{allow: [127.0.0.0/8]}}\nproviders:\n{providers}"
        "routes:\n  - {match: {tag: echo}, only: [byteplus, bfl]}\nlog: {format: json, level: debug}\n"
        f"webhooks:\n  - {{url: '{receiver}/hook', secret: '${{HOOK}}'}}\n"
    )


def main() -> int:
    """Play it in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="canary-") as folder:
        left = asyncio.run(run(Path(folder)))
    print(left.line())
    for each in sorted(set(left.found)):
        print(f"  {each}")
    return 1 if left.found else 0


if __name__ == "__main__":
    assert os.name == "posix"
    sys.exit(main())
