"""A route of the root that stands for the paths it knows, and leaves all others to be told as unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from gateway.ingress.callers import Plain


class _Known(web.DynamicResource):
    def __init__(self, path: str, knows: Callable[[str], bool]) -> None:
        super().__init__(path)
        self._knows = knows

    async def resolve(self, request: web.Request) -> tuple[UrlMappingMatchInfo | None, set[str]]:
        """Find the route; none, and no method that would be right, for a path that is not known."""
        return await super().resolve(request) if self._knows(request.path) else (None, set())


@dataclass(frozen=True, slots=True)
class Knowing(web.AbstractRouteDef):
    """A route whose path holds one name for all of it, and what tells whether a path is meant."""

    method: str
    path: str
    handler: Plain
    knows: Callable[[str], bool]

    def register(self, router: web.UrlDispatcher) -> list[web.AbstractRoute]:
        """Add it to a router."""
        resource = _Known(self.path, self.knows)
        router.register_resource(resource)
        return [resource.add_route(self.method, self.handler)]
