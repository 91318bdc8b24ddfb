"""The three requests whose work is counted, each followed until nothing is under way."""

from __future__ import annotations

import json
import urllib.request

from tests.bench.line import Line
from tests.shape.serving import Served

PICTURE = json.dumps({"model": "gpt-image-2", "prompt": "a baby seal plays in the Arctic", "n": 1, "size": "1024x1024"})
CREATE = json.dumps({"generation_prompt": "a baby seal plays in the Arctic", "generation_ratio": "16:9"})
_SETTLED = 60  # seconds: in the first of a process whatever is asked for is looked for among what was asked before it
CREATE_AT = "/v1/generate/image/bfl/flux-schnell"


def picture(line: Line) -> None:
    """A picture that is in the answer."""
    _, status, head, _ = line.ask("POST", "/v1/images/generations", PICTURE)
    assert status == 200, head
    assert b"b64_json" in head, head


def create(served: Served, line: Line) -> str:
    """A job that runs: its id, once its provider has it and the store knows so."""
    _, status, head, _ = line.ask("POST", CREATE_AT, CREATE)
    assert status == 200, head
    found: str = json.loads(head)["data"]["generation_id"]
    served.until(lambda: served.is_at_rest(found))
    return found


def record(line: Line, generation: str) -> bytes:
    """The record of a generation."""
    _, status, head, _ = line.ask("GET", f"/v1/content/{generation}")
    assert status == 200, head
    return head


def ended(served: Served, far: str) -> str:
    """A generation that has succeeded."""
    with served.line as line:
        found = create(served, line)
    _finish(far, finish=True)
    served.do(served.clock.advance(_SETTLED))
    served.until(lambda: not served.runs.has(found))
    _finish(far, finish=False)
    return found


def _finish(far: str, *, finish: bool) -> None:
    """Whether jobs are to end when they are looked at."""
    urllib.request.urlopen(f"{far}/_finish", json.dumps(finish).encode()).close()
