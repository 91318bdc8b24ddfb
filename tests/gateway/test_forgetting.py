"""What was deleted, or kept long enough, is gone: out of the store's file, its log and its free pages, and off the disk."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.artifacts.keeper import Relayed
from gateway.ledger import attempts, checks, credits, generations
from gateway.ledger.credits import Balance
from gateway.upkeep import Ages, Upkeep
from tests.gateway.ingress.house import ACCOUNT, PNG, House, catalog, opened

HOUR = 3600
DAY = 24 * HOUR * 1000
PACKS = catalog()
SECRET = "the-owl-of-minerva"
INPUT = f"https://pictures.example/{SECRET}.png"
BODY = {"generation_prompt": f"{SECRET} flies " * 40, "generation_input_file": [INPUT]}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """The house, with a clock that a test moves."""
    async with opened(tmp_path, PACKS) as made:
        yield made


def upkeep(house: House, ages: Ages | None = None) -> Upkeep:
    """Upkeep of the house; files are kept for a day and records for thirty."""
    ages = ages or Ages(DAY, 30 * DAY, 365 * DAY)
    return Upkeep(house.store, house.artifacts, house.tallies, None, house.clock, ages)


def left(house: House, word: str = SECRET) -> dict[str, int]:
    """How often a word stands in each file of the store's folder, free pages and log included."""
    found = {}
    for path in house.store.path.parent.rglob("*"):
        if path.is_file() and (times := path.read_bytes().count(word.encode())):
            found[path.name] = times
    return found


async def balance(house: House) -> Balance:
    """What the account has."""
    found = await house.store.read(credits.show(ACCOUNT))
    assert found is not None
    return found


async def test_what_a_caller_deletes_is_in_no_file(house: House) -> None:
    """S68: after a deletion neither prompt nor input nor output is left, in free pages and in the log too; the money is."""
    made = await house.create(body=BODY, headers={"Idempotency-Key": "one"})
    await house.succeed(made, files=2)
    failed = await house.create(body=BODY)
    await house.fail(failed)
    assert left(house)
    before = await balance(house)
    for each in (made, failed):
        assert (await house.ask("DELETE", f"/v1/content/{each}")).status == 200
    assert await house.store.fold()
    assert left(house) == {}
    assert not list(house.artifacts._root.rglob("*.png"))
    assert await balance(house) == before
    [paid, _] = await house.store.read(credits.entries(ACCOUNT))
    assert paid.reference == made
    assert await house.store.report(checks.run_checks(house.clock.now_ms(), 0)) == []


async def test_what_is_old_is_in_no_file(house: House) -> None:
    """S67: on the thirty-first day nothing of what was asked or made is left in any file; the ledger's rows are."""
    made = await house.create(body=BODY)
    await house.succeed(made)
    await house.clock.advance(30 * 24 * HOUR + HOUR)
    for task in (upkeep(house).sweep, upkeep(house).expire, upkeep(house).fold):
        await task()
    assert left(house) == {}
    assert not list(house.artifacts._root.rglob("*.png"))
    assert await house.store.read(generations.find(ACCOUNT, made)) is None
    assert len(await house.store.read(credits.entries(ACCOUNT))) == 2


async def test_links_and_bytes_that_were_passed_on_go_too(house: House) -> None:
    """S68: outputs without a store are kept as the provider's link or as bytes; a deletion takes both out of the file."""
    made = await house.create()
    attempt = await house.begin(made)
    now = house.clock.now_ms()
    await house.store.write(attempts.storing(attempt, [], now))
    passed = [
        Relayed(0, f"https://far.example/out.png?sig={SECRET}", "image/png", None, None),
        Relayed(1, f"data:image/png;base64,{SECRET * 900}", "image/png", None, None),
    ]
    ending = generations.succeed(made, attempt, passed, captured=1, at=now, provider="fal")
    assert await house.store.write(ending)
    assert left(house)
    assert (await house.ask("DELETE", f"/v1/content/{made}")).status == 200
    assert await house.store.fold()
    assert left(house) == {}


async def test_files_that_could_not_be_removed_are_removed_later(house: House) -> None:
    """S68: a store that was down at the deletion, or a crash in the middle of it, leaves no file for longer than a sweep."""
    made = await house.create()
    await house.succeed(made)
    [file] = house.artifacts._root.rglob("*.png")
    folder, aside = file.parent, file.parent.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way")  # what cannot be listed cannot be removed
    answer = await house.ask("DELETE", f"/v1/content/{made}")
    assert answer.data["files_deleted"] == 0
    await upkeep(house).sweep()
    assert await house.store.report(generations.removing()) == [made]
    folder.unlink()
    aside.rename(folder)
    await upkeep(house).sweep()
    assert not file.exists()
    assert await house.store.report(generations.removing()) == []


async def test_files_of_a_failure_go_with_its_record(house: House) -> None:
    """S67: a picture that was stored for a generation which failed in the end goes with the record, as others do."""
    made = await house.create()
    await house.fail(made)
    await house.artifacts.write(made, 0, _png(), kind="image", limit=1000)
    assert list(house.artifacts._root.rglob("*.png"))
    await house.clock.advance(31 * 24 * HOUR)
    await upkeep(house).expire()
    assert not list(house.artifacts._root.rglob("*.png"))


async def test_whoever_reads_keeps_nobody_waiting(house: House) -> None:
    """A reader in the middle of its work puts the emptying of the log off; nothing waits for it."""
    await house.create(body=BODY)
    with closing(sqlite3.connect(house.store.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM generation").fetchall()
        await house.create(body=BODY)
        assert await house.store.fold() is False
        reader.rollback()
    assert await house.store.fold() is True
    assert house.store.path.with_name(house.store.path.name + "-wal").stat().st_size == 0


async def test_no_page_keeps_what_was_deleted(house: House) -> None:
    """S68: of many records, long and short, deleted in any order between new ones, none leaves a word in the store's file."""
    chance = random.Random(7)
    there: list[tuple[str, str]] = []
    for number in range(36):
        word = f"WORD{number:05d}X"
        made = await house.create(body={"generation_prompt": f"{word} " * chance.choice([1, 5, 30, 200, 400])})
        await (house.succeed(made) if chance.random() < 0.5 else house.fail(made))
        there.append((made, word))
        if len(there) > 9:
            for _ in range(chance.randrange(1, 9)):
                gone, _word = there.pop(chance.randrange(len(there)))
                await house.store.write(generations.delete(ACCOUNT, gone, house.clock.now_ms()))
    await house.store.fold()
    kept = {found.decode() for found in re.findall(rb"WORD\d{5}X", house.store.path.read_bytes())}
    assert kept == {word for _, word in there}


async def _png() -> AsyncIterator[bytes]:
    yield PNG
