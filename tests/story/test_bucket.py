"""Outputs in a bucket, whole: the gateway, the far ends and a real service, each a process, and the service is killed meanwhile."""

from __future__ import annotations

from pathlib import Path

from tests.bucket import service
from tests.harness.bucket import run


async def test_a_service_that_is_killed_costs_nobody_anything(tmp_path: Path) -> None:
    """F39, H17: while the bucket is away nothing is lost, paid twice or told as done; what was told is there, byte for byte."""
    (tmp_path / "gateway").mkdir()
    with service(tmp_path / "s3") as own:
        figures = await run(own, 1, 1.5, 7, tmp_path / "gateway", kills=False, wishes=8)
    assert not figures.bad(), f"{figures.line()} {figures.notes[:5]}"
    assert (figures.succeeded, figures.provider_jobs) == (8, 8)
