"""Every setting in one table: its kind, its default, what it says."""

from __future__ import annotations

from gateway.ledger.events import USUAL
from gateway.settings.setting import Section, Setting
from gateway.settings.taking_in import TAKING_IN
from gateway.settings.values import Kind

TOP = (
    Setting(
        "listen", Kind.LISTEN, "127.0.0.1:8080", "Address and port to serve on, such as [::1]:8080 or 0.0.0.0:8080."
    ),
    Setting(
        "public_url",
        Kind.URL,
        None,
        "Where callers reach the gateway, for the links in its answers, with a path if it is behind one; when absent,"
        " what each request was sent to.",
    ),
    Setting(
        "drain",
        Kind.PAUSE,
        None,
        "How long requests are still taken after SIGTERM, while readiness says no, until balancers have seen it; when absent,"
        " 5s, or not at all on a loopback address. What follows takes up to 17s more.",
    ),
    Setting(
        "store",
        Kind.STORE,
        "sqlite:///var/lib/tidegate/tidegate.db",
        "The ledger: what was asked, tried and spent. `sqlite:name.db` is a file beside this one, for one process;"
        " `postgresql://user:password@host/name`, best from a variable, is shared by as many as you like.",
    ),
    Setting(
        "secret",
        Kind.LONG,
        None,
        "What links, webhook secrets and the hashes of API keys are derived from: 32 characters or more, the same for all"
        " who share a store. When absent, it is drawn once and kept in a file beside a SQLite store.",
        sample="${TIDEGATE_SECRET}",
    ),
    Setting(
        "catalog",
        Kind.FOLDERS,
        ["providers.d"],
        "Folders of provider files; a later one adds to or replaces files of an earlier one. A relative path is beside"
        " this file; where no `providers.d` is, the folder shipped with the gateway is meant.",
    ),
    Setting(
        "aliases",
        Kind.NAMES,
        {},
        "Other names for models, such as {gpt-image-1: lab/model-2}: what clients ask for that know only a service's own.",
    ),
    Setting(
        "auth",
        Kind.CHOICE,
        "keys",
        "Who may ask: `keys` wants an API key, `none` serves anybody as one account and is for a loopback address alone.",
        choices=("keys", "none"),
    ),
    Setting(
        "credits",
        Kind.CHOICE,
        None,
        "`enforce` refuses what an account's balance does not cover, `track` only books it; when absent, `enforce` with"
        " keys and `track` without.",
        choices=("enforce", "track"),
    ),
    Setting("region", Kind.REGION, "us", "The name of this deployment, as answers and metrics state it."),
    Setting(
        "metrics",
        Kind.METRICS,
        "keys",
        "Who may read /metrics: `keys` with the scope metrics:read, or `none`; or an address and port such as 127.0.0.1:9090,"
        " where nothing but metrics and probes is served, without a key.",
    ),
)

