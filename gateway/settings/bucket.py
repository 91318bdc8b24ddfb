"""How a bucket for outputs is reached: by the usual variables of such services, and not by settings."""

from __future__ import annotations

import os
from collections.abc import Mapping

from gateway.artifacts.access import LONGEST_LINK, NAMES, Access, Place, access, has_client
from gateway.providers.secrets import find
from gateway.settings.records import Bucket


def bucket(
    place: Place | None, environ: Mapping[str, str], *, to_bucket: bool, links: int
) -> tuple[Bucket | None, dict[str, str]]:
    """Give what reaches `place`, and what is wrong by the key of `outputs`; `links` is how many ms they work."""
    if place is None:
        said = "bucket wants outputs.store to be s3://bucket/prefix; use gateway"
        return None, {"link_to": said} if to_bucket else {}
    if not has_client():
        return None, {"store": "a bucket needs a library that is not there; pip install 'tidegate[s3]'"}
    values = {name: found for name in NAMES if (found := find(environ, name)) is not None}
    try:
        reached = access(values)
    except ValueError as error:
        return None, {"store": str(error)}
    wrong = _links(reached, links) if to_bucket else {}
    if reached.authorities is not None and not os.access(reached.authorities, os.R_OK):
        wrong["store"] = "AWS_CA_BUNDLE names a file that cannot be read"
    return Bucket(place, reached, to_bucket), wrong


def _links(reached: Access, links: int) -> dict[str, str]:
    wrong = {}
    if reached.key is None or reached.token is not None:
        wrong["link_to"] = (
            "the links of a role end with its session, whatever outputs.links says; use gateway, or set AWS_ACCESS_KEY_ID"
            " and AWS_SECRET_ACCESS_KEY to a key that stays"
        )
    if links > LONGEST_LINK * 1000:
        wrong["links"] = "links to a bucket work for 7d at most; shorten them, or set outputs.link_to to gateway"
    return wrong
