"""The chart: what it makes of every kind of values, what it refuses, and how it walls the process in."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import __version__
from gateway import settings as policy
from gateway.settings import Auth
from tests.deploy import values as schemas
from tests.deploy.chart import CASES, CHART, VERSIONS, Manifest, helm, manifests, of, pods, rendered, values
from tests.house.tree import ROOT

validator = pytest.importorskip("kubernetes_validate")

_SHARED = {"TIDEGATE_STORE": "postgresql://tidegate:secret@db/tidegate", "TIDEGATE_SECRET": "0123456789abcdef" * 2}
_ENVIRON = {"WEBHOOK_SECRET": "whsec_" + "A" * 32, **_SHARED}


def test_every_object_is_one_that_kubernetes_knows() -> None:
    """S81: whatever the values, each object holds against the strict schemas of three Kubernetes versions."""
    made = {json.dumps(each, sort_keys=True) for case in CASES for each in manifests(values(case))}
    for each in map(json.loads, sorted(made)):
        if each["apiVersion"].startswith("monitoring.coreos.com/"):
            continue  # the operator's own kinds: they have no schema there
        for version in VERSIONS:
            validator.validate(each, version, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_every_pod_is_walled_in(case: str) -> None:
    """S81: no pod has a token, root, a capability, a writable root or a way up, and each has limits; the tests' pods too."""
    found = list(pods(manifests(values(case))))
    assert len(found) == 3, found
    for name, spec in found:
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert not [each for each in spec["volumes"] if "hostPath" in each], name
        for container in [*spec["containers"], *spec.get("initContainers", ())]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "privileged": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}, name
            writable = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
            assert writable == {"/data", "/tmp"}, name


