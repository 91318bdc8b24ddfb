"""The OpenAPI document of what is served: routes, scopes, models and limits, as they are at that moment.

- `document`    all of it together
- `calls`       every route: what it is for, what it takes, what it answers
- `parameters`  what stands in paths, queries and headers
- `bodies`      what is sent to create and to change webhooks; `models` the same for each model, within its own limits
- `acts`        the operator's acts with their arguments
- `records`, `accounts`, `catalogs`, `hooks`  the shapes of what is answered; `shapes` the few words they are written in
- `fronts`, `filmed`, `queued`  the calls of the doors for clients of other APIs
- `refusals`    the errors a route can answer, out of the table of all errors
- `page`        the document as a page for people

The router says which routes there are, the guard which scope each needs, the menus what each model takes, the table of errors what
can go wrong: none of it is said again here. A test holds this against the router, and another every answer against this.

Decided because
- It is public, as the API's reference is: it says what may be asked of whom and within which limits, and no price, account, address
  or standing of a provider. A client, a proxy in front, or a scanner can read it before anybody has made a key for it.
- Each model has a path of its own in it, beside the general one: only so does the document say that a value is wrong for a model,
  and whoever checks a request against it learns before sending what the gateway would answer.
- Answers are open, requests are closed: a client must bear a new field in an answer, and the gateway takes no field it does not know.
"""
