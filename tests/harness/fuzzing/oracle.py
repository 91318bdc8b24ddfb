"""What is wrong with an answer: held against the document the gateway serves about itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

from tests.harness.fuzzing.wire import Answer, Request

# What is refused as HTTP before any route is looked at.
_BEFORE = {400, 408, 413, 414, 415, 417, 431}
# Routes that take all that stands beneath them: who may ask there is looked at first.
_REACHING = ("/admin/v1/", "/v1/generate/", "/v1/estimate/", "/v1/v1/", "/openai/deployments/")
_NAME = re.compile(r"\{[a-z]+\}")
_SLASH = re.compile("%2f", re.IGNORECASE)
_PROBLEM = "application/problem+json"
_JSON = {"application/json", _PROBLEM}
# What no page of another origin may read.
_OF_OPERATORS = ("/admin/", "/livez", "/readyz", "/healthz", "/metrics", "/openapi.json", "/docs")
_VARIES = re.compile(rb'"(request_id|timestamp)":"[^"]*"')
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|\+00:00)$"
_METHODS = ("get", "post", "patch", "put", "delete")
# What no schema says: which fields go together, which addresses may be dialled, what a provider thinks of what it was sent.
_COMBINED = re.compile(
    r"no provider takes this combination|generation_id|(cannot be used|NUL character|no known kind|half a surrogate)"
)


class Oracle:
    """Knows the document, and which of its operations were answered how."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """Judge by this document; answers are held to its fields exactly, although clients must bear more."""
        self.document = document
        self._definitions = _local(_closed(document["components"]["schemas"]))
        self._requests = _local(document["components"]["schemas"])
        self._plain = {path: item for path, item in document["paths"].items() if "{" not in path}
        self._paths = [(path, _pattern(path), item) for path, item in document["paths"].items() if "{" in path]
        self._validators: dict[tuple[str, int], Draft202012Validator | None] = {}
        self._bodies: dict[str, Draft202012Validator] = {}
        self._seen: set[tuple[str, int, bytes]] = set()
        self.covered: set[tuple[str, int]] = set()

    def find(self, method: str, target: bytes) -> tuple[str, Mapping[str, Any]] | None:
        """The operation a request is for, by its one name; None when there is none."""
        path = _path(target)
        path = path.removeprefix("/v1") if path.startswith("/v1/v1/") else path
        for spelled in (path, path.removesuffix("/"), path.removesuffix("/").removeprefix("/v1")):
            # It comes before one with names, as OpenAPI has it; the router goes on where the method is not its own.
            if spelled in self._plain and (found := _operation(method, spelled, self._plain[spelled])):
                return found
        for name, pattern, item in self._paths:
            if pattern.fullmatch(path) or pattern.fullmatch(path.removesuffix("/")):
                return _operation(method, name, item)
        return None

    def mistakes(self, request: Request, answer: Answer) -> Iterator[str]:
        """Everything that is wrong with an answer."""
        found = self.find(request.method, request.target)
        yield from _headers(request, answer)
        if answer.status >= 500:
            yield f"a server error: {answer.status} {answer.body[:300]!r}"
        if found is None:
            yield from self._astray(request, answer)
            return
        name, operation = found
        self.covered.add((name, answer.status))
        if "Models" in operation["tags"]:
            self.covered.add((_general(name), answer.status))
        lost = answer.status in {404, 405} and "path" in request.notes  # bent so that no route knows it any more
        if str(answer.status) not in operation["responses"] or lost:
            if answer.status == 204 and request.method == "OPTIONS":
                return
            if answer.status not in _BEFORE and not lost:
                yield f"{name} is not said to answer {answer.status}: {answer.body[:300]!r}"
            yield from self._refusal(answer)
            return
        if request.method != "HEAD":
            yield from self._shape(name, operation, answer)
        if answer.status < 300:
            yield from self._let_through(name, operation, request)

    def wrong_body(self, name: str, operation: Mapping[str, Any], body: Any) -> str | None:
        """What the document has against a body, None when it takes it."""
        if name not in self._bodies:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            self._bodies[name] = Draft202012Validator({**_local(schema), "$defs": self._requests})
        error = next(self._bodies[name].iter_errors(body), None)
        return None if error is None else error.message[:200]

    def _let_through(self, name: str, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
        """What the document refuses is not to be done."""
        if "requestBody" not in operation or request.body is None or "/admin/" in name:
            return  # an act takes null for what is left out, and reads no body where none is due
        try:
            body = json.loads(request.body)
        except ValueError:
            yield f"{name} took a body that is no JSON"
            return
        if (wrong := self.wrong_body(name, operation, body)) is not None:
            yield f"{name} took a body that the document refuses: {wrong}"

    def refused_in_vain(self, request: Request, answer: Answer) -> str | None:
        """Why a request that nothing was bent about should not have been refused, None when there is a good reason."""
        found = self.find(request.method, request.target)
        if (found is not None and "Other clients" in found[1]["tags"]) or b"/deployments/" in request.target:
            return None  # what a model takes of the words of another API is said nowhere
        if request.target.startswith((b"/v1/estimate/", b"/v1/webhooks/", b"/admin/")):
            return None  # what fits together, or to the state that something is in, is said nowhere
        if answer.status < 400 or answer.status in {402, 403, 404, 409, 429}:
            return None
        said = answer.body.decode(errors="replace")
        return None if _COMBINED.search(said) else f"a request that fits the document was refused: {said[:300]}"

    def _astray(self, request: Request, answer: Answer) -> Iterator[str]:
        allowed = _BEFORE | {404, 405} | ({204} if request.method == "OPTIONS" else set())
        if _path(request.target).startswith(_REACHING) or "path" in request.notes:
            allowed |= {401, 403, 429}
        if answer.status not in allowed:
            yield f"no operation is there, and the answer is {answer.status}: {answer.body[:200]!r}"
        if answer.status >= 400 and request.method != "HEAD":
            yield from self._refusal(answer)
        if answer.status == 405 and not answer.header("allow"):
            yield "405 without Allow"

    def _refusal(self, answer: Answer) -> Iterator[str]:
        if answer.body:
            kind = (answer.header("content-type") or "").partition(";")[0]
            # The clients of one door read an error only under the plain name.
            schema = "Problem" if kind == _PROBLEM or b'"error_type":' in answer.body else "Error"
            validator = self._validator(f"an {schema}", 0, {"$ref": f"#/components/schemas/{schema}"})
            yield from _against(validator, answer)

    def _shape(self, name: str, operation: Mapping[str, Any], answer: Answer) -> Iterator[str]:
        said = self._at(operation["responses"][str(answer.status)])
        content = said.get("content", {})
        kind = (answer.header("content-type") or "").partition(";")[0]
        if content and kind not in content and "*/*" not in content:
            yield f"{name} {answer.status} is {kind!r}, not {', '.join(content)}"
        if not content and answer.body:
            yield f"{name} {answer.status} has a body"
        for header, schema in said.get("headers", {}).items():
            value = answer.header(header.lower())
            yield from self._header(header, self._at(schema), value)
        if (schema := content.get(kind, {}).get("schema")) and kind in _JSON:
            key = (name, answer.status, _VARIES.sub(b"", answer.body))
            if key not in self._seen:  # a long list says the same again and again, and looking at it takes its time
                self._seen.add(key)
                yield from _against(self._validator(name, answer.status, schema), answer)

    def _header(self, name: str, header: Mapping[str, Any], value: str | None) -> Iterator[str]:
        if value is None:
            if header.get("required"):
                yield f"the header {name} is missing"
            return
        schema = header["schema"]
        read = int(value) if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]+", value) else value
        if not Draft202012Validator(schema).is_valid(read):
            yield f"the header {name} is {value!r}"

    def _validator(self, name: str, status: int, schema: Mapping[str, Any]) -> Draft202012Validator:
        known = self._validators.get((name, status))
        if known is None:
            known = Draft202012Validator({**_local(_closed(schema)), "$defs": self._definitions})
            self._validators[name, status] = known
        return known

    def _at(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in found:
            _, _, kind, name = found["$ref"].split("/")
            found = self.document["components"][kind][name]
        return found


def _operation(method: str, path: str, item: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    verb = "get" if method == "HEAD" and "get" in item else method.lower()
    is_known = method.isupper() and verb in item and verb in _METHODS  # a method in small letters is another one
    return (f"{verb.upper()} {path}", item[verb]) if is_known else None


def _general(name: str) -> str:
    """The route that one model's is a case of."""
    return "/".join([*name.split("/")[:4], "{lab}", "{model}"])


