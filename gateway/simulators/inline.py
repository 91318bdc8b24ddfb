"""Files that come inside an answer instead of behind a link, with the faults that befall files."""

from __future__ import annotations

import base64

from gateway.simulators import media
from gateway.simulators.chaos import Do
from gateway.simulators.jobs import Job, Output

_PAGE = b"<!doctype html><html><head><title>Just a moment</title></head><body></body></html>"


def made(job: Job, output: Output) -> bytes:
    """Return an output's bytes; cut in half, or a page instead, when the script has it so."""
    if job.output_fault is Do.OUTPUT_HTML:
        return _PAGE
    data = media.draw(output, job.prompt)
    return data[: len(data) // 2] if job.output_fault is Do.OUTPUT_TRUNCATED else data


def encoded(job: Job, output: Output) -> str:
    """Return an output as bare base64."""
    return base64.b64encode(made(job, output)).decode()
