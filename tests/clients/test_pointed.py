"""Clients pointed by what `tidegate env` prints: sourced by a shell, with the program unchanged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.house.tree import ROOT
from tests.story.house import house

_PROGRAM = """
import openai
import replicate
print(openai.OpenAI().images.generate(model="bytedance/seedream-4.5", prompt="a seal").data[0].url)
print(replicate.run("bytedance/seedream-4.5", input={"prompt": "a seal"})[0].read()[:3].hex())
"""


async def test_programs_run_unchanged(tmp_path: Path) -> None:
    """What the command prints is all that a program needs to be served here."""
    async with house(tmp_path) as at:
        (tmp_path / "program.py").write_text(_PROGRAM)
        tidegate = f"'{sys.executable}' -m gateway env"
        lines = [
            f'{name}="$({tidegate} {name} --url {at.running.origin})"; eval "${name}"'
            for name in ("openai", "replicate")
        ]
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            "\n".join(["set -e", *lines, f"exec '{sys.executable}' -W ignore program.py"]),
            cwd=tmp_path,
            env={
                "PYTHONPATH": str(ROOT),
                "TIDEGATE_API_KEY": "bye_any",
                "HOME": str(tmp_path),
                "PATH": "/usr/bin:/bin",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()[-2000:]
        link, head = out.decode().split()
        assert link.startswith(at.running.origin)
        assert bytes.fromhex(head) == b"\xff\xd8\xff"
        assert len(at.sims.jobs()) == 2
