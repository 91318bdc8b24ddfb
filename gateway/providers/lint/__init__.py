"""What the schema of a pack cannot say: names made by nothing, tables that disagree, calls that use what was never kept.

- `provider`  one `provider.yaml`
- `model`     one `<lab>/<model>.yaml`: its forms, bounds and defaults
- `outputs`   a path to outputs, by its shape
- `body`      what a form sends, against what it takes
- `price`     what a form costs, against what it offers
- `agreement` all providers of one model, against each other

Who calls it: `catalog`, before a document is compiled; each mistake is noted at its place, and nothing is raised.
"""
