"""A record → a film in that API's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, assert_never

from gateway.generation import State
from gateway.ingress.reception import told
from gateway.ingress.record import failure
from gateway.ingress.videos.words import code_of
from gateway.ledger.records import Record

PREFIX = "video_"
# The height of a class as films have it, where a class names no height itself.
_HEIGHTS: Mapping[str, int] = MappingProxyType({"1k": 1080, "2k": 1440, "4k": 2160})
_RATIO = re.compile(r"([0-9]{1,3}):([0-9]{1,3})", re.ASCII)
_UNKNOWN = "auto"  # a size that only the film itself will tell


def identity(generation: str) -> str:
    """The id of a film."""
    return PREFIX + generation


def generation_of(id_: str) -> str:
    """The generation that a film's id means; what is none is given back as it is, and nobody has it."""
    return id_.removeprefix(PREFIX)


def status(state: State) -> str:
    """How far it is: a word the clients do not know would end their waiting."""
    match state:
        case State.ACCEPTED:
            return "queued"
        case State.SUBMITTING | State.RUNNING | State.STORING:
            return "in_progress"
        case State.SUCCEEDED:
            return "completed"
        case State.FAILED | State.CANCELED:
            return "failed"
        case _:
            assert_never(state)


def film(record: Record, *, share: float | None, keep: int | None) -> dict[str, Any]:
    """The film: `share` of the work that is done, from 0 to 1, where it is known; `keep` ms its file is kept for, None for ever."""
    asked = {**record.plan.get("defaults", {}), **(record.request or {})}
    door = record.plan.get("door", {})
    ended = record.ended // 1000 if record.ended is not None else None
    done = record.state is State.SUCCEEDED
    return {
        "id": identity(record.id),
        "object": "video",
        "model": record.model,
        "status": status(record.state),
        "progress": 100 if done else min(99, max(0, int((share or 0) * 100))),
        "created_at": record.created // 1000,
        "completed_at": ended if done else None,
        "expires_at": _expires(record, keep),
        "prompt": asked.get("prompt"),
        "size": _size(record, asked, door),
        "seconds": _seconds(asked.get("duration")),
        "remixed_from_video_id": identity(door["remixed"]) if "remixed" in door else None,
        "error": _error(record),
        "tidegate": _own(record, door),
    }


def _own(record: Record, door: Mapping[str, Any]) -> dict[str, Any]:
    own = told(record)
    if not record.attempts:
        del own["attempts"]  # a list does not read them
    return {**own, "adjustments": [*own["adjustments"], *_adjusted(record, door)]}


def _expires(record: Record, keep: int | None) -> int | None:
    if record.removed is not None:
        return record.removed // 1000
    if record.state is not State.SUCCEEDED or record.ended is None or keep is None:
        return None
    return (record.ended + keep) // 1000


def _error(record: Record) -> dict[str, Any] | None:
    match record.state:
        case State.FAILED:
            refusal = failure(record)
            return {"code": code_of(refusal), "message": refusal.message}
        case State.CANCELED:
            return {"code": "canceled", "message": "the video was canceled"}
        case _:
            return None


def _size(record: Record, asked: Mapping[str, Any], door: Mapping[str, Any]) -> str:
    """Its pixels: those it has, or those that were asked for, or those that shape and class come to."""
    if (made := _made(record)) is not None:
        return made
    written = door.get("size")
    if isinstance(written, str):
        return written
    return _pixels(str(asked.get("ratio", "")), _height(str(asked.get("resolution", "")))) or _UNKNOWN


def _pixels(ratio: str, height: int | None) -> str | None:
    """The pixels of a shape whose shorter side is so high, as encoders have them: even numbers."""
    found = _RATIO.fullmatch(ratio)
    if found is None or height is None or not int(found[1]) or not int(found[2]):
        return None
    wide, high = int(found[1]), int(found[2])
    longer = 2 * round(height * max(wide, high) / min(wide, high) / 2)
    return f"{longer}x{height}" if wide >= high else f"{height}x{longer}"


def _height(grade: str) -> int | None:
    number = grade.lower().removesuffix("p")
    return int(number) if number.isascii() and number.isdigit() else _HEIGHTS.get(grade.lower())


def _made(record: Record) -> str | None:
    first = record.artifacts[0] if record.artifacts else None
    if first is None or first.width is None or first.height is None:
        return None
    return f"{first.width}x{first.height}"


def _adjusted(record: Record, door: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was made otherwise than it was asked."""
    made, size = _made(record), door.get("size")
    off = (
        [{"field": "size", "asked": size, "given": made, "action": "adjusted"}]
        if size and made and made != size
        else []
    )
    return [*([] if off else door.get("adjusted", ())), *off]


def _seconds(duration: Any) -> str:
    if not isinstance(duration, int | float) or isinstance(duration, bool):
        return "0"
    return f"{duration:g}"
