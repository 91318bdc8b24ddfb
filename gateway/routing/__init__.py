"""Which providers, in what order: pure values in, a plan out.

- `policy`   the operator's routes, and the rules that hold for one request
- `menu`     what a model offers over all its providers: what a caller may ask for
- `order`    as asked · as listed · cheapest · fastest · weighted
- `plan`     (generation, rules, offers, standing) → plan; every exclusion has its reason
- `audit`    what a policy says in vain: routes that never count, names nobody has
- `breaker`  closed, open, half-open: the recent past of one thing that may fail; `window` is its last minute
- `signal`   which breaker an outcome concerns
- `health`   the breakers of all offers, kept between requests; `traffic`, `override`, `panic` and `paths` are what it holds beside them
- `concurrency`  how many jobs at once a provider takes, learned from what it refuses; `rate` when the next call may go out
- `rank`     how long each offer takes until a caller holds a file, from its own attempts; `rankings` keeps that between requests

Who calls it: intake makes the plan, `attempts` walks it. It must not see packs, sockets or clocks: time is an argument.

Decided because
- A field a provider cannot honour excludes the provider, with the reason kept; nothing is bent to fit.
- Providers the caller did not name come after the named ones, so that a short list does not cost the failover.
- A breaker counts over a minute where there is traffic and in a row where there is little: a share alone never opens at one
  job a minute, a short row alone opens by chance at twenty a second. A row too long for chance opens whatever the traffic,
  because a good minute behind it hides an outage from the share for half a minute.
"""
