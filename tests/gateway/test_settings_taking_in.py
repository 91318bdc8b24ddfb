"""The settings of what is taken in: how much of it, and from whom."""

from __future__ import annotations

import pathlib
from ipaddress import ip_network

import pytest

from gateway.documents import Mistakes
from gateway.settings import Limits, Proxies, Settings, load


def loading(folder: pathlib.Path, text: str) -> Settings:
    """Load a text as a policy file."""
    (folder / "config.yaml").write_text(text)
    return load(folder / "config.yaml", {})


def test_limits_and_proxies(tmp_path: pathlib.Path) -> None:
    """What is not said limits no account; wrong keys and connections are limited; proxies are networks and one of two headers."""
    usual = loading(tmp_path, "")
    assert usual.limits == Limits(20_000, None, None, None, None, None, 20, 1_000, 75_000)
    assert usual.proxies == Proxies((), "X-Forwarded-For", protocol=False)
    text = "limits: {requests: 600, generations: 60}\nproxies: {trusted: [10.0.0.0/8], header: Forwarded}\n"
    read = loading(tmp_path, text)
    assert (read.limits.requests, read.limits.generations) == (600, 60)
    assert read.proxies == Proxies((ip_network("10.0.0.0/8"),), "Forwarded", protocol=False)


def test_the_proxy_protocol_needs_a_proxy(tmp_path: pathlib.Path) -> None:
    """S24: without a trusted proxy the PROXY protocol would close every connection, so the file is refused."""
    assert loading(tmp_path, "proxies: {trusted: [10.0.0.0/8], protocol: true}\n").proxies.protocol
    with pytest.raises(Mistakes, match=r"name them in proxies\.trusted"):
        loading(tmp_path, "proxies: {protocol: true}\n")
