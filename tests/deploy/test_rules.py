"""Alerts, recording rules and the dashboard: about series that exist, by labels that they have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from gateway.fault import FaultKind
from gateway.metrics import REGISTRY
from tests.deploy.chart import CHART, manifests, of, values

RULES = CHART / "files" / "rules.yaml"
DASHBOARD = CHART / "files" / "dashboard.json"
_SERIES = re.compile(r"\b(tidegate[_:][a-z0-9_:]*[a-z0-9])(?:\{([^}]*)\})?")
_SCRAPED = {"job", "namespace", "instance"}  # what Prometheus adds


def _declared() -> dict[str, set[str]]:
    """Each series as a scrape shows it, with its labels."""
    found: dict[str, set[str]] = {"tidegate_build_info": {"version"}}
    for each in set(REGISTRY._collector_to_names):
        labels = set(each._labelnames)
        name = each._name
        match each:
            case Counter():
                found[f"{name}_total"] = labels
            case Histogram():
                found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
            case Gauge():
                found[name] = labels
    return found


def _groups() -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return groups


def _rules() -> list[dict[str, Any]]:
    return [rule for group in _groups() for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return panels


def _expressions() -> Iterator[tuple[str, str]]:
    yield from ((rule.get("alert", rule.get("record")), rule["expr"]) for rule in _rules())
    for panel in _panels():
        yield from ((panel["title"], target["expr"]) for target in panel.get("targets", ()))


def test_every_series_they_name_exists() -> None:
    """A rule or panel about a series nobody counts would be silent for ever; so would one about a label it has not."""
    declared = _declared()
    recorded = {rule["record"] for rule in _rules() if "record" in rule}
    asked = set()
    for title, expression in _expressions():
        labels: set[str] = set()
        for name, selector in _SERIES.findall(expression):
            assert name in declared.keys() | recorded, f"{title}: there is no series {name}"
            known = declared.get(name, {"provider", "model", "kind"}) | _SCRAPED
            used = set(re.findall(r"(\w+)\s*[=!]~?", selector or ""))
            assert used <= known, f"{title}: {name} has no label {used - known}"
            labels |= known
            asked.add(name)
        for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
            assert set(grouped.split(", ")) <= labels, f"{title}: by {grouped}"
    unseen = {re.sub(r"_(bucket|sum|count)$", "", name) for name in declared.keys() - asked} - {
        re.sub(r"_(bucket|sum|count)$", "", name) for name in asked
    }
    assert not unseen, f"the dashboard and the rules say nothing of {unseen}"


def test_faults_they_name_exist() -> None:
    """A fault in a selector is one of the closed set, or what an attempt ends with besides."""
    known = {kind.value for kind in FaultKind} | {"none", "canceled", "storage"}
    for title, expression in _expressions():
        for named in re.findall(r'fault[=!]~?"([^"]+)"', expression):
            assert set(named.split("|")) <= known, f"{title}: {named}"


def test_every_alert_says_what_to_do() -> None:
    """An alert has a severity, a sentence that says what is wrong, and one that says what helps."""
    alerts = [rule for rule in _rules() if "alert" in rule]
    assert len({rule["alert"] for rule in alerts}) == len(alerts) >= 12
    for rule in alerts:
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]


def test_the_dashboard_is_sound() -> None:
    """Panels have ids of their own, a unit, and the data source that is chosen; rows ask the questions."""
    panels = _panels()
    assert len({panel["id"] for panel in panels}) == len(panels)
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    assert all(title.endswith("?") for title in rows), rows
    for panel in (each for each in panels if each["type"] != "row"):
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"]), panel["title"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)


def test_the_chart_makes_them_about_its_release() -> None:
    """In the cluster the rules are about the job that the release's own monitor scrapes, and the dashboard is unchanged."""
    found = manifests(values("monitoring"))
    spec = of("PrometheusRule", found)["spec"]
    expressions = [rule["expr"] for group in spec["groups"] for rule in group["rules"]]
    assert len(expressions) == len(_rules())
    assert all('namespace="media",job="tidegate-metrics"' in each for each in expressions)
    assert not [each for each in expressions if 'job="tidegate"' in each]
    monitor, service = of("ServiceMonitor", found)["spec"], of("Service", found, "tidegate-metrics")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    others = [each for each in found if each["kind"] == "Service" and each is not service]
    assert not [
        each for each in others if monitor["selector"]["matchLabels"].items() <= each["metadata"]["labels"].items()
    ]
    held = of("ConfigMap", found, "tidegate-dashboard")
    assert held["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(held["data"]["tidegate.json"]) == json.loads(DASHBOARD.read_text(encoding="utf-8"))


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not there; Debian has it in the package prometheus"
)
def test_prometheus_takes_them(tmp_path: Path) -> None:
    """Prometheus' own tool takes the rules and every expression of the dashboard, and alerts fire when they should."""
    panels = [
        {"record": f"panel:{at}", "expr": re.sub(r"\$__rate_interval", "5m", expression)}
        for at, (_, expression) in enumerate(_expressions())
    ]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": panels}]}))
    shutil.copy(RULES, tmp_path / "rules.yaml")
    shutil.copy(Path(__file__).parent / "firing.yaml", tmp_path / "firing.yaml")
    for words in (("check", "rules", "rules.yaml", "panels.yaml"), ("test", "rules", "firing.yaml")):
        done = subprocess.run(
            ["promtool", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
