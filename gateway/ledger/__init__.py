"""The store: what was asked, tried, spent and owed.

Callers hand programs to a `Database`: `await store.write(generations.accept(new))`. A program is a generator that names
statements and never does IO; the statements live in `sql/`, the tables in `migrations/`. The intake writes here before it
answers, the attempts before they act, and what is acknowledged is on disk.

It must not decide what to try or when, must not speak to anyone, and must know neither HTTP nor any provider.

Decided because:

- Programs, not a class of methods over a connection: the same text then serves a second engine, the tests can stop one
  between any two statements, and a batch of them shares one commit.
- One writer with group commit and `synchronous=FULL`: the cost is the sync and the hop to the thread, and both are shared.
- A hold is not an entry. Credits set aside are a column under a CHECK, so that no code path can overspend; entries are
  written only when credits really move, always two, and never changed again.
- The schema refuses what the code must not do: illegal steps, closing a hold twice, a second winner, an edited entry. The
  checks ask the same questions once more, for the day when something wrote past the schema.
- Losing a race is normal. It is a result, never an exception, and it changes nothing.
"""
