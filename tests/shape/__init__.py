"""How much work one request is, counted and not timed: `python -m tests.shape` prints it, tests/story/test_shape.py holds it.

- `serving`    the real application on a thread of its own, its time standing still
- `asking`     the three requests, each followed until nothing is under way
- `counting`   what is counted meanwhile: calls of functions, works and statements of the store, JSON, tasks, timers
- `measuring`  one request alone, many at once, one beside many that are live
- `living`     generations that rest, as many as are wanted
- `bounds`     what may not be exceeded, and what is said when it is

Decided because
- A figure in seconds says more of the machine than of a change, and nobody believes it when it is red. Counts are the same on every
  machine, and move only when somebody has moved them.
- They do not see what is done in C: statements and encodings are counted for that, and the benchmark times the whole.
"""
