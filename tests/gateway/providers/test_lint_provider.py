"""A `provider.yaml` that should not load: each planted mistake is found, at its place, in words that help."""

from __future__ import annotations

import pathlib

import pytest

from tests.gateway.providers import acme

PROVIDER_FILE, CLIP_FILE = "acme/provider.yaml", "acme/acme/clip.yaml"

# The text of the good pack, what stands there instead, and how the mistake begins: line:column: words.
PLANTED = [
    (
        PROVIDER_FILE,
        "provider: acme",
        "provider: acma",
        "1:11: the id is 'acma' and the folder 'acme'; they must be the same",
    ),
    (
        PROVIDER_FILE,
        "provider: acme\n",
        "provider: Acme\n",
        "1:11: provider: expected small letters and digits, found the text 'Acme'",
    ),
    (
        PROVIDER_FILE,
        "checked: 2026-11-22",
        "checked: last week",
        "6:10: checked: expected a day such as 2026-11-22, found the text 'last week'",
    ),
    (PROVIDER_FILE, "rank: 10", "rank: ten", "7:7: rank: expected a whole number, found the text 'ten'"),
    (PROVIDER_FILE, "rank: 10", "ranc: 10", "7:1: unknown key 'ranc'; did you mean 'rank'?"),
    (
        PROVIDER_FILE,
        "base: https://api.acme.example/v1",
        "base: http://api.acme.example/v1/",
        "8:7: base: expected an https address without a slash at the end, found the text",
    ),
    (
        PROVIDER_FILE,
        "{Authorization: Bearer $secret.ACME_KEY}",
        "{Authorization: Bearer 12345}",
        "10:23: no `$secret.NAME` here: a credential never stands in a file",
    ),
    (
        PROVIDER_FILE,
        "{Authorization: Bearer $secret.ACME_KEY}",
        '{"Authoriz ation": Bearer $secret.ACME_KEY}',
        "10:8: 'Authoriz ation' is not the name of a header",
    ),
    (
        PROVIDER_FILE,
        "code: error.code",
        'code: "error.["',
        "11:17: not a path that can be read (JMESPath): Invalid jmespath expression: Incomplete",
    ),
    (
        PROVIDER_FILE,
        "is: content_blocked",
        "is: content_bloked",
        "13:10: faults.0.is: expected invalid_input, input_unreadable, content_blocked,",
    ),
    (
        PROVIDER_FILE,
        '{is: content_blocked, code: ["moderat*"]}',
        "{is: content_blocked}",
        "13:5: faults.0: expected at least 2 keys, found 1",
    ),
    (
        PROVIDER_FILE,
        "{header: Retry-After, as: seconds}",
        "{header: Retry-After, at: error.wait, as: seconds}",
        "17:5: say where: either `header` or `at`, not both",
    ),
    (
        PROVIDER_FILE,
        "{at: error.wait, as: duration}",
        "{at: error.wait, as: minutes}",
        "18:26: retry_after.1.as: expected seconds, milliseconds, http_date, epoch, epoch_ms or duration, found",
    ),
    (
        PROVIDER_FILE,
        "submit: POST /pictures",
        "submit: FETCH /pictures",
        "21:21: lifecycles.now.calls.submit: expected a method and a path, such as `GET /jobs/$id`",
    ),
    (PROVIDER_FILE, "submit: POST /pictures", "submit: POST $result", "21:21: a submit call needs a path of its own"),
    (
        PROVIDER_FILE,
        "submit: POST /pictures}",
        "submit: POST /pictures, cancel: DELETE /pictures/1}",
        "21:5: without a `status` call there is nothing to fetch, cancel or read a state from",
    ),
    (PROVIDER_FILE, "status: GET /jobs/$id", "status: GET /jobs/$ido", "28:15: $ido is never kept: did you mean $id?"),
    (
        PROVIDER_FILE,
        "status: GET /jobs/$id",
        "status: GET /jobs/$ID",
        "28:15: a name is a dollar sign and small letters, such as $id",
    ),
    (
        PROVIDER_FILE,
        "result: GET $result",
        "result: GET $result/raw",
        "29:15: an address that was kept stands alone, such as `GET $poll`",
    ),
    (
        PROVIDER_FILE,
        "keep: {id: id, result: links.result}",
        "keep: {result: links.result}",
        "28:7: `keep` needs an `id`: it finds the job again after a restart",
    ),
    (
        PROVIDER_FILE,
        "{x-mode: plain}",
        "{x-key: $secret.ACME_KEY}",
        "27:58: this is sent as it stands; a credential goes under `auth`",
    ),
    (
        PROVIDER_FILE,
        "      failed: [broken]\n      canceled: [stopped]\n      failed_if: error\n",
        "      canceled: [stopped]\n",
        "32:5: a job must be able to fail: give `failed` words or a `failed_if` path",
    ),
    (PROVIDER_FILE, "running: [busy]", "running: [busy, done]", "36:19: the text 'done' already means running"),
    (
        PROVIDER_FILE,
        "    state:\n      at: status\n      queued: [waiting]\n      running: [busy]\n      succeeded: [done]\n      failed: [broken]\n      canceled: [stopped]\n      failed_if: error\n",
        "",
        "28:7: a job that is looked at needs `state`: where its word is and what it means",
    ),
    (
        PROVIDER_FILE,
        "expires: 1h",
        "expires: one hour",
        "41:14: lifecycles.job.expires: expected a length of time such as 90s, found the text 'one",
    ),
    (
        PROVIDER_FILE,
        "first: 2s, every: 500ms, deadline: 10m",
        "first: 2s",
        "42:5: lifecycles.job.pace: the key 'deadline' is missing",
    ),
    (
        PROVIDER_FILE,
        "failure: {code",
        "headers: {x-api-version: '2', x-key: $secret.ACME_KEY}\nfailure: {code",
        "11:38: this is sent as it stands; a credential goes under `auth`",
    ),
    (
        PROVIDER_FILE,
        "failure: {code",
        "headers: {x api: '2'}\nfailure: {code",
        "11:11: 'x api' is not the name of a header",
    ),
    (
        PROVIDER_FILE,
        "failure: {code",
        "headers: {authorization: anybody}\nfailure: {code",
        "11:11: authorization stands under `auth`: this one would take its place",
    ),
    (
        PROVIDER_FILE,
        "{x-mode: plain}",
        "{content-type: text/plain}",
        "27:51: the type of a body comes with its `encoding`",
    ),
    (
        PROVIDER_FILE,
        "submit: POST /pictures",
        "submit: POST $secret.ACME_KEY/pictures",
        "21:21: a credential is a part of a path, which begins with a slash",
    ),
    (
        PROVIDER_FILE,
        "submit: POST /pictures",
        "submit: POST /$secret.acme/pictures",
        "21:21: $secret is never kept: keep it from the submit reply",
    ),
    (
        PROVIDER_FILE,
        "    expires: 1h\n",
        "    expires: 1h\n    nudge: {field: webhook, query: webhook}\n",
        "42:12: say where the address goes: either `field` or `query`, not both",
    ),
    (
        PROVIDER_FILE,
        "    expires: 1h\n",
        "    expires: 1h\n    nudge: {with: {events: [done]}}\n",
        "42:12: say where the address goes: either `field` or `query`, not both",
    ),
    (
        PROVIDER_FILE,
        "    flagged: flags\n",
        "    flagged: flags\n    nudge: {field: webhook}\n",
        "24:5: a callback makes us look, and without a `status` call there is nothing to look at",
    ),
]

