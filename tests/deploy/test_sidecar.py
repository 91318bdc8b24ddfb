"""The sidecar: what an app's chart gets from the library, and the manifest to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import settings as policy
from gateway.settings import Auth
from tests.deploy.chart import APP, SIDECAR, VERSIONS, Manifest, helm, manifests, of, with_sidecar

validator = pytest.importorskip("kubernetes_validate")

EXAMPLE = SIDECAR / "example.yaml"


def _example() -> Manifest:
    found: Manifest = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app's chart that uses the library."""
    return with_sidecar(tmp_path)


def _sidecar(deployment: Manifest) -> dict[str, Any]:
    [container] = deployment["spec"]["template"]["spec"]["initContainers"]
    return dict(container)


def test_the_example_is_what_the_library_makes(app: Path) -> None:
    """The manifest to paste and the templates say the same, but for what the app says of itself."""
    assert _example() == of("Deployment", manifests({}, app))


@pytest.mark.parametrize(
    "said", [{}, {"claim": "app-data", "policy": "app-policy", "resources": {"limits": {"memory": "1Gi"}}}]
)
def test_kubernetes_knows_it(app: Path, said: dict[str, Any]) -> None:
    """S81: with and without a claim and a policy, what comes out holds against three Kubernetes versions."""
    for each in [*manifests(said, app), _example()]:
        for version in VERSIONS:
            validator.validate(each, version, strict=True)


def test_it_starts_before_the_app_and_ends_after_it() -> None:
    """It is a native sidecar with a startup probe; a preStop would stop it while the app still works, so there is none."""
    container = _sidecar(_example())
    assert container["restartPolicy"] == "Always"
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert "lifecycle" not in container


def test_it_is_walled_in() -> None:
    """S81: whatever the pod says, the container itself has no root, no capability, no writable root and limits."""
    container = _sidecar(_example())
    said = container["securityContext"]
    assert (said["runAsUser"], said["runAsNonRoot"], said["readOnlyRootFilesystem"]) == (65532, True, True)
    assert (said["allowPrivilegeEscalation"], said["privileged"], said["capabilities"]) == (
        False,
        False,
        {"drop": ["ALL"]},
    )
    assert said["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["resources"]["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}


def test_only_the_pod_may_ask_it() -> None:
    """S81: without keys it listens on loopback alone; what the pod's address shows is probes and metrics."""
    container = _sidecar(_example())
    environ = {each["name"]: each["value"] for each in container["env"]}
    assert environ["TIDEGATE_LISTEN"].startswith("127.0.0.1:")
    assert [each["containerPort"] for each in container["ports"]] == [9090]
    assert {container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")} == {
        "tidegate-ops"
    }


def test_its_policy_is_one_the_gateway_takes(app: Path, tmp_path: Path) -> None:
    """A policy put together by the library loads, and keeps what makes it a sidecar."""
    found = of("ConfigMap", manifests({"policy": "app-policy"}, app))
    (tmp_path / "config.yaml").write_text(found["data"]["config.yaml"])
    read = policy.load(tmp_path / "config.yaml", {})
    assert (str(read.listen), str(read.metrics), read.auth) == ("127.0.0.1:8080", "0.0.0.0:9090", Auth.NONE)
    assert len(read.policy.routes) == 1


def test_what_waits_for_a_bucket_has_room(app: Path) -> None:
    """With a policy, which may name a bucket, what waits for it lies where the outputs would, not in the few megabytes of /tmp."""
    container = _sidecar(of("Deployment", manifests({"policy": "app-policy"}, app)))
    assert container["env"] == [{"name": "TMPDIR", "value": "/data"}]


def test_what_is_missing_or_too_much_is_said(app: Path) -> None:
    """Without an image, or with a policy that says what the sidecar says itself, the app's chart is refused in a sentence."""
    template = app / "templates" / "deployment.yaml"
    usual = template.read_text()
    template.write_text(usual.replace('"image" "tidegate:0.1.0" ', ""))
    with pytest.raises(helm.HelmError, match="needs an image"):
        manifests({}, app)
    template.write_text(usual.replace('(dict "routes"', '(dict "listen" "0.0.0.0:80" "routes"'))
    with pytest.raises(helm.HelmError, match="says listen itself"):
        manifests({"policy": "app-policy"}, app)


def test_lint_finds_nothing(app: Path) -> None:
    """The library is sound by Helm's own rules, by itself and in a chart; a library has no values, which lint mentions."""
    for chart in (SIDECAR, app):
        found = helm.lint(chart)
        assert found["errors"] == []
        assert [each for each in found["messages"] if each["severity"] > 1] == []


def test_the_app_names_the_library() -> None:
    """The app's chart names the library by its name and version, as the README shows."""
    about, own = (yaml.safe_load((path / "Chart.yaml").read_text(encoding="utf-8")) for path in (APP, SIDECAR))
    [named] = about["dependencies"]
    assert (named["name"], named["version"]) == (own["name"], own["version"])
    assert own["type"] == "library"
