"""/v1/predictions and /v1/models/{owner}/{name}/predictions: runs of a model, begun and followed as the clients of another API do.

- `wishes`      a body of that API → what is asked of a model, who is told of it, how long it may take
- `create`      the calls that begin a prediction; they answer at once, or when it has ended
- `follow`      the calls that read, list and stop predictions
- `prediction`  a stored generation → that API's record of it
- `answer`      that record as it is sent: outputs as links, or whole where a client cannot follow one
- `models`      models and their versions, with the parameters of each
- `files`       files handed over before a prediction
- `hook`        telling those who were named with a prediction
- `words`       errors in that API's words

A parameter is read by the packs in reverse, in the spelling of the provider whose clients come through this door; it reaches whoever
serves with the same meaning, or is refused by its name. What is not done as it was written stands in the record's `logs`.
"""

from gateway.ingress.predictions.door import door

__all__ = ["door"]
