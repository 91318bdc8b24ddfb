"""`tidegate check`: mistakes at their places, or who serves what."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.gateway.commands.conftest import Site
from tests.gateway.commands.shell import MODEL, PROJECT, Shell, add


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packs of three providers alone: to hold all that are shipped against their samples takes a second."""
    folder = tmp_path_factory.mktemp("three") / "packs"
    for provider in ("byteplus", "fal", "replicate"):
        shutil.copytree(PROJECT / "providers.d" / provider, folder / provider)
    return folder


@pytest.fixture
def three(packs: Path) -> str:
    """The line of a policy that has these and no others."""
    return f"catalog: ['{packs}']\n"


def test_shipped_packs_are_without_mistake(tidegate: Shell) -> None:
    """What is shipped passes, and the table says who serves a model and which variable turns them on."""
    said = tidegate("check", env={"FAL_KEY": "fal:marked"})
    assert said.code == 0
    [row] = [line for line in said.out.splitlines() if line.startswith(MODEL)]
    assert row.split()[:2] == [MODEL, "image"]
    assert row.split().count("on") == 1
    assert "off: set ARK_API_KEY" in said.out


def test_json_lists_models_and_providers(tidegate: Shell) -> None:
    """With --json the same comes as data."""
    told = json.loads(tidegate("check", "--json").out)
    assert told["mistakes"] == []
    [seedream] = [each for each in told["models"] if each["model"] == MODEL]
    assert list(seedream["providers"])[:3] == ["byteplus", "replicate", "fal"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lisen: 127.0.0.1:1\n", "p.yaml:1:1: unknown key 'lisen'; did you mean 'listen'?"),
        ("listen: 8080\n", "p.yaml:1:9:"),
        ("auth: keys\nauth: none\n", "p.yaml:2:1: the key 'auth' is given twice"),
        ("listen: ${PORT_OF_NOBODY}\n", "PORT_OF_NOBODY is not set"),
        (
            "providers:\n  replicat: {enabled: true}\n",
            "p.yaml:2:3: no pack is called 'replicat'; did you mean 'replicate'?",
        ),
        ("routes:\n  - {order: {fall: 1}}\n", "p.yaml:2:14: no pack is called 'fall'; did you mean 'fal'?"),
        ("routes:\n  - {match: {model: 'bytedance/seedream-*', kind: video}}\n", "makes videos"),
        ("routes:\n  - {only: [fal], never: [fal]}\n", "p.yaml:2:12: this leaves nobody"),
        ("routes:\n  - {order: [byteplus, fall]}\n", "p.yaml:2:24: no pack is called 'fall'; did you mean 'fal'?"),
        ("routes:\n  - match: {model: 'acme/*'}\n", "p.yaml:2:20: no model is matched by 'acme/*'"),
        ("catalog: [nowhere]\n", "p.yaml:1:11: catalog.0: there is no folder"),
        (
            "aliases: {mine: bytedance/seedream-9}\n",
            "p.yaml:1:17: aliases.mine: no provider here serves a model 'bytedance/seedream-9'; did you mean 'bytedance/seedream-",
        ),
    ],
)
def test_planted_mistake_in_the_policy(tidegate: Shell, three: str, text: str, said: str) -> None:
    """Each mistake of a policy file is one line with its place and what would be right."""
    Path("p.yaml").write_text(text if text.startswith("catalog:") else text + three)
    found = tidegate("check", "-c", "p.yaml")
    assert found.code == 1
    assert said in found.out
    assert "Traceback" not in found.err


def test_route_in_vain_is_a_mistake_or_a_warning(tidegate: Shell) -> None:
    """What names nothing fails the check; what can never count is told with its place and fails nothing."""
    Path("p.yaml").write_text(
        "providers: {fal: {labels: [eu]}}\n"
        "routes:\n"
        "  - {match: {model: 'bytedance/*'}, order: {fal: 3, openai: 1}, labels: [eu]}\n"
        "  - match: {model: bytedance/seedream-4.5}\n"
        "    only: [fal]\n"
    )
    said = tidegate("check", "-c", "p.yaml")
    assert said.code == 0
    assert said.out.splitlines()[:2] == [
        "p.yaml:3:53: warning: openai serves no model this route is for",
        "p.yaml:4:5: warning: this route never counts: routes.0, further up, takes all it is for",
    ]
    assert "no mistakes, 2 warnings: p.yaml" in said.err
    told = json.loads(tidegate("check", "-c", "p.yaml", "--json").out)
    assert [(each["line"], each["column"]) for each in told["warnings"]] == [(3, 53), (4, 5)]
    assert told["mistakes"] == []


