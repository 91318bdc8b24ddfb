"""Outputs made ours before the provider's link expires.

A generation succeeds when its bytes are safe, so this stage stands between a provider's word that it is done and the moment
money settles. `keep.py` is the whole act, once: `fetch.py` opens the source under limits of size, time, rate and address,
`kinds.py` looks at the first bytes and says what they are, a store (`store.py` says what one is, `disk.py` is a folder, `bucket.py`
a bucket) writes them with their hash. `source.py` reads inputs through the same door. `links.py` signs the addresses under which callers read them. What can go wrong is `fault.py`.

The runner of attempts calls `keep`; the front doors call `Store.open` and `links`. This stage never retries, never decides
what a failure means for money or failover, and never believes a provider's word about type, length or name.

Decided because:
- The first bytes decide the type, the declared type is ignored: error pages are served as pictures with status 200, and a
  wrong type from us would be rendered by a browser. SVG, HTML and PDF run scripts, so they are no pictures here.
- Unfinished files live in one folder of their own beside the finished ones, on the same file system: a rename is still
  atomic, and the sweep after a crash looks at leftovers only, not at a million outputs.
- An unfinished file is locked while it is written. So a sweep may run at any time, beside other writers of the same folder,
  and takes only what a dead process left.
- The name holds the hash of the bytes: writing the same output twice is one file, and a late, different output of an
  abandoned attempt can never replace the one that was paid for.
- Redirects are followed by hand, because every hop is checked as if it had been asked for first.
- What is for a bucket is taken whole into a file first (`spool.py`): its name holds its hash, which is known at the end, and a
  service may be away for longer than the provider's link works. `access.py` reads how it is reached; `answers.py` words its faults.
- Nothing is decoded, and headers are read within bounds: a file that unfolds to gigabytes is a few kilobytes here. So there is no
  parser that would need a process of its own.
- No list of the hosts of outputs is kept: a fetch carries nothing worth having, and a list out of date would lose what was paid for.
"""
