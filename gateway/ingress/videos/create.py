"""The calls that begin a film: they answer when it is taken in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from aiohttp import web

from gateway.generation import Kind
from gateway.ingress import body as bodies
from gateway.ingress import form as forms
from gateway.ingress import tags
from gateway.ingress.callers import Caller
from gateway.ingress.dialect import digest_of
from gateway.ingress.images.wishes import model_of, typed
from gateway.ingress.kit import Kit
from gateway.ingress.reception import headers
from gateway.ingress.refusal import Refusal
from gateway.ingress.videos import source
from gateway.ingress.videos import wishes as reading
from gateway.ingress.videos.shelf import Shelf
from gateway.ingress.videos.wishes import Reference
from gateway.ingress.weigh import Asked
from gateway.routing.menu import Menu

_REMIXED = ("prompt", "model", "seconds", "size")  # what a remix may say; all else is as it was


class Create:
    """Takes films in."""

    def __init__(self, kit: Kit, shelf: Shelf) -> None:
        """Take in by `kit`, and word films as `shelf` does."""
        self._kit = kit
        self._shelf = shelf

    async def create(self, request: web.Request, caller: Caller) -> web.Response:
        """A film out of words, and of a picture or a film if there is one; sent as a form or as JSON."""
        texts, files, body = await _read(request)
        menu = self._kit.reception.menu(model_of(dict(texts) if texts or files else body))
        fields = typed(texts, menu) if texts or files else dict(body)
        references = [*await source.of_files(files), *source.of_body(fields)]
        return await self._begin(request, caller, menu, fields, references)

    async def remix(self, request: web.Request, caller: Caller) -> web.Response:
        """A film out of one that was made here, by a model that can; by the same one unless another is named."""
        said = await bodies.read(request)
        if unknown := [name for name in said if name not in _REMIXED]:
            raise Refusal(
                "invalid_input", f"a remix takes {', '.join(_REMIXED)}; not {unknown[0][:60]!r}", field=unknown[0]
            )
        record = await self._shelf.find(request, caller)
        menu = self._kit.reception.menu(model_of(said) if said.get("model") is not None else record.model)
        if menu.kind is not Kind.VIDEO or "video" not in menu.fields:
            able = ", ".join(
                sorted(name for name, each in self._kit.reception.menus.items() if "video" in each.fields)[:6]
            )
            told = f"{menu.model} makes no video out of another one; name a model that does as `model`, such as {able}"
            raise Refusal("invalid_input", told, field="model")
        reference = await source.of_film(request, self._kit.delivery, record)
        asked = {**record.plan.get("defaults", {}), **record.request}
        return await self._begin(
            request, caller, menu, {**_as_it_was(asked, menu, said), **said}, [reference], remixed=record.id
        )

    async def other(self, request: web.Request, _caller: Caller) -> NoReturn:
        """What that API has and is not offered here."""
        said = (
            f"{request.path[:100]} is not offered; send what the video starts from as {reading.REFERENCE} to /v1/videos"
        )
        raise Refusal("not_found", said, details={"endpoint": request.path[:100]})

    async def _begin(
        self,
        request: web.Request,
        caller: Caller,
        menu: Menu,
        fields: Mapping[str, Any],
        references: Sequence[Reference],
        *,
        remixed: str | None = None,
    ) -> web.Response:
        if menu.kind is not Kind.VIDEO:
            raise Refusal(
                "invalid_input", f"{menu.model} makes images; its path is /v1/images/generations", field="model"
            )
        wishes = reading.read(fields, menu, references)
        marks = tags.of(request)
        door = {
            **({"size": wishes.size} if wishes.size else {}),
            **({"adjusted": [dict(each) for each in wishes.adjusted]} if wishes.adjusted else {}),
            **({"remixed": remixed} if remixed else {}),
        }
        asked = Asked(Kind.VIDEO, menu.model, wishes.fields, wishes.order, reading.spell, caller.keys, marks, door)
        # A remixed film goes by its link, which is another each time; what it is is said by its id.
        told = {name: value for name, value in wishes.fields.items() if name != "video" or remixed is None}
        digest = digest_of("videos", menu.model, told, wishes.order, marks, door)
        taken = await self._kit.reception.take(request, caller, asked, digest)
        record = await self._kit.reception.find(caller, taken.generation)
        return self._shelf.film(record, headers(record, taken))


def _as_it_was(asked: Mapping[str, Any], menu: Menu, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a remix keeps of the film it is made from, where its model knows it and the client says nothing else."""
    kept = {"seconds": asked["duration"]} if "duration" in asked else {}
    for name in ("ratio", "resolution") if said.get("size") is None else ():
        dish = menu.fields.get(name)
        if dish is not None and asked.get(name) in (dish.values or ()):
            kept[name] = asked[name]
    return kept


async def _read(request: web.Request) -> tuple[Sequence[tuple[str, str]], Sequence[forms.File], Mapping[str, Any]]:
    if not forms.is_form(request):
        return (), (), await bodies.read(request, within=forms.SLOWEST_FORM, most=forms.LARGEST_FORM)
    form = await forms.read(request)
    if not form.texts and not form.files:
        raise Refusal("invalid_input", "the form is empty; send model and prompt")
    return form.texts, form.files, {}
