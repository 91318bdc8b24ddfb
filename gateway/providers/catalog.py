"""The folders of packs → every offer there is.

A later folder adds packs, or replaces whole files of an earlier one. Loading either gives a catalog in which everything has
been checked, or raises every mistake of every file at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from jsonschema import Draft202012Validator

from gateway.documents import Document, Mistake, Mistakes, Place, against, contents, parse
from gateway.offer import Offer
from gateway.providers import schema
from gateway.providers.compile.model import model as compile_model
from gateway.providers.compile.provider import provider as compile_provider
from gateway.providers.folder import files as files_in
from gateway.providers.kept import Kept, Values, digest_of
from gateway.providers.lint.agreement import agreement
from gateway.providers.lint.model import model as lint_model
from gateway.providers.lint.provider import provider as lint_provider
from gateway.providers.noting import Noting
from gateway.providers.pack import Model, Provider

_PROVIDER_FILE = "provider.yaml"
_SAMPLES_FILE = "samples.yaml"


@dataclass(frozen=True, slots=True, eq=False)  # what is worked out of one is remembered with it
class Catalog:
    """Every provider and every model it serves. Ids are case-sensitive; aliases lead to the model's own id."""

    providers: Mapping[str, Provider]
    models: Mapping[tuple[str, str], Model]
    aliases: Mapping[str, str]
    samples: Mapping[str, Path]

    def name(self, model: str) -> str:
        """The id of the model that an id or an alias means; the same text back when nobody knows it."""
        return self.aliases.get(model, model)

    def offers(self, model: str) -> tuple[Offer, ...]:
        """Who offers a model, in the order that holds when nobody asks for one."""
        found = [pack.offer for (_, name), pack in self.models.items() if name == model]
        return tuple(sorted(found, key=lambda offer: (offer.rank, offer.provider)))

    def ids(self) -> list[str]:
        """Every model, in alphabetical order."""
        return sorted({model for _, model in self.models})


def load(folders: Iterable[Path], kept: Kept | None = None) -> Catalog:
    """Read the packs in these folders, earlier ones first. Raises Mistakes with all that is wrong.

    What `kept` knows to be right is not checked again; what turns out right is kept there for the next time.
    """
    return _load(_source(folders, kept))


def load_once(folders: Iterable[Path], kept: Kept | None = None) -> Catalog:
    """The same, but packs that are to the byte what this process has read lately are not read again: one that is given the same packs with another policy takes the catalog it has."""
    return _remembered(_source(folders, kept))


def providers(folders: Iterable[Path]) -> list[Provider]:
    """What the packs say of the providers alone, in the order of their ranks. Raises Mistakes with all that is wrong."""
    source = _source(folders, None)
    read = _Reading(source)
    paths = {relative: path for relative, path in source.files if relative.name == _PROVIDER_FILE}
    found = [made for relative, path in paths.items() if (made := _provider(relative, path, read)) is not None]
    if read.mistakes:
        raise Mistakes(read.mistakes)
    return sorted(found, key=lambda each: (each.rank, each.id))


@dataclass(frozen=True, slots=True)
class _Source:
    """The files of all packs as they were found; what makes a difference to what comes of them counts when two are compared."""

    files: tuple[tuple[PurePosixPath, Path], ...]
    contents: tuple[tuple[PurePosixPath, bytes], ...]
    mistakes: tuple[Mistake, ...]
    kept: Kept | None = field(compare=False)


