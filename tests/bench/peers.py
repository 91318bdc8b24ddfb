"""Those the gateway is compared with: each a process of its own, as its makers would run it, in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.environments import cache, environment
from tests.bench.process import Process, free_port, module, run, started

STATIC = json.dumps({"status": "success", "request_id": "req_0123456789abcdefghij", "data": {"pad": "x" * 400}})


class Missing(Exception):  # noqa: N818 - named for what it is
    """A peer that cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who serves: where, what a request has to carry, and who exactly."""

    name: str
    origin: str
    version: str
    process: Process
    path: str = ""  # before the path of the far end
    headers: Mapping[str, str] = field(default_factory=dict)


Opening = Callable[[Path, str], AbstractContextManager[Peer]]  # (scratch, base at the far end) -> who serves


@contextmanager
def bare(scratch: Path, base: str = "http://127.0.0.1:9", static: str = STATIC) -> Iterator[Peer]:
    """An aiohttp pass-through, and a static answer at /static."""
    import aiohttp

    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    command = module("tests.bench.bare", str(port), base, static)
    with started("bare", command, scratch, url=f"{origin}/static") as process:
        yield Peer("bare aiohttp", origin, aiohttp.__version__, process)


@contextmanager
def nginx(scratch: Path, base: str) -> Iterator[Peer]:
    """A reverse proxy with one worker, which keeps its connections and buffers bodies as it does by default."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise Missing("nginx is not on the PATH (apt-get install nginx)")
    port, folder = free_port(), scratch / "nginx"
    folder.mkdir(exist_ok=True)
    host, slash, path = base.removeprefix("http://").partition("/")
    place = f"/{path}/" if slash else ""  # a path given there takes the place of the location's
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;\n"
        f"{'user root;' if os.getuid() == 0 else ''}\n"
        "events {worker_connections 4096;}\n"
        f"http {{access_log off; {temporary} keepalive_requests 1000000; client_max_body_size 0;\n"
        f"upstream far {{server {host}; keepalive 256; keepalive_requests 1000000;}}\n"
        f"server {{listen 127.0.0.1:{port} backlog=4096; location = /static {{return 200;}}\n"
        f"location / {{proxy_pass http://far{place}; proxy_http_version 1.1; proxy_set_header Connection '';}}}}}}\n"
    )
    version = _version(["sh", "-c", f"{program} -v 2>&1"])
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
    origin = f"http://127.0.0.1:{port}"
    with started("nginx", command, scratch, url=f"{origin}/static") as process:
        yield Peer("nginx", origin, version, process)


@contextmanager
def litellm(scratch: Path, base: str) -> Iterator[Peer]:
    """LiteLLM's proxy: one worker, a master key, no database; its words are cut to errors, as its makers advise for production."""
    try:
        folder = environment("litellm", ["litellm[proxy]"])
    except (OSError, RuntimeError) as error:
        raise Missing(f"litellm[proxy] could not be installed: {_last_line(error)}") from error
    port, config, key = free_port(), scratch / "litellm.json", "sk-bench"
    config.write_text(json.dumps({
        "model_list": [{
            "model_name": "gpt-image-2",
            "litellm_params": {"model": "openai/gpt-image-2", "api_base": base, "api_key": "sk-bench"},
            "model_info": {"mode": "image_generation"},
        }],
        "litellm_settings": {"set_verbose": False, "json_logs": True, "request_timeout": 600},
        "general_settings": {"master_key": key},
    }))  # fmt: skip
    version = _version(
        [str(folder / "bin/python"), "-c", "from importlib.metadata import version; print(version('litellm'))"]
    )
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "OPENAI_API_KEY", "PYTHONPATH"}
    } | {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [
        str(folder / "bin/litellm"), "--config", str(config), "--host", "127.0.0.1", "--port", str(port),
        "--num_workers", "1", "--telemetry", "False",
    ]  # fmt: skip
    origin = f"http://127.0.0.1:{port}"
    with started(
        "litellm", command, scratch, environ=environ, url=f"{origin}/health/liveliness", seconds=120
    ) as process:
        yield Peer("LiteLLM", origin, version, process, path="/v1", headers={"Authorization": f"Bearer {key}"})


@contextmanager
def portkey(scratch: Path, base: str) -> Iterator[Peer]:
    """Portkey's gateway on node, as its own command starts it, without its page for people."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise Missing("node and npm are not on the PATH")
    folder = cache() / "portkey"
    start = folder / "node_modules/@portkey-ai/gateway/build/start-server.js"
    if not start.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            run(
                [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "@portkey-ai/gateway"], seconds=600
            )
        except (OSError, RuntimeError) as error:
            raise Missing(f"@portkey-ai/gateway could not be installed: {_last_line(error)}") from error
    version = json.loads((start.parents[1] / "package.json").read_text())["version"]
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    environ = {**os.environ, "NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    command = [program, str(start), f"--port={port}", "--headless"]
    headers = {"x-portkey-provider": "openai", "x-portkey-custom-host": base, "Authorization": "Bearer sk-bench"}
    with started("portkey", command, scratch, environ=environ, url=f"{origin}/", seconds=60) as process:
        yield Peer(
            "Portkey", origin, f"{version}, {_version([program, '--version'])}", process, path="/v1", headers=headers
        )


def _version(command: list[str]) -> str:
    """What a program calls its version, without its own name before it."""
    said = run(command).strip()
    found = re.search(r"v?\d+(\.\d+)+\S*", said)
    return found[0] if found else said


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["?"])[-1][:200]
