"""The README's table of existing clients says what the packs say."""

from __future__ import annotations

import re

from gateway.commands.pointing import clients, row
from gateway.providers import catalog
from tests.house.tree import ROOT

_ROW = re.compile(r"^\| (.+?) \| (`.+`) \|$", re.MULTILINE)


def test_the_table_of_clients_is_the_packs_own() -> None:
    """Every client stands in the README in the order of the packs, with what points it at a gateway on this machine."""
    text = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Existing clients\n")[2].partition("\n## ")[0]
    )
    assert _ROW.findall(text) == [row(*each) for each in clients(catalog.providers([ROOT / "providers.d"]))]