def _source(folders: Iterable[Path], kept: Kept | None) -> _Source:
    """Read the files' bytes; what cannot be read is a mistake."""
    mistakes: list[Mistake] = []
    files: dict[PurePosixPath, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(Mistake(Place(str(folder), 1, 1), "no such folder of packs"))
            continue
        files.update(_files(folder, mistakes))
    found: list[tuple[PurePosixPath, bytes]] = []
    for relative, path in files.items():
        if relative.name == _SAMPLES_FILE and len(relative.parts) == 2:
            continue
        try:
            found.append((relative, contents(path)))
        except Mistakes as wrong:
            mistakes += wrong.mistakes
    return _Source(tuple(files.items()), tuple(found), tuple(mistakes), kept)


def _load(source: _Source) -> Catalog:
    kept = source.kept
    read = _Reading(source)
    digest = digest_of(read.contents) if kept is not None else b""
    if kept is not None:
        read.known = kept.read(digest) or {}
    catalog = _build(dict(source.files), read)
    if read.mistakes:
        raise Mistakes(read.mistakes)
    if kept is not None and not read.known:
        kept.write(digest, read.values)
    return catalog


# Mistakes are raised, and what is raised is not remembered. Two: the packs in force, and those that a reload puts in their place.
_remembered = functools.lru_cache(maxsize=2)(_load)


class _Reading:
    """The files of all packs on their way to documents, and everything that is wrong with them."""

    def __init__(self, source: _Source) -> None:
        """Begin with what was found, and what was wrong with it already."""
        self.mistakes = list(source.mistakes)
        self.known: Values = {}
        self.values: dict[PurePosixPath, Any] = {}
        self.contents = dict(source.contents)
        self.clients: dict[str, str] = {}

    def document(
        self, relative: PurePosixPath, path: Path, schema_of: Callable[[], Mapping[str, Any]]
    ) -> Document | None:
        """The document in one file, held against its schema; None when it cannot be used."""
        if relative in self.known:
            return Document(self.known[relative], {}, {}, str(path))
        if relative not in self.contents:
            return None
        try:
            document = parse(self.contents[relative], str(path))
        except Mistakes as found:
            self.mistakes += found.mistakes
            return None
        wrong = against(document, Draft202012Validator(schema_of()))
        self.mistakes += wrong
        self.values[relative] = document.value
        return None if wrong else document


def _files(folder: Path, mistakes: list[Mistake]) -> Iterator[tuple[PurePosixPath, Path]]:
    for path in files_in(folder):
        relative = PurePosixPath(path.relative_to(folder).as_posix())
        fits = len(relative.parts) == 2 and relative.name in {_PROVIDER_FILE, _SAMPLES_FILE}
        if fits or (len(relative.parts) == 3 and relative.suffix == ".yaml"):
            yield relative, path
        elif relative.suffix in {".yaml", ".yml", ".json"}:
            said = "a pack is <provider>/provider.yaml, <provider>/samples.yaml and <provider>/<lab>/<model>.yaml; this is none of them"
            mistakes.append(Mistake(Place(str(path), 1, 1), said))


def _build(files: Mapping[PurePosixPath, Path], read: _Reading) -> Catalog:
    mistakes = read.mistakes
    providers: dict[str, Provider] = {}
    models: dict[tuple[str, str], Model] = {}
    loaded: list[tuple[Model, Document]] = []
    for relative, path in files.items():
        if relative.name == _PROVIDER_FILE and len(relative.parts) == 2:
            found = _provider(relative, path, read)
            if found is not None:
                providers[relative.parts[0]] = found
    broken = {str(relative.parts[0]) for relative in files if relative.name == _PROVIDER_FILE} - set(providers)
    for relative, path in files.items():
        if len(relative.parts) != 3 or relative.parts[0] in broken:
            continue
        owner = providers.get(relative.parts[0])
        if owner is None:
            mistakes.append(
                Mistake(
                    Place(str(path), 1, 1), f"there is no {relative.parts[0]}/{_PROVIDER_FILE} to go with this model"
                )
            )
            continue
        pack = _model(relative, path, owner, read)
        if pack is not None:
            models[owner.id, pack[0].offer.model] = pack[0]
            loaded.append(pack)
    mistakes += agreement(loaded)
    samples = {str(relative.parts[0]): path for relative, path in files.items() if relative.name == _SAMPLES_FILE}
    return Catalog(providers, models, _aliases(loaded, mistakes), samples)


def _provider(relative: PurePosixPath, path: Path, read: _Reading) -> Provider | None:
    document = read.document(relative, path, schema.provider_schema)
    if document is None:
        return None
    note = Noting(document)
    if relative not in read.known:
        lint_provider(document, relative.parts[0], note)
    found = compile_provider(document, note)
    for client in found.clients:
        if (owner := read.clients.setdefault(client.id, found.id)) != found.id:
            note.key(("clients", client.id), f"{client.id} is already a client of {owner}: give it another name")
    read.mistakes += note.mistakes
    return None if note.mistakes else found


def _model(relative: PurePosixPath, path: Path, owner: Provider, read: _Reading) -> tuple[Model, Document] | None:
    document = read.document(relative, path, schema.model_schema)
    if document is None:
        return None
    note = Noting(document)
    if relative not in read.known:
        lint_model(document, note)
    found = compile_model(document, f"{relative.parts[1]}/{relative.stem}", owner, note)
    read.mistakes += note.mistakes
    return None if found is None or note.mistakes else (found, document)


def _aliases(loaded: Iterable[tuple[Model, Document]], mistakes: list[Mistake]) -> dict[str, str]:
    aliases: dict[str, str] = {}
    ids = set()
    loaded = list(loaded)
    for pack, _ in loaded:
        ids.add(pack.offer.model)
    for pack, document in loaded:
        for index, alias in enumerate(pack.offer.aliases):
            owner = aliases.setdefault(alias, pack.offer.model)
            if alias in ids or owner != pack.offer.model:
                taken = alias if alias in ids else owner
                mistakes.append(Mistake(document.place(("aliases", index)), f"{alias} already means {taken}"))
    return aliases