PLANTED += [
    (PROVIDER_FILE, "GET /jobs/$id", "GET /jobs/{id}", "28:15: a name in a path is written $id, not {id}"),
    (
        PROVIDER_FILE,
        "acme.test]",
        "https://acme.test]",
        "9:27: hosts.1: expected a host without scheme or path, such as eu.acme.example or *.acme.example",
    ),
    (
        PROVIDER_FILE,
        "{is: rate_limited, code: [early]}",
        "{is: rate_limited, code: [429]}",
        "15:31: faults.2.code.0: expected text; a number in quotes",
    ),
    (
        PROVIDER_FILE,
        "id: id,",
        "id: job-id,",
        "31:16: not a path that can be read (JMESPath): Bad jmespath expression: Unknown token '-'; a name with a dash",
    ),
]

# What may be there: the file, the text of the good pack, and what stands there instead.
ALLOWED = [
    (PROVIDER_FILE, "failure: {code", "headers: {X-Api-Version: 2026-11-22}\nfailure: {code"),
    (PROVIDER_FILE, "submit: POST /pictures", "submit: POST /accounts/$secret.ACME_ID/pictures?key=$secret.ACME_KEY"),
    (PROVIDER_FILE, "status: GET /jobs/$id", "status: GET /accounts/$secret.ACME_ID/jobs/$id"),
    (PROVIDER_FILE, "    expires: 1h\n", "    expires: 1h\n    nudge: {query: hook, with: {events: [done]}}\n"),
]


@pytest.mark.parametrize(("file", "good", "bad", "begins"), PLANTED)
def test_a_planted_mistake_is_found(tmp_path: pathlib.Path, file: str, good: str, bad: str, begins: str):
    """A pack with one thing wrong does not load, and the mistake says where and what."""
    found = acme.mistakes(tmp_path, acme.bent(file, good, bad))
    assert any(mistake.startswith(f"{file}:{begins}") for mistake in found), found


def test_models_wait_for_their_provider(tmp_path: pathlib.Path):
    """While a provider is broken its models are not looked at: what they lean on is not known."""
    files = acme.bent(PROVIDER_FILE, "rank: 10", "rank: 100")
    files[CLIP_FILE] = files[CLIP_FILE].replace("lifecycle: job", "lifecycle: nothing")
    assert acme.mistakes(tmp_path, files) == ["acme/provider.yaml:7:7: rank: expected at most 99, found 100"]


@pytest.mark.parametrize(("file", "good", "other"), ALLOWED)
def test_what_may_be_there_is_no_mistake(tmp_path: pathlib.Path, file: str, good: str, other: str):
    """Headers, credentials in addresses and callbacks are fine."""
    assert acme.mistakes(tmp_path, acme.bent(file, good, other)) == []