def test_the_process_is_nobody() -> None:
    """S81: it runs as 65532 unless told another user, and the platform may choose one."""
    spec = of("Deployment", manifests({}))["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == 65532
    free = of("Deployment", manifests(values("trying")))["spec"]["template"]["spec"]
    assert not {"runAsUser", "runAsGroup", "fsGroup"} & free["securityContext"].keys()
    with pytest.raises(helm.HelmError, match="user"):
        rendered({"identity": {"user": 0}})


def test_probes_ask_the_gateway_where_no_key_is_needed() -> None:
    """S81: three probes, on the address that has no port in any Service unless Prometheus is to read it."""
    found = manifests({})
    [container] = of("Deployment", found)["spec"]["template"]["spec"]["containers"]
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert asked == {
        "startup": {"path": "/readyz", "port": "metrics"},
        "liveness": {"path": "/livez", "port": "metrics"},
        "readiness": {"path": "/readyz", "port": "metrics"},
    }
    assert [each["targetPort"] for each in of("Service", found)["spec"]["ports"]] == ["http"]
    scraped = of("Service", manifests(values("monitoring")), "tidegate-metrics")["spec"]
    assert (scraped["clusterIP"], scraped["ports"][0]["targetPort"]) == ("None", "metrics")


def test_there_is_time_to_stop() -> None:
    """F58: between the pod's end and SIGKILL lie the wait for traffic to go elsewhere and the 25 s the gateway may take."""
    spec = of("Deployment", manifests({}))["spec"]["template"]["spec"]
    words = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert words == ["/opt/tidegate/bin/python", "-c", "import time; time.sleep(5)"]
    assert spec["terminationGracePeriodSeconds"] >= 5 + 25


@pytest.mark.parametrize("case", CASES)
def test_the_policy_it_writes_is_one_the_gateway_takes(case: str, tmp_path: Path) -> None:
    """What the chart makes of the values loads, listens where the Service sends requests, and asks for keys."""
    found = manifests(values(case))
    [name] = [each["metadata"]["name"] for each in found if each["kind"] == "Deployment"]
    written = of("ConfigMap", found, name)["data"]["config.yaml"]
    (tmp_path / "config.yaml").write_text(written.replace("/etc/tidegate/packs", str(tmp_path)))
    read = policy.load(tmp_path / "config.yaml", {**_ENVIRON, "LIVE": "8000"})
    assert (str(read.listen), str(read.metrics), read.auth) == ("0.0.0.0:8080", "0.0.0.0:9090", Auth.KEYS)
    is_sqlite = values(case).get("store", {}).get("kind") != "postgresql"
    assert str(read.store) == ("/data/tidegate.db" if is_sqlite else "postgresql://db/tidegate")
    assert (read.secret is None) is is_sqlite
    assert read.outputs.folder == (Path("/data/outputs") if is_sqlite else None)
    if case == "secrets":
        assert read.limits.live == 8000
        assert dict(read.policy.routes[1].weights) == {"fal": 3, "replicate": 1}


def test_outputs_may_go_to_a_bucket(tmp_path: Path) -> None:
    """With or without a disk in common the policy names the bucket, and what is on its way to it has room to wait."""
    more = {"policy": {"outputs": {"store": "s3://media/tidegate"}}, "env": {"AWS_ENDPOINT_URL": "http://s3.test:9000"}}
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
    for kind in ("minimal", "postgresql"):
        found = manifests({**values(kind), **more})
        spec = of("Deployment", found)["spec"]["template"]["spec"]
        environ = {each["name"]: each.get("value", "") for each in spec["containers"][0]["env"]}
        assert environ["TMPDIR"] in {each["mountPath"] for each in spec["containers"][0]["volumeMounts"]} - {"/tmp"}
        (tmp_path / "config.yaml").write_text(of("ConfigMap", found)["data"]["config.yaml"])
        read = policy.load(tmp_path / "config.yaml", {**_ENVIRON, **environ, **keys, **_SHARED})
        assert str(read.outputs) == "s3://media/tidegate"


def test_packs_lie_where_the_gateway_looks(tmp_path: Path) -> None:
    """Provider files come as folders through the names a ConfigMap allows, beside the policy, and the gateway finds them."""
    found = manifests(values("packs"))
    data = {each["metadata"]["name"]: each["data"] for each in found if each["kind"] == "ConfigMap"}
    [volume] = [
        each for each in of("Deployment", found)["spec"]["template"]["spec"]["volumes"] if each["name"] == "policy"
    ]
    # As the kubelet lays it: a folder of the moment, and links to what is in it now.
    moment = tmp_path / "..2026_11_25"
    for source in volume["projected"]["sources"]:
        held = data[source["configMap"]["name"]]
        for item in source["configMap"].get("items", [{"key": key, "path": key} for key in held]):
            (moment / item["path"]).parent.mkdir(parents=True, exist_ok=True)
            (moment / item["path"]).write_text(held[item["key"]].replace("/etc/tidegate", str(tmp_path)))
    (tmp_path / "..data").symlink_to(moment.name)
    for name in ("config.yaml", "packs"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    read = policy.load(tmp_path / "config.yaml", {})
    assert read.catalog[1] == tmp_path / "packs"
    assert (tmp_path / "packs" / "acme" / "provider.yaml").read_text() == values("packs")["packs"]["acme/provider.yaml"]
    assert {path.relative_to(read.catalog[1]).as_posix() for path in read.catalog[1].rglob("*.yaml")} == {
        "acme/provider.yaml",
        "acme/lab/model.yaml",
    }


def test_credentials_come_as_files_that_are_read_again() -> None:
    """S81: each named key of a Secret is a file, its variable names the file, and no value of it is in the release."""
    [container] = of("Deployment", manifests(values("secrets")))["spec"]["template"]["spec"]["containers"]
    environ = {each["name"]: each["value"] for each in container["env"]}
    assert environ["FAL_KEY_FILE"] == "/run/secrets/tidegate/providers/FAL_KEY"
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    assert mounts["/run/secrets/tidegate/providers"]["readOnly"] is True
    assert "subPath" not in str(container["volumeMounts"])  # what is mounted by itself never changes
    assert [each["secretRef"]["name"] for each in container["envFrom"]] == ["tidegate-webhooks"]
    assert not [each for each in manifests(values("secrets")) if each["kind"] == "Secret"]


def test_only_what_needs_it_starts_the_pod_anew() -> None:
    """Routes are taken up by the running gateway, so a change to them leaves the pod alone; a change of a limit does not."""

    def checksum(said: Mapping[str, Any]) -> str:
        meta = of("Deployment", manifests({"policy": said}))["spec"]["template"]["metadata"]
        return str(meta["annotations"]["checksum/policy"])

    assert checksum({}) == checksum({"routes": [{"order": "cheapest"}]})
    assert checksum({}) != checksum({"limits": {"live": 10}})


def test_one_process_owns_the_ledger() -> None:
    """With SQLite the old pod ends before the new one begins; with PostgreSQL the new one is ready before the old one ends."""
    assert of("Deployment", manifests({}))["spec"]["strategy"] == {"type": "Recreate"}
    rolling = of("Deployment", manifests(values("postgresql")))["spec"]
    assert rolling["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert rolling["replicas"] == 3
    assert "replicas" not in of("Deployment", manifests(values("autoscaling")))["spec"]


def test_the_claim_outlives_the_release() -> None:
    """The ledger is money: uninstalling leaves it, unless told otherwise."""
    assert of("PersistentVolumeClaim", manifests({}))["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    claim = of("PersistentVolumeClaim", manifests({"persistence": {"keep": False}}))
    assert "annotations" not in claim["metadata"]


def test_nothing_leaves_for_the_metadata_address() -> None:
    """S81: out go names and HTTPS to public addresses, never link-local or private ones that the policy does not open."""
    rules = of("NetworkPolicy", manifests(values("outside")))["spec"]["egress"]
    opened = [(each["ports"], each.get("to")) for each in rules if "ports" in each]
    assert [port["port"] for port in opened[0][0]] == [53, 53]
    [public, public6] = [peer["ipBlock"] for peer in opened[1][1]]
    assert {"169.254.0.0/16", "10.0.0.0/8", "127.0.0.0/8"} <= set(public["except"])
    assert "fe80::/10" in public6["except"]
    assert [port["port"] for port in opened[1][0]] == [443]
    assert [peer["ipBlock"]["cidr"] for peer in rules[2]["to"]] == ["10.1.2.3/32", "10.9.0.0/16", "fd00::1/128"]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"replicas": 2}, "replicas is 2 and the ledger lies in SQLite.*set replicas to 1"),
        ({"autoscaling": {"enabled": True}}, "autoscaling needs several replicas.*set autoscaling.enabled to false"),
        ({"store": {"kind": "postgresql"}}, "set store.secret to the Secret"),
        ({"store": {"secret": "store"}}, "set store.kind to postgresql, or leave store.secret out"),
        ({**values("autoscaling"), "autoscaling": {"enabled": True, "min": 5, "max": 2}}, "min is 5 and .*max 2"),
        ({"disruptionBudget": {"enabled": True}}, "Set disruptionBudget.enabled to false"),
        ({"policy": {"outputs": {"store": "file:///srv/outputs"}}}, "name a folder under file:///data/, or none"),
        ({**values("postgresql"), "policy": {"outputs": {"store": "file:///data/o"}}}, "set it to none"),
        ({"ingress": {"enabled": True}}, "add one to ingress.hosts"),
        ({"policy": {"egress": {"allow": ["${NET}"]}}}, "write the network itself"),
        (
            {"secrets": {"files": [{"secret": "a.b", "variables": ["A"]}, {"secret": "a-b", "variables": ["B"]}]}},
            "secrets.files names a.b and a-b, which make one volume",
        ),
        ({"env": {"FAL_KEY": "abc"}}, "env.FAL_KEY looks like a secret.*secrets.env or secrets.files"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(said: dict[str, Any], sentence: str) -> None:
    """What would fail or lose data later is refused before anything is made, with what to set instead."""
    with pytest.raises(helm.HelmError, match=f"(?s){sentence}"):
        rendered(said)


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"replicaCount": 2}, "replicaCount"),
        ({"image": {"name": "x"}}, "name"),
        ({"persistence": {"accessModes": ["ReadWriteMany"]}}, "ReadWriteOnce"),
        ({"policy": {"store": "sqlite:///elsewhere.db"}}, "store"),
        ({"policy": {"auth": "none"}}, "auth"),
        ({"policy": {"limits": {"lives": 3}}}, "lives"),
        ({"policy": {"routes": [{"match": {"models": "x"}}]}}, "models"),
        ({"resources": {"limits": {"memory": None}}}, "memory"),
        ({"packs": {"acme/../provider.yaml": "x"}}, "acme/../provider.yaml"),
        ({"secrets": {"files": [{"secret": "a"}]}}, "variables"),
    ],
)
def test_a_value_nobody_knows_is_refused(said: dict[str, Any], word: str) -> None:
    """A key that is not there is a mistake wherever it stands, in the policy too, and the message names the place."""
    with pytest.raises(helm.HelmError, match=word):
        rendered(said)


