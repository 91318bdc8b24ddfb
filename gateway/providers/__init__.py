"""The providers, read from data: this folder knows how to talk to a provider and knows none.

- `vocabulary` the words of the pack files, one record per key
- `schema`     the same as JSON Schema and as reference text
- `guide`      the page on how a pack is written, `providers.d/README.md`
- `pack`       a provider and a model as they are held in memory, compiled
- `compile`    the document of a pack file → those records
- `noting`     what is wrong with a document, at its place
- `catalog`    the folders of packs → every offer there is
- `lint`       what the schema cannot say: unused names, tables that disagree
- `render`     values + mapping → the call to send
- `wire`       call → reply; the only file that speaks to providers
- `read`       reply → how the job stands, its outputs, what to keep
- `classify`   reply → fault
- `reverse`    a name and a body in a provider's spelling → our model and fields; the packs, read backwards
- `unrender`   one form of a pack, read backwards; `matching`, `picked`, `declared` are its steps, `meaning` and `heard` what comes of it
- `idiom`      what a provider's words usually mean, for models it does not serve
- `sizes`      sizes in pixels, in the ways they are written
- `secrets`    credentials by name
- `samples`    the proof beside each pack: requests and replies, and what they must become
- `proof`      one of them held against its pack

Who calls it: `attempts` for the work, `commands` and `app` for the catalog. It must not decide what follows a fault; that is
`attempts.decide`.

Decided because
- A name stands for a whole value and keeps its type; nothing is ever re-parsed, so a prompt that looks like a number stays
  a text.
- Mappings are compiled when they are loaded: a mistake shows at start, and a request costs a walk over closures.
- A credential goes to the hosts of its pack alone, wherever a reply points.
"""
