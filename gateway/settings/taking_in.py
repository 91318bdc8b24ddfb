"""The settings of what is taken in: how much of it, and from whom."""

from __future__ import annotations

from gateway.settings.setting import Section, Setting
from gateway.settings.values import Kind

TAKING_IN = (
    Section(
        "limits",
        "How much is taken on.",
        settings=(
            Setting(
                "live",
                Kind.WHOLE,
                20_000,
                "Generations under way at a time; beyond it new ones are turned away, with a word when to come back.",
                least=1,
                most=1_000_000,
            ),
            Setting(
                "requests",
                Kind.WHOLE,
                None,
                "Requests a minute of one account, those that begin a generation aside; absent, any number.",
                least=1,
                most=1_000_000,
                sample=600,
            ),
            Setting(
                "generations",
                Kind.WHOLE,
                None,
                "Generations one account may begin a minute; absent, any number.",
                least=1,
                most=1_000_000,
                sample=60,
            ),
            Setting(
                "images",
                Kind.WHOLE,
                None,
                "Images one account may have under way; absent, any number.",
                least=1,
                most=1_000_000,
                sample=100,
            ),
            Setting(
                "videos",
                Kind.WHOLE,
                None,
                "Videos one account may have under way; absent, any number.",
                least=1,
                most=1_000_000,
                sample=20,
            ),
            Setting(
                "daily_spend",
                Kind.CREDITS,
                None,
                "Credits one account may spend a day in UTC; absent, what it has.",
                sample=100,
            ),
            Setting(
                "wrong_keys",
                Kind.WHOLE,
                20,
                "Wrong keys a minute from one address before it has to wait.",
                least=1,
                most=1_000_000,
            ),
            Setting(
                "connections",
                Kind.WHOLE,
                1_000,
                "Connections one address may have open at a time; this machine and trusted proxies may have any number.",
                least=1,
                most=1_000_000,
            ),
            Setting(
                "idle",
                Kind.DURATION,
                "75s",
                "How long a connection stays open without a request; longer than proxies in front keep theirs, or they"
                " send into closed ones.",
            ),
        ),
    ),
    Section(
        "proxies",
        "Who stands between callers and the gateway, for keys that are bound to networks.",
        settings=(
            Setting(
                "trusted",
                Kind.NETWORKS,
                [],
                "Networks of the proxies whose word on a caller's address counts; without any, the peer is the caller.",
            ),
            Setting(
                "header",
                Kind.CHOICE,
                "X-Forwarded-For",
                "The one header in which they write it.",
                choices=("X-Forwarded-For", "Forwarded"),
            ),
            Setting(
                "protocol",
                Kind.FLAG,
                default=False,
                says="Whether the trusted ones begin each connection with the PROXY protocol, version 1 or 2. It then names"
                " the client, and a connection without it, or from anywhere else, is closed.",
            ),
        ),
    ),
)