SECTIONS = (
    Section(
        "outputs",
        "What happens to pictures and films once they are made.",
        settings=(
            Setting(
                "store",
                Kind.OUTPUTS,
                "file:///var/lib/tidegate/outputs",
                "Where they are kept; when absent, `outputs` beside the ledger. `s3://bucket/prefix` is a bucket, reached as"
                " the usual AWS_ variables say. `none` passes the provider's bytes or link on, and with the link its expiry.",
            ),
            Setting("keep", Kind.DURATION, "24h", "How long they are kept."),
            Setting("links", Kind.DURATION, "24h", "How long a link to one works."),
            Setting(
                "link_to",
                Kind.CHOICE,
                "gateway",
                "Where links lead: to the `gateway`, or straight to the `bucket`.",
                choices=("gateway", "bucket"),
            ),
            Setting("max_image", Kind.SIZE, "64MiB", "The largest image taken from a provider."),
            Setting("max_video", Kind.SIZE, "2GiB", "The largest video taken from a provider."),
        ),
    ),
    Section(
        "providers.*",
        "What differs from the provider's own file, by provider id.",
        item="acme",
        settings=(
            Setting("base", Kind.URL, None, "Base address, path included.", sample="https://gateway.example.com/acme"),
            Setting("enabled", Kind.FLAG, default=True, says="Whether it is asked at all."),
            Setting(
                "hosts",
                Kind.HOSTS,
                None,
                "Hosts beside the base that may be given its credential.",
                sample=["*.example.com"],
            ),
            Setting("labels", Kind.LABELS, [], "What you know of it, for `labels` of routes.", sample=["eu"]),
            Setting(
                "concurrency",
                Kind.WHOLE,
                None,
                "The most jobs under way; absent, no cap.",
                least=1,
                most=100_000,
                sample=50,
            ),
            Setting(
                "rate",
                Kind.NUMBER,
                None,
                "The most calls a second; absent, no cap.",
                least=0.01,
                most=10_000,
                sample=20,
            ),
        ),
    ),
    Section(
        "routes.[]",
        "Who is asked for what, in which order; the first route that matches counts.",
        settings=(
            Setting("match.model", Kind.TEXT, "*", "Models by pattern; absent, all.", sample="lab/*"),
            Setting(
                "match.kind", Kind.CHOICE, None, "Image or video; absent, both.", ("image", "video"), sample="image"
            ),
            Setting("match.account", Kind.TEXT, None, "One account; absent, all.", sample="acc_studio"),
            Setting("match.key", Kind.TEXT, None, "One API key by id or name; absent, all.", sample="my-app"),
            Setting("match.tag", Kind.LABEL, None, "One tag of `X-Tidegate-Tag`; absent, any.", sample="batch"),
            Setting(
                "order",
                Kind.ORDER,
                [],
                "Who first, then the others; or {acme: 3, other: 1}: shares; or fastest, cheapest.",
                sample=["acme", "other"],
            ),
            Setting("only", Kind.IDS, [], "Nobody but these.", sample=["acme", "other"]),
            Setting("never", Kind.IDS, [], "Anybody but these.", sample=["third"]),
            Setting("labels", Kind.LABELS, [], "Only who carries all of these labels.", sample=["eu"]),
            Setting("attempts", Kind.WHOLE, None, "Attempts in all, 1 to 10.", least=1, most=10, sample=3),
            Setting("deadline", Kind.DURATION, None, "How long it may take in all.", sample="300s"),
            Setting(
                "after_refusal",
                Kind.CHOICE,
                "fail",
                "Content one provider refused: fail, or ask the next.",
                choices=("fail", "next"),
            ),
            Setting("max_price", Kind.CREDITS, None, "Leave out who is dearer, credits.", sample=0.5),
            Setting(
                "hedge_max_cost",
                Kind.CREDITS,
                None,
                "Ask another beside a slow job if it costs no more; absent, never.",
                sample=0.05,
            ),
        ),
    ),
    Section(
        "attempts",
        "What holds where no route says otherwise.",
        settings=(
            Setting("per_generation", Kind.WHOLE, 3, "How many attempts a request has in all.", least=1, most=10),
            Setting("image_deadline", Kind.DURATION, "300s", "How long an image may take, failover included."),
            Setting("video_deadline", Kind.DURATION, "1800s", "How long a video may take, failover included."),
            Setting(
                "in_doubt_max_cost",
                Kind.CREDITS,
                0.10,
                "When the line broke and nobody knows whether a provider began, another is asked only if paying twice"
                " costs no more than this.",
            ),
            Setting(
                "explore",
                Kind.NUMBER,
                0.05,
                "The share of requests in the order `fastest` that try another provider first, so that it is known how"
                " fast the others are. 0 tries none.",
                least=0,
                most=1,
            ),
            Setting(
                "soft_deadline",
                Kind.NUMBER,
                3,
                "A job counts as slow after so many times what is usual for its model at its provider.",
                least=1,
                most=100,
            ),
            Setting("soft_deadline_least", Kind.DURATION, "30s", "No job counts as slow sooner than this."),
            Setting(
                "hedge_share",
                Kind.NUMBER,
                0.05,
                "What the second jobs of routes with `hedge_max_cost` may cost together, as a share of what the first"
                " ones do.",
                least=0,
                most=1,
            ),
            Setting("connect_timeout", Kind.DURATION, "5s", "How long a connection to a provider may take."),
            Setting(
                "submit_timeout",
                Kind.DURATION,
                "30s",
                "How long a provider that queues may take to accept a job; one that answers with the picture has until"
                " the deadline.",
            ),
            Setting(
                "poll_grace",
                Kind.DURATION,
                "120s",
                "How long past its deadline an accepted job is still looked after, so that nothing paid for is lost.",
            ),
        ),
    ),
    Section(
        "keys",
        "How API keys are kept.",
        settings=(
            Setting(
                "peppers",
                Kind.PEPPERS,
                [],
                "What they are hashed with, the newest first; one hashed with a later one is hashed anew at its next use. The"
                " gateway's own secret beside the store counts as the last.",
                sample=["${KEY_PEPPER}"],
            ),
        ),
    ),
    *TAKING_IN,
    Section(
        "keep",
        "How long what has ended stays on record; credits and their movements always do.",
        settings=(
            Setting(
                "records",
                Kind.DURATION,
                "30d",
                "Generations: after it the request, the plan and what attempts left are deleted, with any files.",
            ),
            Setting("usage", Kind.DURATION, "365d", "Counts of requests by day."),
        ),
    ),
    Section(
        "webhooks.[]",
        "Who is told what became of the work, beside the endpoints made by command or call.",
        settings=(
            Setting(
                "url",
                Kind.ENDPOINT,
                None,
                "Where events are posted: HTTPS, public, default port; or inside `egress`.",
                sample="https://app.example.com/hooks",
            ),
            Setting(
                "secret",
                Kind.SECRET,
                None,
                "What signs them: whsec_ and 24 to 64 bytes in base64.",
                sample="${WEBHOOK_SECRET}",
            ),
            Setting("events", Kind.EVENTS, [event.value for event in USUAL], "Which events."),
            Setting("account", Kind.TEXT, None, "One account; absent, all.", sample="acc_studio"),
        ),
    ),
    Section(
        "delivery",
        "How events are delivered.",
        settings=(
            Setting(
                "schedule",
                Kind.WAITS,
                ["0s", "1s", "4s", "16s", "60s", "5m", "30m", "2h", "5h", "10h"],
                "The wait before each attempt; there are as many attempts as waits.",
            ),
            Setting("timeout", Kind.DURATION, "15s", "How long a receiver may take."),
            Setting(
                "disable_after",
                Kind.WHOLE,
                15,
                "After so many failed attempts in a row an endpoint is disabled, and what it is owed is queued.",
                least=1,
                most=1000,
            ),
            Setting("keep_queued", Kind.DURATION, "72h", "How long events are queued for a disabled endpoint."),
        ),
    ),
    Section(
        "egress",
        "What the gateway may connect to.",
        settings=(
            Setting(
                "allow",
                Kind.NETWORKS,
                [],
                "Networks that are otherwise refused, such as 127.0.0.0/8 for a provider on this machine.",
            ),
            Setting(
                "deny",
                Kind.NETWORKS,
                [],
                "Networks that are refused in any case, such as the public one this gateway is in.",
            ),
            Setting(
                "https_only",
                Kind.FLAG,
                default=False,
                says="Whether plain HTTP is refused, to networks of `allow` excepted, for inputs and outputs alike.",
            ),
        ),
    ),
    Section(
        "log",
        "What is written to stderr.",
        settings=(
            Setting(
                "format",
                Kind.CHOICE,
                "auto",
                "JSON lines, text, or auto: text on a terminal and JSON elsewhere.",
                choices=("auto", "json", "text"),
            ),
            Setting("level", Kind.CHOICE, "info", "The least that is written.", ("debug", "info", "warning", "error")),
            Setting(
                "prompts", Kind.FLAG, default=False, says="Whether prompts appear; otherwise only their length does."
            ),
        ),
    ),
)
