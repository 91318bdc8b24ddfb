"""/{model}/requests/{id}: requests put into a queue, followed and fetched, as the clients of another API do.

- `names`   the headers and words that only those clients know, out of the pack that mounts the door
- `wishes`  a body of that API → what is asked of a model, and who is told of it
- `create`  the calls that begin: into the queue, or waiting for the end
- `job`     a stored generation → its status, and its outputs as that API has them
- `again`   what was sent again because its answer was lost
- `follow`  status, status as events, result, cancel
- `proxy`   the same calls through one address, which names what was meant in a header
- `files`   pictures and films handed over before a request
- `hook`    telling those who were named with a request, signed
- `words`   errors in that API's words
- `door`    all of it, mounted

Two doors: one that queues and one that waits, for the clients tell the two by the host alone, and a host is a prefix here. A status
is read from the store and never asks a provider. What became of a request in the gateway's own words stands under `tidegate` of
the result and in the logs.
"""

from gateway.ingress.queue.door import doors

__all__ = ["doors"]
