"""Telling callers what became of their work: events, signed, sent until they arrive or nobody waits for them.

The ledger writes an event in the transaction that causes it, with a delivery for each endpoint that wants to hear of it. The
outbox reads what is due, this folder words and signs it, and one POST carries it.

- `event`     an event and its generation → the body
- `sign`      secrets, and the signatures made with them
- `schedule`  how an attempt went → what follows
- `target`    which addresses an endpoint may have
- `windows`   how much each endpoint is sent at once
- `post`      the door: one POST through guarded sockets
- `outbox`    reads what is due, sends it, writes down how it went

Who calls it: the app starts the outbox; the operator's acts and the calls under /v1/webhooks use `sign` and `target`. It must
not decide what is told, that is the ledger's, and knows neither requests nor providers.

Decided because
- At least once, under one id: an attempt that was sent and not written down before a crash is sent again as the same delivery,
  so that a receiver can tell. Nothing is leased in the store, since one process owns it.
- A body is made anew for each attempt: links to outputs expire, and the state told is the event's, not the moment's.
- What an endpoint is sent grows with what it takes. One that fails gets one attempt at a time, with rests between them, and all
  that fail share half of what is sent at once: a receiver that hangs costs the others nothing.
- A receiver's answer is its status alone. Its body is read so far that the line can be used again, and kept nowhere.
- Secrets are derived, not stored, and those that the policy brings are sealed: a copy of the store signs nothing. They are kept
  at all because one that was replaced while the gateway was down has to sign for a day, and no file has it any more.
"""
