"""The policy file: its defaults, every kind of value, variables, and mistakes with their place."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import jsonschema
import pytest

from gateway.documents import Mistakes
from gateway.generation import Kind
from gateway.ledger.events import USUAL
from gateway.routing.policy import Patience, Policy, Route, Strategy
from gateway.settings import (
    Address,
    Auth,
    Booking,
    Provider,
    Settings,
    Webhook,
    example,
    json_schema,
    load,
)
from gateway.settings.reader import usual_store
from gateway.settings.schema import settings as table

ROOT = pathlib.Path(__file__).parents[2]
SIGNS = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Loading = Callable[..., Settings]
Failing = Callable[..., list[str]]


@pytest.fixture
def loading(tmp_path: pathlib.Path) -> Loading:
    """Load a text as `config.yaml` in a folder of its own."""

    def read(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return load(path, environ or {})

    return read


@pytest.fixture
def failing(loading: Loading, tmp_path: pathlib.Path) -> Failing:
    """Load a text that is wrong, and give the mistakes as `line:column: message`."""

    def read(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(Mistakes) as raised:
            loading(text, environ)
        return [str(mistake).removeprefix(f"{tmp_path}/config.yaml:") for mistake in raised.value.mistakes]

    return read


def test_the_example_file_is_the_table() -> None:
    """config.example.yaml is what the table of settings makes."""
    assert (ROOT / "config.example.yaml").read_text() == example()


def test_the_example_shows_every_key() -> None:
    """Every key of the table is in the example, with its sentence."""
    flat = re.sub(r"\s*\n\s*# ", " ", example())
    for one in table():
        assert re.search(rf"^[# -]*{one.steps[-1]}: ", example(), re.MULTILINE), one.key
        assert one.says in flat, one.key
        assert one.says.endswith("."), one.key


def test_the_example_changes_nothing(loading: Loading) -> None:
    """Read as it stands, the example gives the settings of an empty file."""
    assert loading(example()) == loading("") == loading("# nothing\n")


@pytest.mark.parametrize(
    "text",
    [
        'region: "us\\n"',
        'providers: {"fal\\n": {enabled: false}}',
        'providers: {fal: {labels: ["eu\\n"]}}',
        'outputs: {keep: "24h\\n"}',
        'routes: [{only: ["fal\\n"]}]',
    ],
)
def test_a_line_break_belongs_to_no_word(failing: Failing, text: str) -> None:
    """S85: what looks right but for a line break at its end is a mistake, not a name nobody can see."""
    assert len(failing(text)) == 1


def test_a_whole_number_is_whole(loading: Loading) -> None:
    """S85: `3.0` where a count is due is three, and not a number that breaks whoever counts with it."""
    said = "attempts: {per_generation: 3.0}\nlimits: {live: 10.0}\nroutes: [{attempts: 2.0, order: {a: 3.0}}]\n"
    found = loading(said)
    numbers = [
        found.policy.attempts,
        found.limits.live,
        found.policy.routes[0].attempts,
        found.policy.routes[0].weights[0][1],
    ]
    assert [(type(number), number) for number in numbers] == [(int, 3), (int, 10), (int, 2), (int, 3)]


def test_the_samples_of_the_example_load(loading: Loading) -> None:
    """What the example shows behind comment signs is right too."""
    shown = re.sub(r"^(routes|providers|webhooks): (\[\]|\{\})$", r"\1:", example(), flags=re.MULTILINE)
    settings = loading(re.sub(r"^#(  +\S.*)$", r"\1", shown, flags=re.MULTILINE), {"WEBHOOK_SECRET": SIGNS})
    assert (list(settings.providers), len(settings.policy.routes)) == (["acme"], 1)
    assert settings.policy.routes[0].max_price == 500_000
    assert (settings.policy.routes[0].key, settings.policy.routes[0].tag) == ("my-app", "batch")
    assert settings.providers["acme"].concurrency == 50
    assert settings.webhooks == (Webhook("https://app.example.com/hooks", SIGNS, USUAL, "acc_studio"),)


def test_defaults(loading: Loading) -> None:
    """An empty file gives the defaults the example states, as records hold them."""
    settings = loading("")
    assert settings.listen == Address("127.0.0.1", 8080)
    assert settings.store.path == pathlib.Path("/var/lib/tidegate/tidegate.db")
    assert settings.outputs.folder == pathlib.Path("/var/lib/tidegate/outputs")
    assert (settings.outputs.keep, settings.outputs.max_image, settings.outputs.max_video) == (86_400_000, 2**26, 2**31)
    assert (settings.auth, settings.credits) == (Auth.KEYS, Booking.ENFORCE)
    assert (settings.policy.attempts, settings.policy.video_deadline) == (3, 1_800_000)
    assert settings.policy.in_doubt_max_cost == 100_000
    assert (settings.policy.explore, settings.policy.patience) == (0.05, Patience(times=3, least=30_000))
    assert settings.policy == Policy((), 3, 300_000, 1_800_000, 100_000), "the records have the same defaults"
    assert (settings.timeouts.connect, settings.timeouts.submit, settings.timeouts.poll_grace) == (
        5000,
        30_000,
        120_000,
    )
    assert (settings.log.format, settings.log.level, settings.log.prompts) == ("auto", "info", False)
    assert (settings.region, str(settings.metrics), settings.public_url) == ("us", "keys", None)
    assert settings.webhooks == ()
    assert (settings.delivery.timeout, settings.delivery.disable_after) == (15_000, 15)
    assert (len(settings.delivery.waits), sum(settings.delivery.waits)) == (10, 63_381_000)


def test_a_whole_policy(loading: Loading, tmp_path: pathlib.Path) -> None:
    """Every part of a policy file arrives where it is used."""
    (tmp_path / "mine").mkdir()
    settings = loading("""
        listen: "[::1]:9000"
        public_url: https://media.example.com/gate/
        store: sqlite:data/own.db
        outputs: {store: none, keep: 2d}
        catalog: [mine]
        providers: {acme: {base: "http://127.0.0.1:9/acme/v3/", hosts: ["*.Example.com"]}, other: {enabled: false}}
        routes:
          - {match: {model: "lab/*", kind: video, account: acc_1}, order: cheapest, max_price: 1.5, after_refusal: next}
          - {order: [acme, other], only: [acme], never: [other], attempts: 5, deadline: 10m}
        auth: none
        egress: {allow: [127.0.0.0/8, "::1"]}
        """)
    assert str(settings.listen) == "[::1]:9000"
    assert settings.public_url == "https://media.example.com/gate"
    assert (settings.store.path, settings.outputs.folder) == (tmp_path / "data/own.db", None)
    assert settings.catalog == (tmp_path / "mine",)
    assert settings.providers == {
        "acme": Provider("http://127.0.0.1:9/acme/v3", enabled=True, hosts=("*.example.com",)),
        "other": Provider(enabled=False),
    }
    assert settings.policy.routes == (
        Route(
            model="lab/*",
            kind=Kind.VIDEO,
            account="acc_1",
            strategy=Strategy.CHEAPEST,
            follow_refusal=True,
            max_price=1_500_000,
        ),
        Route(
            strategy=Strategy.LISTED,
            order=("acme", "other"),
            only=("acme",),
            never=("other",),
            attempts=5,
            deadline=600_000,
        ),
    )
    assert (settings.auth, settings.credits) == (Auth.NONE, Booking.TRACK)
    assert settings.egress.refusal("127.9.9.9") is None
    assert settings.egress.refusal("10.0.0.1") is not None


def test_outputs_lie_beside_the_ledger(loading: Loading, tmp_path: pathlib.Path) -> None:
    """Where nothing is said, outputs are kept in a folder beside the SQLite file."""
    assert loading("store: sqlite:data/x.db").outputs.folder == tmp_path / "data" / "outputs"
    assert loading("outputs: {store: file:kept}").outputs.folder == tmp_path / "kept"


def test_the_shipped_packs_are_the_last_resort(loading: Loading, tmp_path: pathlib.Path) -> None:
    """`providers.d` is the folder beside the file, or the shipped one where there is none."""
    assert loading("").catalog == (ROOT / "providers.d",)
    (tmp_path / "providers.d").mkdir()
    assert loading("").catalog == (tmp_path / "providers.d",)


def test_without_a_file(tmp_path: pathlib.Path) -> None:
    """Without a file all is default; the ledger goes where the user may write."""
    settings = load(None, {"HOME": str(tmp_path)})
    assert settings.source is None
    assert settings.store.path in {
        pathlib.Path("/var/lib/tidegate/tidegate.db"),
        tmp_path / ".local/state/tidegate/tidegate.db",
    }


def test_where_the_ledger_goes_without_a_policy(tmp_path: pathlib.Path) -> None:
    """The system's folder is taken when it can be made, the user's own otherwise."""
    (tmp_path / "file").touch()
    closed = tmp_path / "file" / "tidegate"
    assert usual_store({}, tmp_path / "open" / "tidegate") == tmp_path / "open" / "tidegate" / "tidegate.db"
    assert usual_store({"HOME": "/home/me"}, closed) == pathlib.Path("/home/me/.local/state/tidegate/tidegate.db")
    assert usual_store({"XDG_STATE_HOME": "/state"}, closed) == pathlib.Path("/state/tidegate/tidegate.db")
    with pytest.raises(ValueError, match="there is no HOME; name a store"):
        usual_store({}, closed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lsten: 1", "1:1: unknown key 'lsten'; did you mean 'listen'?"),
        ("log: {levl: info}", "1:7: log: unknown key 'levl'; did you mean 'level'?"),
        ("routes: [{match: {modle: x}}]", "1:19: routes.0.match: unknown key 'modle'; did you mean 'model'?"),
        ("- a", "1:1: expected a mapping, found a list"),
        ("listen: 8080", "1:9: listen: expected an address and a port such as 127.0.0.1:8080, found the number 8080"),
        ("listen: ':8080'", "1:9: listen: expected an address and a port such as 127.0.0.1:8080 or [::1]:8080"),
        ("listen: 127.0.0.1:70000", "1:9: listen: expected a port from 0 to 65535, found 70000"),
        ("listen: 127.0.0.999:80", "1:9: listen: '127.0.0.999' is not an IP address"),
        ("listen: ::1:8080", "1:9: listen: expected an address and a port"),
        ("public_url: media.example.com", "1:13: public_url: expected an address such as https://host/path"),
        ("public_url: https://h/x?y=1", "1:13: public_url: expected scheme, host, port and path alone"),
        ("public_url: https://h:99999/", "1:13: public_url: 'https://h:99999/' is not an address"),
        ("providers: {a: {base: 'http://u:p@h/'}}", "1:23: providers.a.base: an address holds no user or password"),
        ("providers: {A: {}}", "1:13: providers: the key 'A' is not allowed here: expected a provider id"),
        ("providers: {a: {hosts: [a/b]}}", "1:24: providers.a.hosts: expected a host such as api.example.com"),
        ("store: postgresql://h", "1:8: store: expected postgresql://user:password@host:port/name"),
        ("{store: postgresql://h/db, outputs: {store: none}}", "1:9: store: all who share a store derive"),
        (f"{{store: postgresql://h/db, secret: {'x' * 32}}}", "1:9: store: who shares a store has no disk in common"),
        ("store: sqlite://x.db", "1:8: store: expected sqlite:///path/to/tidegate.db or postgresql:"),
        ("store: 'sqlite::memory:'", "1:8: store: expected sqlite:///path"),
        ("outputs: {store: s3:bucket}", "1:18: outputs.store: expected s3://bucket/prefix"),
        ("outputs: {store: /var}", "1:18: outputs.store: expected file:///path/to/outputs, s3://bucket/prefix or none"),
        ("outputs: {link_to: bucket}", "1:20: outputs.link_to: bucket wants outputs.store to be s3://bucket/prefix"),
        ("outputs: {link_to: s3}", "1:20: outputs.link_to: expected gateway or bucket, found the text 's3'"),
        ("outputs: {keep: 24}", "1:17: outputs.keep: expected a duration such as 500ms, 30s, 5m, 24h or 2d, found"),
        ("outputs: {keep: 1.5h}", "1:17: outputs.keep: expected a duration"),
        ("outputs: {keep: 0s}", "1:17: outputs.keep: expected more than 0s"),
        ("outputs: {max_image: 64M}", "1:22: outputs.max_image: expected a size such as 100KB, 64MiB or 2GiB"),
        ("catalog: [none-such]", "1:11: catalog.0: there is no folder"),
        ("catalog: []", "1:10: catalog: expected at least 1 in the list, found 0"),
        ("routes: [{attempts: 11}]", "1:21: routes.0.attempts: expected at most 10, found 11"),
        ("routes: [{max_price: 0.0000001}]", "1:22: routes.0.max_price: an amount has at most six decimals"),
        ("routes: [{match: {kind: audio}}]", "1:25: routes.0.match.kind: expected image or video, found the text"),
        ("attempts: {in_doubt_max_cost: -1}", "1:31: attempts.in_doubt_max_cost: expected at least 0, found -1"),
        ("auth: none\nlisten: 0.0.0.0:80", "1:7: auth: none serves anybody, so it needs a loopback address"),
        ("egress: {allow: [10.0.0.0/33]}", "1:17: egress.allow: "),
        ("region: EU West", "1:9: region: expected a name of small letters, digits and hyphens"),
        ("webhooks: {u}", "1:11: webhooks: expected a list, found a mapping"),
        ("routes: {a: 1}", "1:9: routes: expected a list, found a mapping"),
        ("providers: [a]", "1:12: providers: expected a mapping, found a list"),
        (
            "metrics: yes",
            "1:10: metrics: expected keys, none, or an address and a port of its own: expected an address",
        ),
        (
            "metrics: true",
            "1:10: metrics: expected keys, none, or an address and a port such as 127.0.0.1:9090, found true",
        ),
        (
            "listen: 127.0.0.1:9090\nmetrics: 127.0.0.1:9090",
            "2:10: metrics: 127.0.0.1:9090 is where `listen` serves; take another port, or keys",
        ),
        ("listen: null", "1:9: listen: expected an address and a port such as 127.0.0.1:8080, found nothing"),
        ("webhooks: [{url: 'https://h.example/'}]", "1:12: webhooks.0: secret is missing"),
        (f"webhooks: [{{url: 'http://h.example/', secret: {SIGNS}}}]", "1:18: webhooks.0.url: the URL must begin with"),
        (
            f"webhooks: [{{url: 'https://10.0.0.1/', secret: {SIGNS}}}]",
            "1:18: webhooks.0.url: the URL's host is a priv",
        ),
        (
            "webhooks: [{url: 'https://h.example/', secret: x}]",
            "1:48: webhooks.0.secret: a secret is whsec_ and 24 to 6",
        ),
        (
            f"webhooks: [{{url: 'https://h.example/', secret: {SIGNS}, events: [none]}}]",
            "1:97: webhooks.0.events.0: expected an event, found the text 'none'",
        ),
        ("delivery: {schedule: [1s]}", "1:22: delivery.schedule: expected 0s first, found '1s'"),
        ("delivery: {disable_after: 0}", "1:27: delivery.disable_after: expected at least 1, found 0"),
    ],
)
def test_mistakes(failing: Failing, text: str, said: str) -> None:
    """What is wrong is one mistake at its place, which says what would be right."""
    (mistake,) = failing(text)
    assert mistake.startswith(said)


def test_all_mistakes_at_once(failing: Failing) -> None:
    """S85: mistakes of every kind come together: unknown keys, wrong types, values that make no sense."""
    found = failing("regoin: us\nlisten: 1.2.3.4\nstore: file:x\nlog: {level: 5}\nauth: ${AUTH}\n")
    assert [line.split(":")[0] for line in found] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("written", "environ", "region"),
    [
        ("${R}", {"R": "eu"}, "eu"),
        ("a-${R}-b", {"R": "x"}, "a-x-b"),
        ("${R:-eu}", {}, "eu"),
        ("${R:-eu}", {"R": ""}, "eu"),
        ("${R:-eu}", {"R": "ap"}, "ap"),
        ("${R:?set it}", {"R": "ap"}, "ap"),
    ],
)
def test_variables(loading: Loading, written: str, environ: dict[str, str], region: str) -> None:
    """A variable stands for its value, or for the default where it has none."""
    assert loading(f"region: {written}", environ).region == region


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("${R}", "1:9: the environment variable R is not set; set it, or write ${R:-default}"),
        ("${R:?name the region}", "1:9: the environment variable R is missing: name the region"),
        ("a$b", "1:9: expected ${NAME}, ${NAME:-default} or ${NAME:?message}; a dollar sign itself is written $$"),
        ("${R:-${S}}", "1:9: expected ${NAME}"),
        ("${1R}", "1:9: expected ${NAME}"),
        ("a$$b", "1:9: region: expected a name of small letters, digits and hyphens, found the text 'a$b'"),
    ],
)
def test_variables_that_are_missing_or_misspelt(failing: Failing, written: str, said: str) -> None:
    """A variable that is not there is a mistake at its place; two dollar signs are one."""
    assert failing(f'region: "{written}"')[0].startswith(said)


def test_a_variable_is_text_alone(loading: Loading, failing: Failing) -> None:
    """A value from outside adds no key, and is a number or truth value only where the key wants one."""
    text = (
        "attempts: {per_generation: '${N}', explore: '${P}'}\nlog: {prompts: '${M}'}\npublic_url: ${U:-}\n"
        "routes: [{max_price: $${P}}]"
    )
    settings = loading(text.replace("$${P}", "'${P}'"), {"N": "5", "M": "false", "P": "0.25"})
    assert (settings.policy.attempts, settings.log.prompts, settings.public_url) == (5, False, None)
    assert (settings.policy.routes[0].max_price, settings.policy.explore) == (250_000, 0.25)
    (mistake,) = failing("region: ${R}", {"R": "us\nauth: none"})
    assert "found the text 'us\\nauth: none'" in mistake


def test_variables_are_not_read_twice(failing: Failing) -> None:
    """What a variable holds is taken as it is, dollar signs included."""
    assert "found the text '${HOME}'" in failing("region: ${R}", {"R": "${HOME}", "HOME": "x"})[0]


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """A missing file is a mistake, not a default."""
    with pytest.raises(Mistakes, match="cannot be read"):
        load(tmp_path / "none.yaml", {})


def test_the_schema_is_a_schema() -> None:
    """The schema for editors is valid, describes every key, and accepts an empty policy."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["routes"]["items"]["properties"]["attempts"]["maximum"] == 10
    assert schema["properties"]["providers"]["additionalProperties"]["properties"]["base"]["description"]
    assert not list(jsonschema.Draft202012Validator(schema).iter_errors({}))


def test_description_for_the_log(loading: Loading) -> None:
    """The settings describe themselves in plain values."""
    described: dict[str, Any] = loading("providers: {acme: {enabled: false}}").describe()
    assert json.loads(json.dumps(described)) == described
    assert (described["disabled"], described["access"]) == (["acme"], "keys")


def test_settings_are_frozen(loading: Loading) -> None:
    """Settings cannot be changed, only replaced as a whole."""
    settings = loading("")
    with pytest.raises(AttributeError):
        settings.region = "eu"
    assert replace(settings, region="eu") != settings
    assert {one.name for one in fields(settings)} >= {"listen", "policy", "egress"}


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback(host: str, loopback: bool) -> None:  # noqa: FBT001 - a table of facts
    """An address knows whether this machine alone can reach it."""
    assert Address(host, 1).is_loopback is loopback
