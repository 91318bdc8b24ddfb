"""The schema of the chart's values: `python -m tests.deploy.values` writes it; a test holds it against the file.

The part about the policy is the gateway's own schema of the policy file, so that a mistake in it is found before anything is
installed. A `${NAME}` may stand in any of its values, and what the chart decides by itself is not among its keys.
"""

from __future__ import annotations

import json
from typing import Any

from gateway.settings import json_schema
from tests.house.tree import ROOT

FILE = ROOT / "helm" / "tidegate" / "values.schema.json"
# The chart says these: where the gateway listens and keeps its ledger, and that it asks for keys.
DECIDED = ("listen", "store", "metrics", "auth", "catalog")

_NAME = "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
_VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"
_CIDR = r"^[0-9A-Fa-f:.]+/[0-9]{1,3}$"

TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
PORT = {"type": "integer", "minimum": 1, "maximum": 65535}


def closed(**properties: Any) -> dict[str, Any]:
    """A mapping with these keys and no other."""
    return {"type": "object", "additionalProperties": False, "properties": properties}


def every(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A list of such."""
    return {"type": "array", "items": schema, **more}


def texts(pattern: str | None = None) -> dict[str, Any]:
    """A mapping from any name to texts, such as labels."""
    names = {"propertyNames": {"pattern": pattern}} if pattern else {}
    return {"type": "object", "additionalProperties": TEXT, **names}


def matching(pattern: str, **more: Any) -> dict[str, Any]:
    """A text of this form."""
    return {"type": "string", "pattern": pattern, **more}


def policy() -> dict[str, Any]:
    """The gateway's schema of its policy, less what the chart decides."""
    found = _fillable(json_schema())
    for name in DECIDED:
        del found["properties"][name]
    return {key: value for key, value in found.items() if key not in {"$schema", "title"}}


def _fillable(node: Any) -> Any:
    """The same schema where every single value may also be a text with a variable."""
    match node:
        case {"propertyNames": dict(), **rest}:
            return {"propertyNames": {"pattern": node["propertyNames"]["pattern"]}, **_inside(rest)}
        case {"anyOf": list(several)}:
            return {
                **_inside({key: node[key] for key in node if key != "anyOf"}),
                "anyOf": [_fillable(each) for each in several],
            }
        case {"type": "object" | "array" | ["object", "null"] | ["array", "null"]}:
            return _inside(node)
        case {"type": "string", **rest} if not rest.keys() & {"pattern", "enum", "minLength"}:
            return _plain(node)
        case {"type": _}:
            said = {"description": node["description"]} if "description" in node else {}
            bare = {key: value for key, value in _plain(node).items() if key != "description"}
            return {**said, "anyOf": [bare, {"type": "string", "pattern": r"\$\{"}]}
        case _:
            return node


def _inside(node: dict[str, Any]) -> dict[str, Any]:
    found = _plain(node)
    if "properties" in found:
        found["properties"] = {name: _fillable(each) for name, each in found["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _fillable(found[key])
    return found


def _plain(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in {"x-expected", "default"}}


def schema() -> dict[str, Any]:
    """The whole schema."""
    shared = {"type": "object", "description": "What a chart that contains this one hands to all of its parts."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the chart tidegate",
        **closed(**{"global": shared}, **_names(), **_running(), **_kept(), **_reached(), **_watched()),
    }


NAMES = every(matching(_NAME), uniqueItems=True)
NAME = {"anyOf": [matching(_NAME), {"const": ""}]}


def _names() -> dict[str, Any]:
    return {
        "image": closed(
            repository=matching(r"^[a-z0-9][-a-z0-9._/:]*$"),
            tag=matching(r"^[A-Za-z0-9_.-]{0,128}$"),
            digest=matching(r"^(sha256:[0-9a-f]{64})?$"),
            pullPolicy={"enum": ["Always", "IfNotPresent", "Never"]},
        ),
        "imagePullSecrets": NAMES,
        "nameOverride": matching("^([a-z]([-a-z0-9]{0,40}[a-z0-9])?)?$"),
        "fullnameOverride": matching("^([a-z]([-a-z0-9]{0,50}[a-z0-9])?)?$"),
        "labels": texts(),
        "podLabels": texts(),
        "podAnnotations": texts(),
    }


def _running() -> dict[str, Any]:
    amounts = closed(**dict.fromkeys(("cpu", "memory", "ephemeral-storage"), matching(_QUANTITY)))
    identity = {"type": ["integer", "null"], "minimum": 1, "maximum": 2**31 - 1}
    toleration = closed(
        key=TEXT,
        operator={"enum": ["Exists", "Equal"]},
        value=TEXT,
        effect={"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
        tolerationSeconds={"type": "integer", "minimum": 0},
    )
    return {
        "replicas": {"type": "integer", "minimum": 0, "maximum": 100},
        "serviceAccount": closed(create=FLAG, name=NAME, annotations=texts()),
        "identity": closed(user=identity, group=identity, volumeGroup=identity),
        "resources": {
            **closed(requests=amounts, limits={**amounts, "required": ["memory"]}),
            "required": ["limits"],
        },
        "autoscaling": closed(
            enabled=FLAG,
            min={"type": "integer", "minimum": 1},
            max={"type": "integer", "minimum": 1},
            cpu={"type": "integer", "minimum": 1, "maximum": 100},
        ),
        "disruptionBudget": closed(enabled=FLAG, maxUnavailable={"type": "integer", "minimum": 1}),
        "nodeSelector": texts(),
        "tolerations": every(toleration),
        "priorityClassName": NAME,
    }


def _kept() -> dict[str, Any]:
    files = closed(secret=matching(_NAME), variables=every(matching(_VARIABLE), minItems=1, uniqueItems=True))
    part = "[A-Za-z0-9][A-Za-z0-9._-]*"
    return {
        "store": closed(
            kind={"enum": ["sqlite", "postgresql"]},
            secret=NAME,
            key=matching("^[-._a-zA-Z0-9]+$"),
            secretKey=matching("^[-._a-zA-Z0-9]+$"),
        ),
        "policy": policy(),
        "packs": texts(rf"^[a-z0-9][a-z0-9_-]*/({part}/)?{part}\.yaml$"),
        "secrets": closed(env=NAMES, files=every({**files, "required": ["secret", "variables"]})),
        "env": texts(_VARIABLE),
        "persistence": closed(
            enabled=FLAG,
            size=matching(_QUANTITY),
            storageClass={"anyOf": [NAME, {"const": "-"}]},
            accessModes=every({"enum": ["ReadWriteOnce", "ReadWriteOncePod"]}, minItems=1),
            existingClaim=NAME,
            keep=FLAG,
            annotations=texts(),
        ),
    }


def _reached() -> dict[str, Any]:
    peer = {
        **closed(namespaces=texts(), pods=texts(), cidr=matching(_CIDR)),
        "oneOf": [{"required": ["cidr"]}, {"anyOf": [{"required": ["namespaces"]}, {"required": ["pods"]}]}],
    }
    host = closed(host=matching(r"^(\*\.)?[a-z0-9.-]+$"), path=matching("^/"))
    outside = closed(cidr=matching(_CIDR), ports=every(PORT, minItems=1))
    return {
        "service": closed(type={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]}, port=PORT, annotations=texts()),
        "ingress": closed(
            enabled=FLAG,
            className=NAME,
            annotations=texts(),
            hosts=every({**host, "required": ["host"]}),
            tls=every(closed(secretName=matching(_NAME), hosts=every(TEXT))),
        ),
        "networkPolicy": closed(
            enabled=FLAG,
            callers=every(peer),
            scrapers=every(peer),
            egress=every({**outside, "required": ["cidr"]}),
        ),
    }


def _watched() -> dict[str, Any]:
    return {
        "metrics": closed(
            serviceMonitor=closed(enabled=FLAG, interval=matching("^[0-9]+(ms|s|m)$"), labels=texts()),
            rules=closed(enabled=FLAG, labels=texts()),
            dashboard=closed(enabled=FLAG, labels=texts()),
        )
    }


def text() -> str:
    """The file's text."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
