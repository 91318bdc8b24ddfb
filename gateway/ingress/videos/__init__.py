"""/v1/videos: films, as the clients of another API ask for them: begun, looked at until they are there, then loaded.

- `wishes`    a body of that API → what is asked of a model
- `source`    a film that is there already, as what another one starts from
- `create`    the calls that begin a film
- `shelf`     the calls on films there are: one, a list of them, the file, its end
- `answer`    a record → a film in that API's words
- `words`     errors in that API's words

What a field means and no provider of the model can do is refused by its name. What is made otherwise than it was asked, as a size
that is nearly the one of the pixels, is told under `tidegate.adjustments` of the answer.

Decided because
- A client that says it only polls is held for a moment and answered when the film ends: it asks less often and learns it sooner.
- The file is sent and not linked to: not every client follows, and whoever reaches this address may not reach a link's.
"""

from gateway.ingress.videos.door import door

__all__ = ["door"]
