"""Charts rendered in this process, by the library that `helm` itself is made of."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tree import ROOT

CHART = ROOT / "helm" / "tidegate"
SIDECAR = ROOT / "helm" / "sidecar"
APP = Path(__file__).parent / "app"
# The oldest the charts say they take, one between, and the newest whose schemas are to be had.
VERSIONS = ("1.29", "1.33", "1.37")

Manifest = Mapping[str, Any]

helm: Any = pytest.importorskip("helm_python", reason="there is no wheel of helm-python-sdk for this platform")


def rendered(values: Mapping[str, Any], chart: Path = CHART) -> dict[str, str]:
    """Every template of a chart by its name, as text; HelmError with the sentence of a template that refuses."""
    with helm.Chart.load(chart) as opened:
        found: dict[str, str] = opened.render(dict(values), name="tidegate", namespace="media")
        return found


def manifests(values: Mapping[str, Any], chart: Path = CHART) -> list[Manifest]:
    """Every object a chart makes."""
    texts = (text for name, text in rendered(values, chart).items() if name.endswith(".yaml"))
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def of(kind: str, found: list[Manifest], name: str | None = None) -> Manifest:
    """The one object of a kind, and of a name where there are several."""
    [one] = [each for each in found if each["kind"] == kind and name in {None, each["metadata"]["name"]}]
    return one


def pods(found: list[Manifest]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every pod's spec, with a name for it."""
    for each in found:
        if each["kind"] == "Pod":
            yield each["metadata"]["name"], each["spec"]
        elif "template" in each.get("spec", {}):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def with_sidecar(folder: Path) -> Path:
    """The app's chart with the library chart in it, as `helm dependency build` leaves it."""
    place = folder / "app"
    shutil.copytree(APP, place)
    shutil.copytree(SIDECAR, place / "charts" / "tidegate-sidecar")
    return place


def values(name: str) -> dict[str, Any]:
    """One of the chart's `ci/` files."""
    found: dict[str, Any] = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text(encoding="utf-8"))
    return found


CASES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