def test_warnings_come_with_mistakes(tidegate: Shell, three: str) -> None:
    """A policy that is wrong in one place and odd in another has both told at once."""
    Path("p.yaml").write_text("routes:\n  - {}\n  - {labels: [eu]}\n" + three)
    said = tidegate("check", "-c", "p.yaml")
    assert said.code == 1
    assert said.out.splitlines() == [
        "p.yaml:3:15: no provider carries the label 'eu'",
        "p.yaml:3:5: warning: this route never counts: routes.0, further up, takes all it is for",
    ]


def test_without_keys_there_is_one_account(tidegate: Shell, three: str) -> None:
    """Where nobody needs a key, a route for an account of any other name is for nobody."""
    Path("p.yaml").write_text("auth: none\nroutes:\n  - match: {account: lokal}\n  - match: {account: local}\n" + three)
    said = tidegate("check", "-c", "p.yaml")
    assert (said.code, said.out.splitlines()[0]) == (
        0,
        "p.yaml:3:22: warning: there is no account 'lokal'; did you mean 'local'?",
    )


async def test_running_gateway_knows_its_callers(tidegate: Shell, site: Site) -> None:
    """Beside a running gateway, accounts and keys that a route names are held against those there are."""
    config = ("-c", str(site.policy))
    assert (await asyncio.to_thread(tidegate, "accounts", "create", "studio", *config)).code == 0
    assert (await asyncio.to_thread(tidegate, "keys", "create", "app", "--account", "studio", *config)).code == 0
    routes = (
        "routes:\n  - {match: {account: studoi}}\n  - {match: {account: studio, key: app}}\n  - {match: {key: ap}}\n"
    )
    add(site.policy, routes)
    said = await asyncio.to_thread(tidegate, "check", *config)
    warnings = [line.partition("warning: ")[2] for line in said.out.splitlines() if "warning" in line]
    assert (said.code, warnings) == (
        0,
        ["there is no account 'studoi'; did you mean 'studio'?", "there is no key 'ap'; did you mean 'app'?"],
    )


def test_planted_mistakes_in_a_pack_come_together(tidegate: Shell, packs: Path, tmp_path: Path) -> None:
    """Mistakes in several provider files are all told in one run, each at its line."""
    shutil.copytree(packs, tmp_path / "packs")
    model = tmp_path / "packs" / "fal" / "bytedance" / "seedream-4.5.yaml"
    provider = tmp_path / "packs" / "replicate" / "provider.yaml"
    model.write_text(f"maks: image\n{model.read_text()}")
    provider.write_text(provider.read_text().replace("rank: 20", "rank: high"))
    Path("p.yaml").write_text("catalog: [packs]\n")
    lines = tidegate("check", "-c", "p.yaml").out.splitlines()
    assert any(line.startswith(f"{model}:1:1: unknown key 'maks'") for line in lines)
    assert any(line.startswith(f"{provider}:7:7:") for line in lines)


def test_sample_that_does_not_hold_is_a_mistake(tidegate: Shell, packs: Path, tmp_path: Path) -> None:
    """A pack is checked against its own proof: a price that is not the sample's is found."""
    shutil.copytree(packs, tmp_path / "packs")
    model = tmp_path / "packs" / "byteplus" / "bytedance" / "seedream-4.5.yaml"
    model.write_text(model.read_text().replace("{per: image, usd: 0.04}", "{per: image, usd: 0.05}"))
    Path("p.yaml").write_text("catalog: [packs]\n")
    said = tidegate("check", "-c", "p.yaml", "--json")
    assert said.code == 1
    assert {Path(each["file"]).name for each in json.loads(said.out)["mistakes"]} == {"samples.yaml"}
