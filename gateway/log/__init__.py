"""The log: one event a line on stderr, and no secret in it.

An event has a name and fields; programs get it as JSON, people at a terminal as text. Whatever passes through, secrets
are struck out of it: those registered by value, and whatever looks like one by its name or its shape. Texts that leave
by other doors, such as a provider's error message handed to a caller, go through the same `redact`.

- `redactor`  what must not be seen, and how it is struck out of texts and of nested values
- `lines`     an event to a line of JSON or of text, bounded and escaped
- `scope`     ids that every line names within a request, a generation, an attempt
- `events`    the process-wide log: `setup`, `event`, `register`, `redact`, `redacted`, `excerpt`

Who calls it: everything that runs. It must not fail, block on the network, or know what the events mean.

Decided because
- The standard library's logging carries the lines, so that what libraries log comes out in the same form, struck out by
  the same rules; only the formatting is ours.
- The redactor is one for the process, like the log: a secret known in one place must not leak in another.
"""

from gateway.log.events import Level, event, excerpt, redact, redacted, register, setup
from gateway.log.redactor import Redactor
from gateway.log.scope import bind, bound, here

__all__ = ["Level", "Redactor", "bind", "bound", "event", "excerpt", "here", "redact", "redacted", "register", "setup"]
