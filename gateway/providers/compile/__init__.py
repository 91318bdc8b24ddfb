"""The document of a pack file → the records it means. The schema has passed before; what it cannot see is noted.

- `provider` a `provider.yaml`: lifecycles, rules, pauses
- `model`    a `<lab>/<model>.yaml`: forms, bounds, tables, prices
- `table`    the forms and the rows of a model file, as they stand
- `unit`     lengths of time and amounts of money
- `finder`   paths into replies

Who calls it: `catalog`, once a file. It must not judge what the records mean; that is `lint`.
"""
