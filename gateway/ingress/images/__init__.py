"""/v1/images and /v1/models: pictures, and the models there are, as the clients of another API ask for them.

- `wishes`   a body of that API → what is asked of a model, and how the answer is to look
- `size`     a size in pixels → the shape and the class of sizes that models know
- `create`   the calls that make pictures; they answer when the pictures are there
- `answer`   the pictures: as JSON, as server-sent events, as bytes
- `words`    errors in that API's words
- `models`   the list of models, and each of them

What a field means and no provider of the model can do is refused by its name. What is done otherwise than it was asked, as a shape
that is nearly the one of the pixels, is told under `tidegate.adjustments` of the answer.
"""

from gateway.ingress.images.door import door

__all__ = ["door"]
