"""A benchmark of gateways for generated media: `python -m tests.bench`, and what each part of it is.

`__main__` takes the workloads one after another. Each is a file with `measure(bench) -> Iterator[Figure]`: `calls`, `creates`, `reads`,
`live`, `restart`, `outputs`, `fanout`, `looks`, `profile`. It starts what it needs (`gateway`, `peers`, `far`, all of them processes of
their own by `process`), asks by `load` in `rounds` or one by one on a `line`, and words what it found by `sample` and `figure`. `machine` says
what it ran on. `made` has generations of every kind made, `store` grows a million out of them, `living` keeps thousands under way.

Rules that every workload keeps:

* A figure is a ratio of two things measured side by side in one run, in rounds that alternate (`rounds.alternating`); what is quoted is
  the median of the rounds, with the least and the most of them.
* The gateway runs as it is shipped, API keys, credits and metrics on and every commit synced; what a workload sets besides is in its
  words. Whoever it is compared with gets the same body, far end and number of connections.
* An answer that is not the one expected is an error, and a figure with an error is void. Who cannot be had is skipped, with the reason.
* Nothing outlives a run, and what others install stays in a cache of its own.
"""
