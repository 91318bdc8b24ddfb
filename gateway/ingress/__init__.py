"""HTTP in and out: one file per group of paths of the native API.

- `weigh`       a request against what its model offers and the policy: what is wrong, or the plan that serves it
- `intake`      the one door: weighed, its price held, its row written, its work begun; `pinned` is what that is decided from
- `door`        the listening sockets; `entrance` serves an application behind it
- `connection`  one connection; `watch` how long it may take over what, with `waiting` as its queues; `preamble` whom a balancer
                speaks for, `screen` what a head is refused for, `misread` what is said of one that cannot be read,
                `pieces` how a large answer is sent, `tls` what is sealed inside it
- `refusal`     every error there is, in one table
- `body`        a JSON body, read strictly; `admission` how much of them is held at once; `tags` what a request is marked with
- `callers`     API key → who is asking and what they may do; `keyform`, `credential`, `address` and `limiter` are its parts: how a
                key looks, where it is sent, where its caller is and how often it may ask
- `envelope`    the success and error envelopes, and what surrounds every answer
- `fields`      the native spelling of our fields
- `record`      a stored generation → the native record
- `generate`    /v1/generate
- `estimate`    /v1/estimate
- `content`     /v1/content: read, list, cancel, delete
- `account`     /v1/status, /v1/usage, /v1/user
- `library`     /v1/library, /v1/health
- `outputs`     /v1/outputs: stored files by signed link
- `operations`  liveness, readiness, metrics
- `reference`   /openapi.json, /docs: all of these as a document, which `openapi` makes
- `shelf`       what the library says of one model
- `webhooks`    /v1/webhooks: who is told what became of the work
- `admin`       keys, accounts, credits and checks, on the private socket; `desk`, `keyring`, `keyterms`, `statement`, `endpoints`,
                `alerting`, `switches`, `auditing` and `retelling` are its tools
- `acts`        /admin/v1: the same over HTTP, for keys that may
- `dialect`     what the doors for clients of other APIs have in common, with `kit`, `reception`, `repeats`, `delivery` and `wording`;
                `doors` lists them: `images`, `videos`, `predictions`, `queue`; `knowing` is a route for the paths it knows
- `form`        a multipart body

A dialect reads a request and words an answer; what happens in between is intake's, the same for all. Nothing here may try a
provider: that is `attempts`, begun by intake.

Decided because
- Create answers when the generation is committed: no client waits on a provider, and a repeated request finds the record.
- Everything is checked before anything is held: a refusal leaves no trace but a count.
"""
