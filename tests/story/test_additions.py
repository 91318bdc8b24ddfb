"""A fourth vendor and a new model are YAML alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web

from gateway import settings
from gateway.documents import Mistakes
from tests.story.house import house

PROVIDER = """
provider: acme
name: Acme
about: A vendor nobody has heard of.
website: https://acme.example
docs: https://acme.example/api
checked: 2026-11-22
rank: 50
base: https://api.acme.example/v3
auth: {X-Acme-Key: $secret.ACME_KEY}
failure: {code: oops.kind, message: oops.text}
faults: [{is: overloaded, code: [busy]}]
lifecycles:
  job:
    calls: {submit: POST /make/$model, status: GET /jobs/$id, cancel: DELETE /jobs/$id}
    keep: {id: ticket}
    state: {at: phase, queued: [waiting], running: [working], succeeded: [ready], failed: [broken]}
    outputs: "[file][].{url: @}"
    pace: {first: 50ms, every: 50ms, deadline: 1m}
"""
MODEL = """
makes: image
native: acme-one
takes: {prompt: {required: true}}
picks: {ratio: {"1:1": {w: 64, h: 64}, "16:9": {w: 128, h: 72}}}
defaults: {ratio: "1:1"}
body: {text: $prompt, shape: {w: $w, h: $h}}
price: {per: image, usd: 0.01}
"""
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)


async def acme(hits: list[dict]) -> web.AppRunner:
    """A far end of the fourth vendor, written here in a few lines: submit, two looks, a file."""
    looks: dict[str, int] = {}

    async def make(request: web.Request) -> web.Response:
        if request.headers.get("X-Acme-Key") != "acme-key":
            return web.json_response({"oops": {"kind": "who", "text": "who are you?"}}, status=401)
        hits.append({"path": request.path, "body": await request.json()})
        return web.json_response({"ticket": f"t{len(hits)}", "phase": "waiting"})

    async def look(request: web.Request) -> web.Response:
        ticket = request.match_info["id"]
        looks[ticket] = looks.get(ticket, 0) + 1
        phase = ("waiting", "working", "ready")[min(looks[ticket], 3) - 1]
        link = f"http://{request.host}/v3/files/{ticket}.png"
        return web.json_response({"ticket": ticket, "phase": phase, "file": link if phase == "ready" else None})

    async def file(_request: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="image/png")

    application = web.Application()
    application.add_routes(
        [web.post("/v3/make/{model}", make), web.get("/v3/jobs/{id}", look), web.get("/v3/files/{name}", file)]
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def write_packs(folder: Path) -> None:
    """Put the fourth vendor's files down: one for it, one for a model of its own, one for a model others have too."""
    for name, text in {
        "provider.yaml": PROVIDER,
        "acme/one.yaml": MODEL,
        "bfl/flux-schnell.yaml": MODEL.replace("acme-one", "acme-schnell"),
    }.items():
        path = folder / "acme" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


async def test_a_fourth_vendor_is_yaml_alone(tmp_path: Path) -> None:
    """A vendor and two models in a folder of their own serve at once, the shared one as a failover of the shipped ones."""
    write_packs(tmp_path / "mine")
    hits: list[dict] = []
    runner = await acme(hits)
    port = runner.addresses[0][1]
    config = f"  acme: {{base: http://127.0.0.1:{port}/v3}}\ncatalog: [providers.d, {tmp_path}/mine]\n"
    down = [{"call": "submit", "do": "status", "status": 503}]
    try:
        async with house(tmp_path, down, config=config, secrets={"ACME_KEY": "acme-key"}) as at:
            _, _, said = await at.create("image/acme/one", prompt="a seal", ratio="16:9")
            record = await at.end(said["data"]["generation_id"])
            assert (record["generation_status"], record["generation_provider_used"]) == ("succeeded", "acme"), record[
                "error"
            ]
            assert hits == [{"path": "/v3/make/acme-one", "body": {"text": "a seal", "shape": {"w": 128, "h": 72}}}]
            _, _, said = await at.create("image/bfl/flux-schnell", prompt="a seal")
            record = await at.end(said["data"]["generation_id"])
            assert record["generation_provider_used"] == "acme"
            assert await at.balance() == pytest.approx(99.98)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("file", "good", "bad", "where"),
    [
        ("provider.yaml", "phase, queued", "phase, qeued", "acme/provider.yaml:17:24"),
        ("acme/one.yaml", "$prompt", "$promt", "acme/acme/one.yaml:7:"),
        ("acme/one.yaml", "usd: 0.01", "usd: cheap", "acme/acme/one.yaml:8:"),
        ("acme/one.yaml", "native: acme-one", "native: *x", "acme/acme/one.yaml:3:"),
    ],
)
async def test_a_broken_pack_never_starts(tmp_path: Path, file: str, good: str, bad: str, where: str) -> None:
    """What is wrong is said with its file, line and column, and the gateway does not start."""
    write_packs(tmp_path / "mine")
    path = tmp_path / "mine" / "acme" / file
    path.write_text(path.read_text().replace(good, bad))
    with pytest.raises(Mistakes) as caught:
        async with house(tmp_path, config=f"catalog: [providers.d, {tmp_path}/mine]\n"):
            pass
    assert where in str(caught.value)


def test_a_broken_policy_never_starts(tmp_path: Path) -> None:
    """An unknown key is refused with its place and the nearest right word."""
    (tmp_path / "config.yaml").write_text("listen: 127.0.0.1:0\nroutse: []\n")
    with pytest.raises(Mistakes) as caught:
        settings.load(tmp_path / "config.yaml", {})
    assert "config.yaml:2:1" in str(caught.value)
    assert "routes" in str(caught.value)
