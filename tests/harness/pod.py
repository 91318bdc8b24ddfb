"""What the charts make, run: a pod's container in `runc`, with the words, variables and mounts that its manifest says.

Used by `tests.harness.image`. There is no cluster: ConfigMaps and Secrets are folders and variables here, probes are asked from outside
the container, and what a kubelet does at the end of a pod is done in its order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests import postgres
from tests.bucket import KEY, SECRET, Service
from tests.deploy.chart import manifests, of, with_sidecar
from tests.harness.container import SERVICES, USER, Container

Manifest = Mapping[str, Any]
Made = Callable[..., Container]

_MODEL = "/v1/generate/image/bytedance/seedream-4.5"
_LIVE = "state NOT IN ('succeeded', 'failed', 'canceled')"
# The network that these containers are in, which the gateway would otherwise not dial.
_OPEN = {"allow": ["192.0.2.0/24"]}


@dataclass(frozen=True, slots=True)
class Pod:
    """One container of a pod, and what its manifest says of it."""

    container: Container
    spec: Manifest

    def probe(self, name: str) -> int:
        """Ask what a probe asks; 0 while nobody answers."""
        asked = self.spec[f"{name}Probe"]["httpGet"]
        ports = {each["name"]: each["containerPort"] for each in self.spec["ports"]}
        return ask(f"http://{self.container.address}:{ports[asked['port']]}{asked['path']}")[0]

    def await_start(self) -> None:
        """Wait for the startup probe, no longer than a kubelet does."""
        probe = self.spec["startupProbe"]
        for _ in range(probe["failureThreshold"]):
            if self.probe("startup") == 200:
                return
            if not self.container.is_running():
                break
            time.sleep(probe["periodSeconds"])
        raise SystemExit(f"{self.container.name} does not start: {self.container.log.read_text()[-3000:]}")

    def end(self, grace: float) -> None:
        """End it in the order of a kubelet: the hook, SIGTERM, and it has to be gone within the grace period."""
        begun = time.monotonic()
        if hook := self.spec.get("lifecycle", {}).get("preStop"):
            self.container.execute(*hook["exec"]["command"])
            assert self.probe("readiness") == 200, "it refuses requests while the hook runs"
        assert self.container.stop(grace - (time.monotonic() - begun)) == 0, self.container.log.read_text()[-3000:]


def ask(url: str, key: str | None = None, body: Mapping[str, Any] | None = None, **headers: str) -> tuple[int, bytes]:
    """Ask from outside; status 0 while nobody answers."""
    told = {"Content-Type": "application/json", **headers} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), told)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def start(
    container: Container,
    spec: Manifest,
    name: str,
    found: list[Manifest],
    secrets: Mapping[str, Mapping[str, str]],
    folder: Path,
) -> Pod:
    """Start one container of a pod's spec; ConfigMaps are among what was `found`, Secrets are given."""
    [own] = [each for each in (*spec.get("initContainers", ()), *spec["containers"]) if each["name"] == name]
    environ = {}
    for source in own.get("envFrom", ()):
        environ |= secrets[source["secretRef"]["name"]]
    for each in own.get("env", ()):
        known = each.get("valueFrom", {}).get("secretKeyRef")
        environ[each["name"]] = secrets[known["name"]][known["key"]] if known else each["value"]
    volumes = {each["name"]: each for each in spec["volumes"]}
    mounts = {}
    for mount in own["volumeMounts"]:
        volume = volumes[mount["name"]]
        if "emptyDir" in volume:
            assert mount["mountPath"] in {"/data", "/tmp"}, mount
        else:
            assert mount["readOnly"]
            place = folder / container.name / mount["name"]
            _fill(place, volume, found, secrets)
            mounts[mount["mountPath"]] = place
    container.start(own["args"], environ, mounts)
    return Pod(container, own)


