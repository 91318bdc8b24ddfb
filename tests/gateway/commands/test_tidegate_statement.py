"""`tidegate credits statement`: what moved between two days, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.gateway.commands.shell import Shell


def test_a_statement_is_a_page_of_sums_and_movements(tidegate: Shell, policy_file: Path) -> None:
    """It opens, adds, charges and closes; with --json the same as numbers."""
    config = ("-c", str(policy_file))
    tidegate("accounts", "create", "studio", *config)
    tidegate("credits", "add", "12.5", "--reference", "invoice-1", *config)
    page = tidegate("credits", "statement", *config)
    assert page.code == 0, page.err
    for words in ("opening  0", "added    12.50", "charged  0", "closing  12.50", "invoice-1"):
        assert words in page.out
    told = json.loads(tidegate("credits", "statement", *config, "--json").out)
    assert (told["opening"], told["added"], told["charged"], told["closing"]) == (0, 12.5, 0, 12.5)
    earlier = json.loads(
        tidegate("credits", "statement", "--to", "2020-01-31", "--from", "2020-01-01", *config, "--json").out
    )
    assert (earlier["closing"], earlier["entries"]) == (0, [])


def test_a_day_that_is_none_is_refused(tidegate: Shell, policy_file: Path) -> None:
    """The mistake is said in a sentence, without a trace of the inside."""
    config = ("-c", str(policy_file))
    tidegate("accounts", "create", "studio", *config)
    said = tidegate("credits", "statement", "--from", "soon", *config)
    assert (said.code, "from is a day such as" in said.err) == (1, True)
