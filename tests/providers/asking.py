"""Every way a model of a pack can be asked for, one difference at a time."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.generation import Type, Value
from gateway.offer import Form, Handing, Limits
from gateway.providers.pack import Model

PICTURE = "https://example.com/picture.png"
FILM = "https://example.com/film.mp4"
# One pixel, as callers send a picture that is nowhere to be fetched.
INLINE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


def cases(model: Model) -> Iterator[tuple[str, dict[str, Value]]]:
    """Give a name and the fields of each request: every form bare, then with each row and each bound of it."""
    for number, form in enumerate(model.offer.forms, 1):
        bare = _bare(form)
        yield f"form {number}", bare
        for pick in form.picks:
            for row in pick.rows:
                chosen = dict(zip(pick.fields, row, strict=True))
                yield f"form {number}, {chosen}", {**bare, **chosen}
        for name, limits in form.takes.items():
            for value in _bounds(name, limits):
                yield f"form {number}, {name} {str(value)[:40]}", {**bare, name: value}


def _bare(form: Form) -> dict[str, Value]:
    """The least a form can be asked with."""
    bare: dict[str, Value] = {"prompt": "a seal"} if form.knows("prompt") else {}
    for name in sorted(form.given | form.needs):
        if name in bare or (name in form.defaults and name not in form.given):
            continue
        pick = next((pick for pick in form.picks if name in pick.fields), None)
        bare[name] = pick.values(name)[0] if pick is not None else _least(name, form.takes[name])
    for pick in form.picks:
        # Of a table over two fields one value alone chooses nothing.
        said = {**form.defaults, **bare}
        if 0 < sum(name in said for name in pick.fields) < len(pick.fields):
            rows = (dict(zip(pick.fields, row, strict=True)) for row in pick.rows)
            fitting = next(row for row in rows if all(said.get(name, value) == value for name, value in row.items()))
            bare.update({name: value for name, value in fitting.items() if name not in said})
    return bare


def _least(name: str, limits: Limits) -> Value:
    match limits.type:
        case Type.URLS:
            return (FILM if "video" in name else PICTURE,) * max(1, int(limits.min or 1))
        case Type.URL:
            return FILM if "video" in name else PICTURE
        case Type.INTEGER | Type.NUMBER:
            return limits.min if limits.min is not None else 1
        case Type.BOOLEAN:
            return True
        case Type.TEXT:
            return "a seal"


def _bounds(name: str, limits: Limits) -> Iterator[Value]:
    match limits.type:
        case Type.URLS:
            if limits.max is not None:
                yield (FILM if "video" in name else PICTURE,) * int(limits.max)
            if Handing.URL not in limits.takes or Handing.DATA in limits.takes:
                yield (INLINE,)
        case Type.INTEGER | Type.NUMBER:
            yield from (
                int(bound) if float(bound).is_integer() else bound
                for bound in (limits.min, limits.max)
                if bound is not None
            )
        case Type.BOOLEAN:
            yield from (True, False)
        case Type.URL | Type.TEXT:
            yield _least(name, limits)