def _fill(place: Path, volume: Manifest, found: list[Manifest], secrets: Mapping[str, Mapping[str, str]]) -> None:
    """Lay out a volume as the kubelet does."""
    files: dict[str, str] = {}
    for source in volume.get("projected", {}).get("sources", [volume]):
        if "secret" in source:
            said = source["secret"]
            data = secrets[said.get("secretName", said.get("name"))]
        else:
            said = source["configMap"]
            data = of("ConfigMap", found, said["name"])["data"]
        items = said.get("items") or [{"key": key, "path": key} for key in data]
        files |= {each["path"]: data[each["key"]] for each in items}
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.chown(path, 0, USER)
        path.chmod(0o440)


@contextmanager
def _vendors(pace: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, str]]]:
    """The played vendors where containers reach them: the policy's `providers`, and their credentials."""
    words = [sys.executable, "-m", "gateway.simulators", "--host", SERVICES, "--pace", pace]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield {name: {"base": base} for name, base in said["bases"].items()}, said["secrets"]
        finally:
            process.kill()


@contextmanager
def _collector() -> Iterator[list[int]]:
    """A collector of traces: the sizes of what it was sent."""
    sizes: list[int] = []

    class Taken(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sizes.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((SERVICES, 4318), Taken) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield sizes
        server.shutdown()


@contextmanager
def _database(folder: Path) -> Iterator[tuple[postgres.Server, str]]:
    """A PostgreSQL that containers reach, and how."""
    server = postgres.Server(folder / "postgres", durable=False)
    with (folder / "postgres" / "data" / "pg_hba.conf").open("a") as rules:
        rules.write("host all all 192.0.2.0/24 trust\n")
    server.listen = f"127.0.0.1,{SERVICES}"
    server.start()
    try:
        with postgres.connected(server.address()) as connection:
            connection.execute("CREATE DATABASE tidegate")
        yield server, server.address("tidegate").replace("127.0.0.1", SERVICES)
    finally:
        server.kill()


@contextmanager
def _bucket(folder: Path) -> Iterator[str]:
    """A bucket that containers reach: its endpoint."""
    own = Service(folder / "s3", bind="0.0.0.0")  # in a network of this process and its containers
    own.start()
    try:
        own.await_ready()
        yield own.endpoint.replace("127.0.0.1", SERVICES)
    finally:
        own.kill()


def replicas(container: Made, folder: Path) -> None:
    """The chart's pod, twice, over PostgreSQL and a bucket, traced: one serves what the other made, and ends what it left."""
    with ExitStack() as stack:
        server, address = stack.enter_context(_database(folder))
        endpoint = stack.enter_context(_bucket(folder))
        providers, keys = stack.enter_context(_vendors("image=2,video=2"))
        spans = stack.enter_context(_collector())
        secrets = {
            "store": {"url": address, "secret": "0123456789abcdef0123456789abcdef"},
            "bucket": {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
            "providers": keys,
        }
        found = manifests(
            {
                "replicas": 2,
                "store": {"kind": "postgresql", "secret": "store"},
                "policy": {"outputs": {"store": "s3://outputs/tidegate"}, "providers": providers, "egress": _OPEN},
                "env": {"AWS_ENDPOINT_URL": endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{SERVICES}:4318"},
                "secrets": {"env": ["bucket"], "files": [{"secret": "providers", "variables": sorted(keys)}]},
            }
        )
        spec = of("Deployment", found)["spec"]["template"]["spec"]
        pods = []
        for number in (0, 1):
            made = stack.enter_context(container(f"tidegate-pod{number}", number=number))
            pods.append(start(made, spec, "tidegate", found, secrets, folder))
        for pod in pods:
            pod.await_start()
            assert pod.probe("liveness") == pod.probe("readiness") == 200
        first, second = pods
        key = json.loads(first.container.execute("tidegate", "keys", "create", "app", "--json"))["key"]
        second.container.execute("tidegate", "credits", "add", "25")
        here, there = (f"http://{pod.container.address}:8080" for pod in pods)
        assert ask(f"http://{first.container.address}:9090/metrics")[0] == 200

        made_by_first = _asked(here, key, wait=True)
        [link] = _record(there, key, made_by_first)["generation_output_file"]
        status, picture = ask(link)
        assert (status, picture[:3]) == (200, b"\xff\xd8\xff"), (link, status)

        left = [_asked(here, key) for _ in range(4)]
        first.container.kill()
        with postgres.connected(server.address("tidegate")) as connection:
            # Its lease is over now, and not when 25 seconds are.
            connection.execute(
                f"UPDATE replica SET until = 0 WHERE seq IN (SELECT owner FROM generation WHERE {_LIVE})"
            )
        for each in left:
            for _ in range(300):
                record = _record(there, key, each)
                if record["generation_status"] != "processing":
                    break
                time.sleep(0.1)
            assert record["generation_status"] == "succeeded", record
            assert ask(record["generation_output_file"][0])[0] == 200
        assert "20 checks" in second.container.execute("tidegate", "doctor")
        second.end(spec["terminationGracePeriodSeconds"])
        assert spans, "no trace was sent"


def _asked(origin: str, key: str, *, wait: bool = False) -> str:
    headers = {"Prefer": "wait=30"} if wait else {}
    status, said = ask(origin + _MODEL, key, {"generation_prompt": "a red boat"}, **headers)
    assert status == 200, said
    return str(json.loads(said)["data"]["generation_id"])


def _record(origin: str, key: str, generation: str) -> Any:
    status, said = ask(f"{origin}/v1/content/{generation}", key)
    assert status == 200, said
    return json.loads(said)["data"]


_APP = f"""
import json, os, urllib.request
ask = urllib.request.Request(
    os.environ["MEDIA_API"] + {_MODEL!r}, json.dumps({{"generation_prompt": "a red boat"}}).encode(),
    {{"Content-Type": "application/json", "Prefer": "wait=30"}},
)
told = json.load(urllib.request.urlopen(ask))["data"]["generation_id"]
record = json.load(urllib.request.urlopen(os.environ["MEDIA_API"] + "/v1/content/" + told))["data"]
[link] = record["generation_output_file"]
print("picture of", len(urllib.request.urlopen(link).read()), "bytes from", link.partition("/v1")[0], flush=True)
"""


def sidecar(container: Made, folder: Path) -> None:
    """An app with the library's sidecar: it asks 127.0.0.1 without a key, nobody else can, and the sidecar ends after it."""
    chart = with_sidecar(folder)
    template = chart / "templates" / "deployment.yaml"
    usual = '(dict "routes" (list (dict "order" "cheapest")))'
    assert usual in template.read_text()
    template.write_text(template.read_text().replace(usual, "$.Values.whole"))
    with _vendors("image=0.2,video=0.2") as (providers, keys):
        found = manifests({"policy": "app-policy", "whole": {"providers": providers, "egress": _OPEN}}, chart)
        spec = of("Deployment", found)["spec"]["template"]["spec"]
        with container("tidegate-sidecar") as made:
            pod = start(made, spec, "tidegate", found, {"providers": keys}, folder)
            pod.await_start()
            assert ask(f"http://{made.address}:8080/v1/status")[0] == 0, "others reach it"
            with container("tidegate-app", within=made, entrypoint=["python3", "-c", _APP]) as app:
                [own] = spec["containers"]
                app.start([], {each["name"]: each["value"] for each in own["env"]})
                assert app.wait(60) == 0, app.log.read_text()
                assert "from http://127.0.0.1:8080" in app.log.read_text(), app.log.read_text()
            assert pod.probe("liveness") == pod.probe("readiness") == 200
            assert "preStop" not in pod.spec.get("lifecycle", {})
            pod.end(30)  # what a pod that says nothing has