def _path(target: bytes) -> str:
    path = target.decode("latin-1").partition("?")[0].partition("#")[0]
    # A slash that is written so stands within a word, as the router has it.
    return unquote(_SLASH.sub("%252F", path), errors="surrogateescape")


def _headers(request: Request, answer: Answer) -> Iterator[str]:
    """What every answer has, whatever was asked."""
    if answer.header("x-content-type-options") != "nosniff":
        yield "no nosniff"
    if answer.header("server") != "tidegate":
        yield f"the server calls itself {answer.header('server')!r}"
    if not re.fullmatch(r"req_[0-9A-Za-z_-]{26}", answer.header("x-request-id") or ""):
        yield f"X-Request-Id is {answer.header('x-request-id')!r}"
    if answer.header("cache-control") is None:
        yield "no Cache-Control"
    if answer.header("set-cookie") is not None or answer.header("access-control-allow-credentials") is not None:
        yield "a cookie, or leave for one"
    if answer.header("access-control-allow-origin") and _path(request.target).startswith(_OF_OPERATORS):
        yield "a page of another origin may read what is no part of /v1"
    is_final = b"BSE4010" in answer.body or b"insufficient_quota" in answer.body
    if answer.status in {429, 503} and not answer.header("retry-after") and not is_final:
        yield f"{answer.status} without Retry-After"
    if any("evil" in f"{name} {value}".lower() for name, value in answer.headers if name != "x-request-id"):
        yield "something that was sent stands in a header"
    if any(len(answer.all(name)) > 1 for name in ("content-type", "content-length", "x-request-id", "retry-after")):
        yield "a header is there twice"


def _against(validator: Draft202012Validator, answer: Answer) -> Iterator[str]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        yield f"no JSON: {answer.body[:200]!r}"
        return
    for error in validator.iter_errors(body):
        at = "/".join(str(step) for step in error.absolute_path)
        yield f"{answer.status} at {at!r}: {error.message[:300]}"


def _closed(schema: Any) -> Any:
    """The same schemas, taking no field they do not name."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _closed(value) for name, value in schema.items()}
    if made.get("type") == "object" and "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    if made.get("format") == "date-time":
        made["pattern"] = _MOMENT
    return made


def _local(schema: Any) -> Any:
    """The same, with references that lead to definitions beside it."""
    made: Any = json.loads(json.dumps(schema).replace("#/components/schemas/", "#/$defs/"))
    return made


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in _NAME.split(path)), re.DOTALL)
