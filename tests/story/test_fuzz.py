"""Fitting and bent requests at a whole gateway: nothing it answers is more, less or other than it says of itself."""

from __future__ import annotations

from pathlib import Path

from gateway.ingress.admin import ACTS
from gateway.ingress.openapi.calls import CALLS
from gateway.ingress.openapi.document import FRONTS
from tests.harness import fuzz


async def test_no_answer_contradicts_the_document(tmp_path: Path) -> None:
    """S08, S10, S51, S90: over some hundred requests no answer is a server error or contradicts the document, and nothing is held in vain."""
    figures = await fuzz.run(1_000, 7, tmp_path)
    assert figures.bad() == 0, "\n".join([*figures.notes[:20], figures.line()])
    assert figures.operations_of == len(CALLS) + len(FRONTS) + len(ACTS), (
        "every route of the whole gateway is in its document"
    )
    assert figures.operations > figures.operations_of * 0.6, figures.notes
    assert figures.accepted > 30
    assert {200, 400, 401, 403, 404, 405, 409, 415} <= set(figures.answers)