def test_the_schema_is_that_of_the_gateway() -> None:
    """values.schema.json is what is worked out from the settings of today."""
    assert schemas.FILE.read_text(encoding="utf-8") == schemas.text(), "run python -m tests.deploy.values"


def test_the_schema_is_closed_at_every_level() -> None:
    """Every mapping of the values either lists its keys or says what any key holds; subcharts' globals alone are open."""
    found = list(_open(schemas.schema(), "values"))
    assert found == ["values.global"]


def _open(node: Any, place: str) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _open(each, place)
    if not isinstance(node, dict):
        return
    kinds = node.get("type") if isinstance(node.get("type"), list) else [node.get("type")]
    if "object" in kinds and node.get("additionalProperties", True) is True:
        yield place
    for name, each in node.get("properties", {}).items():
        yield from _open(each, f"{place}.{name}")
    for key in ("items", "additionalProperties", "anyOf", "oneOf"):
        yield from _open(node.get(key), place)


def test_every_default_is_in_the_schema() -> None:
    """values.yaml holds every key the schema has, so that it is the reference."""
    usual = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

    def missing(part: Mapping[str, Any], said: Mapping[str, Any], place: str) -> Iterator[str]:
        for name, each in said.get("properties", {}).items():
            if name not in part:
                yield f"{place}.{name}"
            elif isinstance(part[name], dict) and part[name]:
                yield from missing(part[name], each, f"{place}.{name}")

    assert list(missing(usual, schemas.schema(), "values")) == ["values.global"]


