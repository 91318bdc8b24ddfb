"""What is secret stays where it is: out of what providers say, of the log, of the labels of metrics, of reports and of the store."""

from __future__ import annotations

import asyncio
import base64
import json
import pathlib

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import app, metrics
from gateway import settings as policy
from gateway.attempts.shown import fit_to_keep, why
from gateway.fault import Fault, FaultKind, Reach
from gateway.ingress.keyform import digest_of, mint
from gateway.log import Redactor, register
from gateway.providers.render import Call, CallName
from gateway.providers.secrets import Secrets
from tests.gateway.ingress.house import ACCOUNT, PEPPER, SECRET, catalog, opened

KEY = "c4n4ry-of-a-provider/Zt+55=="
HOOK = "whsec_" + base64.b64encode(b"a secret for the webhooks of it").decode()


def said(message: str, code: str | None = None) -> Fault:
    """A fault in a provider's words."""
    return Fault(FaultKind.UNAUTHORIZED, Reach.REFUSED, message, code, 401, quoted=True)


@pytest.mark.parametrize("before", [0, 300, 480, 495, 499, 500, 520, 7_990, 8_000])
def test_a_provider_that_repeats_our_key_is_not_repeated(before: int) -> None:
    """S64: wherever a key stands in what a provider says, no part of it is kept, and what is kept has two kilobytes at most."""
    register(KEY)
    text = f"{'é' * before}bad credential {KEY} {base64.b64encode(KEY.encode()).decode()}{'x' * 9000}"
    kept = fit_to_keep(said(text[:8000], f"{'E' * 95}{KEY}"))
    assert kept.quoted
    assert len(kept.message.encode()) <= 2048
    for part in (KEY, KEY[:6], KEY[-8:]):
        assert part not in kept.message + (kept.code or "")


@given(st.text(max_size=900), st.integers(0, 40))
def test_half_a_secret_is_a_secret(around: str, most: int) -> None:
    """S64: whatever is cut where, no beginning of a registered value of six characters or more is left at an end."""
    redactor = Redactor()
    redactor.register(KEY)
    for text in (around + KEY, KEY + around, around + KEY + around, (KEY + " ") * 60):
        assert KEY[:6] not in redactor.excerpt(text, most)


def test_an_excerpt_is_the_beginning() -> None:
    """A text without secrets is only cut; one that holds nothing else leaves nothing."""
    redactor = Redactor()
    redactor.register(KEY)
    assert redactor.excerpt("a seal at dawn", 6) == "a seal"
    assert redactor.excerpt("seal " * 900, 500) == ("seal " * 900)[:500]
    assert redactor.excerpt("", 500) == ""


def test_the_log_is_not_told_what_a_provider_said() -> None:
    """S66: a provider repeats prompts, so its words go into the log by a name that is veiled; our own are told as they are."""
    assert why(said("your prompt 'a seal' is refused")) == {"said": "your prompt 'a seal' is refused"}
    assert why(Fault(FaultKind.TIMEOUT, Reach.UNSURE, "no answer within 30 s")) == {"reason": "no answer within 30 s"}


def test_no_report_of_the_settings_holds_a_secret(tmp_path: pathlib.Path) -> None:
    """S71: neither what the log and the doctor are told of the settings nor their own text in a trace holds a secret."""
    pepper = "a-pepper-of-forty-characters-or-so-0123456"
    text = f"webhooks: [{{url: 'https://a.example/', secret: '{HOOK}'}}]\nkeys: {{peppers: ['{pepper}']}}\n"
    (tmp_path / "config.yaml").write_text(f"store: sqlite:a.db\n{text}")
    settings = policy.load(tmp_path / "config.yaml", {})
    assert settings.webhooks[0].secret == HOOK
    told = json.dumps(settings.describe()) + repr(settings)
    assert HOOK not in told
    assert pepper not in told


def test_a_registered_secret_leaves_three_stars_and_a_mark() -> None:
    """S71: what stands in a secret's place tells one from another and nothing else: three stars and four characters."""
    redactor = Redactor()
    redactor.register(KEY)
    marked = redactor.redact(f"<{KEY}>")
    assert marked.startswith("<***")
    assert len(marked) == len("<***abcd>")


def test_no_request_brings_a_credential() -> None:
    """S73: callers cannot bring a provider's credential: only the operator's are sent, so none of a caller's is kept or pooled."""
    secrets = Secrets({"ACME_KEY": "ours", "OTHER_KEY": "not asked for"}, ["ACME_KEY"])
    call = Call(CallName.SUBMIT, "POST", "https://acme.example/", {"Authorization": "Key $secret.ACME_KEY"}, {})
    assert secrets.fill(call.headers) == {"Authorization": "Key ours"}
    with pytest.raises(KeyError):
        secrets.fill({"Authorization": "Key $secret.OTHER_KEY"})


