"""The document as one page: no script, nothing from elsewhere, readable without either."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from gateway.ingress.refusal import CODES

_STYLE = """\
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#5b6570;--line:#d9dee3;--soft:#f5f7f9;--back:#fff;--link:#0b5cad;
--get:#0a7d4f;--post:#0b5cad;--patch:#8a5a00;--delete:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--dim:#98a3ae;--line:#2f3740;--soft:#1a2027;--back:#12161b;--link:#6cb2f7;
--get:#4cc38a;--post:#6cb2f7;--patch:#e0b050;--delete:#f28b82}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.55 system-ui,sans-serif}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
code,pre{font:13px/1.5 ui-monospace,Menlo,Consolas,monospace}
code{background:var(--soft);padding:.1em .3em;border-radius:3px;overflow-wrap:anywhere}
pre{background:var(--soft);padding:.8em 1em;border-radius:6px;overflow:auto;margin:.6em 0}
.frame{display:grid;grid-template-columns:13em minmax(0,54em);gap:2.5em;max-width:74em;margin:0 auto;padding:2em 1.5em 6em}
nav{position:sticky;top:2em;align-self:start}nav a{display:block;padding:.15em 0}nav b{display:block;margin-bottom:.6em;font-size:1.15em}
h1{margin:0 0 .2em;font-size:1.9em}h2{margin:2.4em 0 .1em;font-size:1.25em}h3{margin:1.2em 0 .3em;font-size:.95em}
.dim{color:var(--dim)}
details{border:1px solid var(--line);border-radius:6px;margin:.45em 0}
details[open]{padding-bottom:.6em}details>:not(summary){margin-left:1em;margin-right:1em}
summary{display:flex;flex-wrap:wrap;gap:.2em .7em;align-items:baseline;padding:.45em .8em;cursor:pointer}
summary .says{color:var(--dim);flex:1 1 14em}
.verb{font:600 12px/1.6 ui-monospace,monospace;min-width:4.4em}
.GET{color:var(--get)}.POST{color:var(--post)}.PATCH{color:var(--patch)}.DELETE{color:var(--delete)}
.path{background:none;padding:0;font-weight:600}
.scope{font-size:12px;border:1px solid var(--line);border-radius:9px;padding:0 .6em;color:var(--dim)}
table{border-collapse:collapse;width:calc(100% - 2em)}td,th{border-top:1px solid var(--line);padding:.3em .8em .3em 0;text-align:left;vertical-align:top}
tr:first-child>*{border-top:0}th{font-weight:600;white-space:nowrap}
@media(max-width:50em){.frame{display:block}nav{position:static;margin-bottom:2em}nav a{display:inline-block;margin-right:1em}}
"""
STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
MODELS = "Models"  # the group of calls by one model each
_SHOWN = 24  # values of a list that are shown; the document has all


def html(document: Mapping[str, Any]) -> str:
    """Write the page for a document."""
    info = document["info"]
    groups = {tag["name"]: (tag["description"], list(_of(document, tag["name"]))) for tag in document["tags"]}
    links = "".join(f'<a href="#{_anchor(name)}">{escape(name)}</a>' for name, (_, found) in groups.items() if found)
    about = "".join(f"<p>{_prose(part)}</p>" for part in info["description"].split("\n\n"))
    body = "".join(_group(name, says, found) for name, (says, found) in groups.items() if found)
    title = escape(f"{info['title']} {info['version']}")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}: the API</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><div class="frame"><nav><b>{escape(info["title"])}</b>{links}<a href="openapi.json">openapi.json</a></nav>'
        f'<main><h1>The API</h1><p class="dim">{title}</p>{about}{body}{_errors()}</main></div></body></html>\n'
    )


def _errors() -> str:
    """Every error there is, each where the `type` of a problem leads."""
    rows = "".join(
        f'<tr id="error-{escape(name)}"><th><code>{escape(code.code)}</code></th><td>{escape(code.type)}</td>'
        f"<td>{code.status}{', worth another try' if code.retryable else ''}</td></tr>"
        for name, code in CODES.items()
    )
    return f'<h2 id="of-errors">Errors</h2><table>{rows}</table>'


def _of(document: Mapping[str, Any], tag: str) -> Iterator[str]:
    """Every operation of a group, as its part of the page."""
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method != "parameters" and tag in operation["tags"]:
                yield _operation(document, method.upper(), path, operation, shared)


def _group(name: str, says: str, found: Iterable[str]) -> str:
    return f'<h2 id="{_anchor(name)}">{escape(name)}</h2><p class="dim">{_prose(says)}</p>{"".join(found)}'


def _operation(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any], shared: list[Any]
) -> str:
    scopes = [scope for need in operation["security"] for names in need.values() for scope in names]
    badge = "".join(f'<span class="scope">{escape(scope)}</span>' for scope in scopes)
    head = (
        f'<summary><span class="verb {method}">{method}</span><code class="path">{escape(path)}</code>'
        f'<span class="says">{_prose(operation["summary"])}</span>{badge}</summary>'
    )
    parts = [head]
    parameters = [_at(document, each) for each in [*shared, *operation.get("parameters", [])]]
    if operation["tags"] == [MODELS]:  # all else is as on the general path
        return f'<details id="{escape(operation["operationId"])}">{head}{_body(document, _schema(operation["requestBody"]))}</details>'
    if parameters:
        rows = (
            (each["name"], each["in"], _kind(document, each["schema"]), each.get("description", ""))
            for each in parameters
        )
        parts.append(f"<h3>Parameters</h3>{_table(rows)}")
    if "requestBody" in operation:
        parts.append(_body(document, _schema(operation["requestBody"])))
    said = ((status, _at(document, answer)) for status, answer in operation["responses"].items())
    rows = ((status, _shape(document, answer), "", answer["description"]) for status, answer in said)
    parts.append(f"<h3>Answers</h3>{_table(rows)}")
    return f'<details id="{escape(operation["operationId"])}">{"".join(parts)}</details>'


def _body(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    found = _at(document, schema)
    needed = found.get("required", ())
    rows = (
        (
            name,
            "required" if name in needed else "",
            _kind(document, field),
            _at(document, field).get("description", ""),
        )
        for name, field in found.get("properties", {}).items()
    )
    shown = found.get("examples", [])
    example = f"<pre>{escape(json.dumps(shown[0], indent=2, ensure_ascii=False))}</pre>" if shown else ""
    return f"<h3>Body</h3>{example}{_table(rows)}"


def _shape(document: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """What the answer holds, by the names of its data."""
    schema = _schema(answer)
    data = schema.get("properties", {}).get("data")
    names = [each["$ref"].rpartition("/")[2] for each in (data or {}).get("anyOf", [data or {}]) if "$ref" in each]
    fields = [name for each in names for name in document["components"]["schemas"][each].get("properties", {})]
    if fields:
        return ", ".join(dict.fromkeys(fields))
    return "" if "error" in schema.get("properties", {}) else next(iter(answer.get("content", {})), "")


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    found = _at(document, schema)
    usual = f" (usually {json.dumps(found['default'], ensure_ascii=False)})" if "default" in found else ""
    if "enum" in found:
        values = [json.dumps(value, ensure_ascii=False).strip('"') for value in found["enum"]]
        more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
        return ", ".join(values[:_SHOWN]) + more + usual
    type_ = found.get("type", "")
    words = [" or ".join(type_) if isinstance(type_, list) else str(type_)]
    if "items" in found:
        words = [f"list of {_kind(document, found['items'])}"]
    low = found.get("minimum", found.get("minItems", found.get("minLength")))
    high = found.get("maximum", found.get("maxItems", found.get("maxLength")))
    if low is not None or high is not None:
        words.append(f"from {low}" if high is None else f"up to {high}" if low is None else f"from {low} to {high}")
    return " ".join(words) + usual


def _table(rows: Iterable[tuple[str, str, str, str]]) -> str:
    lines = (
        f"<tr><th><code>{escape(name)}</code></th><td>{' '.join(escape(part) for part in (where, kind) if part)}</td>"
        f"<td>{_prose(says)}</td></tr>"
        for name, where, kind, says in rows
    )
    return f"<table>{''.join(lines)}</table>"


def _schema(content: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((each.get("schema", {}) for each in content.get("content", {}).values()), {})


def _at(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to."""
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _anchor(name: str) -> str:
    return f"of-{name.lower()}"


def _prose(text: str) -> str:
    """A sentence with its code and its stress, and nothing else of what it may hold."""
    return _STRONG.sub(r"<b>\1</b>", _CODE.sub(r"<code>\1</code>", escape(text)))
