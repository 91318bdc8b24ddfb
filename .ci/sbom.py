"""The bill of materials of what runs, as CycloneDX, made from a lock: `python .ci/sbom.py > tidegate.cdx.json`.

`python .ci/sbom.py image` makes that of the image, which has every extra. The same lock and version give the same bytes. SOURCE_DATE_EPOCH, in seconds, is the time it states; without it there is none.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

_HERE = Path(__file__).resolve().parent
_PIN = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==(\S+?)(?: ; (.+?))? \\$((?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+)", re.MULTILINE
)
_VIA = re.compile(r"\n    # via (.+)")


def locked(text: str) -> dict[str, dict[str, Any]]:
    """Every package of a lock by name: its version, where it is needed, the hashes of its files, and who wants it."""
    found = {}
    for pin in _PIN.finditer(text):
        via = _VIA.match(text, pin.end())
        found[pin[1]] = {
            "version": pin[2],
            "marker": pin[3],
            "hashes": re.findall(r"[0-9a-f]{64}", pin[4]),
            "via": [
                name.removesuffix(" (pyproject.toml)")
                for name in (via[1].split(", ") if via else ())
                if not name.startswith("-c ")  # another lock said which version, and does not want it
            ],
        }
    return found


def bill(packages: Mapping[str, Mapping[str, Any]], version: str, epoch: str | None) -> dict[str, Any]:
    """The document."""
    own = f"pkg:pypi/tidegate@{version}"
    refs = {name: f"pkg:pypi/{name}@{each['version']}" for name, each in packages.items()}
    wanted: dict[str, list[str]] = {ref: [] for ref in (own, *refs.values())}
    for name, each in packages.items():
        for by in each["via"]:
            wanted[own if by == "tidegate" else refs[by]].append(refs[name])
    stated = {"timestamp": datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if epoch else {}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, json.dumps([own, sorted(refs.values())]))}",
        "version": 1,
        "metadata": {
            **stated,
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "tidegate",
                "version": version,
                "purl": own,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [
            {
                "type": "library",
                "bom-ref": refs[name],
                "name": name,
                "version": each["version"],
                "purl": refs[name],
                # One for each file of the version: a wheel for every system, and the source.
                "hashes": [{"alg": "SHA-256", "content": value} for value in each["hashes"]],
                **({"properties": [{"name": "tidegate:marker", "value": each["marker"]}]} if each["marker"] else {}),
            }
            for name, each in packages.items()
        ],
        "dependencies": [{"ref": ref, "dependsOn": sorted(needs)} for ref, needs in sorted(wanted.items())],
    }


def main() -> None:
    """Write it to stdout."""
    [version] = re.findall(
        r'^__version__ = "(.+)"', (_HERE.parent / "gateway/__init__.py").read_text(encoding="utf-8"), re.MULTILINE
    )
    lock = sys.argv[1] if len(sys.argv) > 1 else "runtime"
    packages = locked((_HERE / f"{lock}.lock").read_text(encoding="utf-8"))
    json.dump(bill(packages, version, os.environ.get("SOURCE_DATE_EPOCH")), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
