"""What may be shown of a fault: without secrets in the store and in answers, and without a caller's words in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway import log
from gateway.fault import Fault

_MESSAGE = 500  # characters of a provider's text that are worth keeping; two kilobytes at most
_CODE = 100  # characters of a native code; the longest known has forty


def fit_to_keep(fault: Fault) -> Fault:
    """Strike secrets out of what a provider said and then cut it: the other way round, half of one might stay at the end."""
    code = log.excerpt(fault.code, _CODE) if fault.code is not None else None
    message = log.excerpt(fault.message, _MESSAGE) or "what the provider says cannot be shown"
    return replace(fault, message=message, code=code or None)


def why(fault: Fault) -> dict[str, Any]:
    """What the log is given of a fault: our own words by one name, a provider's by one that is veiled unless prompts are logged."""
    return {"said": fault.message} if fault.quoted else {"reason": fault.message}