def test_lint_finds_nothing() -> None:
    """The chart is sound by Helm's own rules, at the strictest."""
    found = helm.lint(CHART, strict=True)
    assert (found["messages"], found["errors"]) == ([], [])


def test_the_notes_say_what_comes_next() -> None:
    """After the install stand the commands that make a key, and a warning where nothing is kept or no provider is on."""
    notes = rendered({})["tidegate/templates/NOTES.txt"]
    assert "kubectl -n media exec deployment/tidegate -- tidegate keys create my-app" in notes
    assert "NO PROVIDER IS ON" in notes
    assert "NOTHING IS KEPT" not in notes
    assert "NOTHING IS KEPT" in rendered(values("trying"))["tidegate/templates/NOTES.txt"]
    assert "NO PROVIDER IS ON" not in rendered(values("secrets"))["tidegate/templates/NOTES.txt"]
    assert "OUTPUTS ARE NOT KEPT" not in notes
    assert "OUTPUTS ARE NOT KEPT" in rendered(values("postgresql"))["tidegate/templates/NOTES.txt"]


def test_helm_test_asks_the_gateway() -> None:
    """`helm test` runs commands of the image: one asks the Service, one shows a failover."""
    hooks: list[Manifest] = [each for each in manifests({}) if each["kind"] == "Pod"]
    words = {each["metadata"]["name"]: each["spec"]["containers"][0]["args"] for each in hooks}
    assert words == {
        "tidegate-ready": ["healthcheck", "http://tidegate:80"],
        "tidegate-failover": ["demo", "--once"],
    }
    assert all(each["metadata"]["annotations"]["helm.sh/hook"] == "test" for each in hooks)


def _printed() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each `helm install` of the README: what stands right before it, and the container that the line makes."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    for secret, line in re.findall(r"^ +kubectl create secret generic (.+)\n +helm install (.+)$", text, re.MULTILINE):
        words = shlex.split(line)
        assert (words[0], ROOT / words[1]) == ("tidegate", CHART)
        said: dict[str, Any] = {}
        for at, word in enumerate(words):
            if word == "--set":
                said |= helm.parse_set_string(words[at + 1])
        [container] = of("Deployment", manifests(said))["spec"]["template"]["spec"]["containers"]
        yield secret, container["env"]


def test_the_readme_installs_it() -> None:
    """The lines that the README prints make one gateway, and several, with what the Secret of the line before holds."""
    (one, alone), (store, several) = _printed()
    assert "--from-literal=FAL_KEY=" in one
    assert alone == [{"name": "FAL_KEY_FILE", "value": f"/run/secrets/tidegate/{one.split()[0]}/FAL_KEY"}]
    known = [each["valueFrom"]["secretKeyRef"] for each in several]
    assert {each["name"] for each in known} == {store.split()[0]}
    assert {each["key"] for each in known} == set(re.findall(r"--from-literal=(\w+)=", store))


def test_versions_agree() -> None:
    """Both charts are for the version of the gateway they lie beside."""
    for chart in (CHART, CHART.parent / "sidecar"):
        about = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
        assert about["appVersion"] == __version__, chart
