"""Where doors stand, and in whose words a path is answered."""

from __future__ import annotations

from pathlib import Path

from tests.story.house import house

PROBLEM, NATIVE = "application/problem+json", "application/json"


async def test_whoever_asks_in_vain_reads_why(tmp_path: Path) -> None:
    """An unknown path, another method and a wrong body are answered in the words of the door they belong to, or of the native API."""
    wrong = [
        ("GET", "/v1/images/nothing", 404, PROBLEM),
        ("GET", "/openai/nothing", 404, PROBLEM),
        ("GET", "/openai", 404, PROBLEM),
        ("GET", "/v1/images/generations", 405, PROBLEM),
        ("POST", "/images/generations/", 415, PROBLEM),
        ("POST", "/v1/v1/images/edits", 415, PROBLEM),
        ("POST", "/openai/deployments/lab/x/images/generations?api-version=1", 415, PROBLEM),
        ("GET", "/v1/nothing", 404, NATIVE),
        ("GET", "/openaix/v1/models", 404, NATIVE),
        ("GET", "/imagesx", 404, NATIVE),
    ]
    async with house(tmp_path, secrets={}) as at:
        for method, path, status, kind in wrong:
            async with at.client.request(method, at.running.origin + path) as said:
                assert (path, said.status, said.content_type) == (path, status, kind)
                body = await said.json()
                assert body["request_id"] == said.headers["X-Request-Id"]


async def test_the_type_of_an_error_leads_to_its_line(tmp_path: Path) -> None:
    """Whoever follows it reads what it is about, on this gateway."""
    async with house(tmp_path, secrets={}) as at:
        problem = await (await at.client.get(f"{at.running.origin}/v1/images/nothing")).json()
        page, _, anchor = problem["type"].partition("#")
        assert f'id="{anchor}"' in await (await at.client.get(page)).text()


async def test_a_page_of_another_origin_may_come_in_by_a_door(tmp_path: Path) -> None:
    """Its clients send headers of their own, which the browser asks about first."""
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "authorization,x-stainless-retry-count"
    async with house(tmp_path, secrets={}) as at:
        said = await at.client.options(f"{at.running.origin}/openai/v1/images/generations", headers=asked)
        assert said.status == 204
        assert "x-stainless-retry-count" in said.headers["Access-Control-Allow-Headers"]
        assert said.headers["Access-Control-Allow-Origin"] == "*"


FORMS = [
    b"",
    b"--b\r\n\r\n",
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    b'--b\r\nContent-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n\xff\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-image-2\r\n--b\r\nContent-Disposition: form-data; name="x"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b--\r\n',
    b"x" * 10_000,
]


async def test_a_form_that_is_none_is_refused(tmp_path: Path) -> None:
    """Nothing that can be sent as a form is more than a wrong request."""
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    async with house(tmp_path, secrets={}) as at:
        for body in FORMS:
            said = await at.client.post(f"{at.running.origin}/v1/images/edits", data=body, headers=headers)
            assert said.status in {400, 404, 415}, body
            assert (await said.json())["error"]["message"]
