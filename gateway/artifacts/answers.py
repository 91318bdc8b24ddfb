"""What a bucket's service answers when it does not do what it is asked, as a fault of the store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from gateway.artifacts.fault import StorageFault

_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_STATUS = re.compile(r"status code: ([1-5][0-9]{2})")
_FULL = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"})
# No later try changes these: they are for the operator.
_WRONG = frozenset({"NoSuchBucket", "InvalidBucketName", "PermanentRedirect", "AuthorizationHeaderMalformed", "301"})


class Refused(StorageFault):
    """The service answered, and will answer the same until somebody changes something."""


@contextmanager
def translated() -> Iterator[None]:
    """Make one kind of fault of what the client raises. Its own words hold addresses, so they are kept as the cause alone."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise _fault(error) from error


def _fault(error: Exception) -> StorageFault:
    code, status = said(error)
    answer = " ".join(filter(None, [status, code]))
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return Refused(
            f"the bucket refuses us ({answer or 'no permission'}); look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and at what"
            " the key may do"
        )
    if {code, status} & _WRONG:
        return Refused(f"the bucket cannot be used ({answer}); look at outputs.store, AWS_ENDPOINT_URL and AWS_REGION")
    if answer:
        return StorageFault(f"the bucket cannot be used ({answer})", full=code in _FULL or status == "507")
    return StorageFault("the bucket cannot be reached")


def said(error: Exception) -> tuple[str, str]:
    """Give the service's own word and the status it answered with, empty where there was none."""
    text = str(error)
    code, status = _CODE.search(text), _STATUS.search(text)
    return code[1] if code else "", status[1] if status else ""