async def test_the_same_prompt_of_two_accounts_is_two_generations(tmp_path: pathlib.Path) -> None:
    """S88: nothing is shared between accounts: the same request of another is begun and paid anew, and its files are its own."""
    async with opened(tmp_path, catalog()) as house:
        body = {"generation_prompt": "a seal in the snow", "generation_ratio": "16:9"}
        one = await house.create(body=body)
        await house.succeed(one)
        await house.act("accounts.create", account="other")
        await house.act("credits.add", account="other", amount=1)
        house.key = (await house.act("keys.create", account="other"))["key"]
        two = await house.create(body=body)
        assert two != one
        assert [job.account for job in house.jobs.started] == [ACCOUNT, "other"]
        assert (await house.ask("GET", f"/v1/content/{one}")).status == 404


async def test_a_copy_of_the_store_forges_nothing(tmp_path: pathlib.Path) -> None:
    """S89: whoever reads the store finds neither keys nor what signs events and links: they are made with a secret outside it."""
    async with opened(tmp_path, catalog()) as house:
        key = await house.new_key(scopes=["webhooks:write"])
        house.key = key
        made = await house.ask("POST", "/v1/webhooks", {"webhook_url": "https://hooks.example/a"})
        await house.store.fold()
        data = house.store.path.read_bytes()
        signing = next(value for name, value in made.data.items() if name.endswith("secret"))
        assert signing.startswith("whsec_")
        for secret in (
            key.encode(),
            PEPPER,
            SECRET,
            signing.encode(),
            base64.b64decode(signing.removeprefix("whsec_")),
        ):
            assert secret not in data
        assert digest_of(PEPPER, key).encode() in data
        assert digest_of(b"a guess", key).encode() not in data


async def test_a_key_in_the_wrong_place_is_neither_kept_nor_repeated(tmp_path: pathlib.Path) -> None:
    """S02, S05: a key sent as an Idempotency-Key is refused, for it would be stored; one in a path or a field is not said again."""
    async with opened(tmp_path, catalog()) as house:
        body = {"generation_prompt": "a seal"}
        path = "/v1/generate/image/bytedance/seedream-4.5"
        refused = await house.ask("POST", path, body, headers={"Idempotency-Key": house.key})
        assert refused.error["type"] == "invalid_idempotency_key"
        for answer in (
            refused,
            await house.ask("POST", path, {**body, house.key: 1}),
            await house.ask("POST", path, {**body, "generation_provider_order": house.key}),
            await house.ask("GET", f"/v1/{house.key}"),
            await house.ask("POST", f"/v1/generate/image/{house.key}/{house.key}", body),
        ):
            assert 400 <= answer.status < 500
            assert house.key not in answer.body.decode()
        await house.store.fold()
        assert house.key.encode() not in house.store.path.read_bytes()
        assert house.jobs.started == []


def series() -> dict[str, int]:
    """How many series each metric has."""
    return {one.name: len(one.samples) for one in metrics.REGISTRY.collect()}


async def test_bad_requests_make_no_series(tmp_path: pathlib.Path) -> None:
    """S69: however many different bad models, ids, keys, methods and paths are tried, no series is added after the first few."""
    (tmp_path / "config.yaml").write_text("listen: 127.0.0.1:0\nstore: sqlite:a.db\nlimits: {wrong_keys: 1000000}\n")
    settings = policy.load(tmp_path / "config.yaml", {})
    async with app.running(settings, {}) as running, aiohttp.ClientSession() as client:

        async def ask(number: int) -> None:
            bad, key = f"bad{number}", mint(lambda count: number.to_bytes(count, "big"))
            method, path = (
                ("POST", f"/v1/generate/image/{bad}/{bad}"),
                ("GET", f"/v1/content/{bad}?{bad}={bad}"),
                ("GET", f"/{bad}/{bad}"),
                (f"M{number}", "/v1/status"),
                ("GET", f"/admin/v1/{bad}"),
            )[number % 5]
            headers = {"Authorization": f"Bearer {key}", "X-Tidegate-Tag": bad}
            async with client.request(method, running.origin + path, headers=headers) as answer:
                assert 400 <= answer.status < 500

        for number in range(50):
            await ask(number)
        before = series()
        for begin in range(50, 400, 50):
            await asyncio.gather(*(ask(number) for number in range(begin, begin + 50)))
        assert series() == before
        assert sum(before.values()) < 3000
