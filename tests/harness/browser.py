"""What a real browser makes of stored outputs: pictures and films are shown, nothing in them runs, nothing else is opened.

Run alone: `python -m tests.harness.browser`, with a `chromium` on the path or named by `--browser`. Files that a provider might give
are stored and served by signed link; the browser opens each link by itself, and then a page of another origin that tries to run,
frame and read them. It prints one line of figures and exits 1 where something ran that should not, or was not shown that should be.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import os
import re
import shutil
import sys
import tempfile
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from gateway.artifacts.disk import Disk
from gateway.clock import SystemClock
from gateway.ingress import envelope
from gateway.ingress.outputs import Links, Outputs
from gateway.ledger.records import Artifact
from gateway.simulators.jobs import Output
from gateway.simulators.media import draw
from tests.gateway.artifacts.oddities import SCRIPT, gif, png

_PATIENCE = 60.0  # seconds for one page, of which a slow machine spends most on starting the browser
_SAVING = 10.0  # seconds for one that is not opened, and so never done
_RUN = b"document.title = 'run'"
_DOT = png(1, 1, zlib.compress(b"\0\0"))

# A file, the type it is stored under, and what a browser must make of its link: shown, or saved without a look.
FILES: Mapping[str, tuple[bytes, str, str]] = {
    "picture": (_DOT, "image/png", "shown"),
    "picture before a page": (_DOT + SCRIPT, "image/png", "shown"),
    "picture that is a script": (b"GIF89a/*" + gif(1)[8:] + b"*/=0;" + _RUN, "image/gif", "shown"),
    "page that came as a picture": (b"<!DOCTYPE html>" + SCRIPT, "image/png", "inert"),
    "drawing with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>", "image/png", "inert"),
    "page that came as a film": (b"<!DOCTYPE html>" + SCRIPT, "video/mp4", "inert"),
    "page of no known type": (b"<!DOCTYPE html>" + SCRIPT, "text/html", "saved"),
    "drawing of no known type": (
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT + b"</svg>",
        "image/svg+xml",
        "saved",
    ),
    "film": (b"", "video/mp4", "shown"),
}

# Another origin's page: it runs each link as a script and a style, frames it, and says what it could do.
_ATTACK = """<!DOCTYPE html><title>waiting</title><script>
const links = %s, found = [];
const load = (kind, name, link) => new Promise(done => {
  const made = document.createElement(kind);
  made.onload = () => done([kind, name, "loaded"]);
  made.onerror = () => done([kind, name, "refused"]);
  if (kind === "link") { made.rel = "stylesheet"; made.href = link; } else made.src = link;
  setTimeout(() => done([kind, name, "nothing"]), 1500);
  document.documentElement.append(made);
});
const framed = (name, link) => new Promise(done => {
  const made = document.createElement("iframe");
  made.src = link;
  made.onload = () => done(["iframe", name, made.contentDocument && made.contentDocument.body.innerHTML ? "open" : "closed"]);
  setTimeout(() => done(["iframe", name, "nothing"]), 1500);
  document.documentElement.append(made);
});
(async () => {
  for (const [name, link] of Object.entries(links)) {
    found.push(await load("script", name, link), await load("link", name, link), await framed(name, link));
  }
  const cookies = document.cookie;
  if (document.title === "waiting") document.title = JSON.stringify({found, cookies});
})();
</script>"""


@dataclass(frozen=True)
class Room:
    """Where the files are served, and the page that attacks them."""

    links: Mapping[str, str]
    page: str


class _Rows:
    """The records of the one generation whose files these are."""

    def __init__(self, artifacts: list[Artifact]) -> None:
        self._row = SimpleNamespace(removed=None, artifacts=artifacts)

    async def read(self, _query: object) -> Any:
        """Give the row, whoever asks."""
        return self._row


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _listen(stack: AsyncExitStack, application: web.Application, host: str) -> str:
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, 0).start()
    return f"http://{host}:{runner.addresses[0][1]}"


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Room]:
    """Store the files and serve them on one origin, the page on another."""
    disk, clock = Disk(folder), SystemClock()
    rows: list[Artifact] = []
    links = Links(os.urandom(32), 3_600_000, None, clock)
    async with AsyncExitStack() as stack:
        await disk.start()
        stack.push_async_callback(disk.close)
        for index, (body, type_, _) in enumerate(FILES.values()):
            data = body or draw(Output("mp4", 320, 180, 1.0), "a seal")
            kept = await disk.write("gen", index, _once(_DOT + bytes([index])), kind="image", limit=1000)
            await asyncio.to_thread((folder / kept.uri.removeprefix("file:")).write_bytes, data)
            rows.append(Artifact(index, kept.uri, None, len(data), type_, None, None))
        application = web.Application(middlewares=[envelope.middleware(clock, lambda _: None, os.urandom)])
        application.add_routes(Outputs(links, _Rows(rows), disk).routes())  # type: ignore[arg-type] # a double of the store
        made = links.at(await _listen(stack, application, "127.0.0.1"))
        found = {name: made("gen", row) for name, row in zip(FILES, rows, strict=True)}

        async def attack(_request: web.Request) -> web.Response:
            return web.Response(text=_ATTACK % json.dumps(found), content_type="text/html")

        stranger = web.Application()
        stranger.router.add_get("/", attack)
        yield Room(found, f"{await _listen(stack, stranger, '127.0.0.2')}/")


async def opened(browser: str, url: str, profile: Path, patience: float = _PATIENCE) -> tuple[str, str]:
    """Open an address in the browser; the page as it stands in the end, and what its console said."""
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=10000")
    child = await asyncio.create_subprocess_exec(
        browser, *flags, f"--user-data-dir={profile}", "--dump-dom", url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(patience):
            page, console = await child.communicate()
    except TimeoutError:
        return "", ""  # what is saved ends in no page, and such a browser waits for one
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    lines = [line for line in console.decode(errors="replace").splitlines() if "CONSOLE" in line]
    return page.decode(errors="replace"), "\n".join(lines)


def judged(expected: str, page: str, console: str) -> list[str]:
    """What is wrong with how a link was opened by itself."""
    wrong = ["something ran"] if "<title>run" in page else []
    shows = "<img" in page or "<video" in page
    match expected:
        case "shown":
            wrong += [] if shows else ["it was not shown"]
            wrong += ["a part of it was blocked"] if "Content Security Policy" in console else []
            wrong += ["it was not let in"] if "CORS" in console else []
        case "inert":
            wrong += ["it was opened as a page"] if "<script>" in page else []
        case _:
            wrong += ["it was opened"] if shows or "<script>" in page else []
    return wrong


def attacked(page: str) -> list[str]:
    """What another origin's page could do that it must not."""
    title = re.search("<title>(.*?)</title>", page)
    said = html.unescape(title[1]) if title is not None else ""
    if not said.startswith("{"):
        return [f"the page says {said!r}"]
    told = json.loads(said)
    wrong = ["there are cookies"] if told["cookies"] else []
    kinds = {kind for kind, _, _ in told["found"]}
    wrong += (
        [] if kinds == {"script", "link", "iframe"} and len(told["found"]) == 3 * len(FILES) else ["it did not try all"]
    )
    ran = [f"{name} loaded as {kind}" for kind, name, came in told["found"] if kind != "iframe" and came == "loaded"]
    return wrong + ran + [f"{name} can be read in a frame" for kind, name, came in told["found"] if came == "open"]


async def main() -> int:
    """Open everything, print one line; 1 when something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browser", default=shutil.which("chromium") or shutil.which("google-chrome"))
    browser = parser.parse_args().browser
    if browser is None:
        print("no browser: install chromium, or name one with --browser")
        return 2
    findings: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        async with served(Path(folder) / "outputs") as room:
            for name, link in room.links.items():
                patience = _SAVING if FILES[name][2] == "saved" else _PATIENCE
                page, console = await opened(browser, link, Path(folder) / f"profile {name}", patience)
                findings += [f"{name}: {each}" for each in judged(FILES[name][2], page, console)]
            page, _ = await opened(browser, room.page, Path(folder) / "profile")
            findings += attacked(page)
    for finding in findings:
        print(finding)
    print(
        f"browser: {len(FILES)} links opened and {3 * len(FILES)} ways tried from another origin, {len(findings)} findings"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
