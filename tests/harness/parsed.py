"""Every parser that is given strange inputs, whichever room it lives in."""

from __future__ import annotations

from tests.harness import parsed_callbacks, parsed_files, parsed_outputs, parsed_replies, parsed_requests
from tests.harness.parsers import Parser

PARSERS: tuple[Parser, ...] = (
    *parsed_replies.PARSERS,
    *parsed_callbacks.PARSERS,
    *parsed_requests.PARSERS,
    *parsed_files.PARSERS,
    *parsed_outputs.PARSERS,
)
