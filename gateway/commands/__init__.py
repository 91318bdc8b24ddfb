"""What people type: one file a command, each with `declare(parser)` and `run(asked, environ)`, which gives the exit code.

- `serve`, `demo`, `simulate`                  run until they are stopped
- `check`, `explain`                           look at policy and packs, and send nothing
- `generate`, `healthcheck`                    ask a running gateway over HTTP
- `env`                                        says what points an existing client at the gateway
- `keys`, `accounts`, `credits`, `doctor`      administration, of a running gateway or of its store
- `breakers`                                   the same, of a running gateway alone

Behind them

- `index`           the list of commands, read before any of them is loaded
- `exits`           the exit codes, and how a command ends early
- `terminal`        what goes to stdout and stderr, colours, tables
- `policyfile`      `-c`
- `configuration`   what it leads to: settings, or every mistake in them
- `pointing`        a client of a pack and where the gateway is, to variables and lines
- `request`         `field=value` words to the fields of a request
- `client`          a gateway seen from outside: create, read, cancel, download
- `journey`         a generation followed to its end, attempt by attempt
- `saving`          outputs to files
- `reloading`       the files behind a running gateway, taken anew when they change
- `administration`  the private socket of a running gateway, or the store itself
- `ports`, `signals`  a port that is free; being asked to stop
- `allocator`       what the C library is told about memory
- `selfsigned`      a certificate of the gateway's own

Data goes to stdout and everything else to stderr, so that a pipe holds data alone.

Decided because
- A command is loaded when it is called: `tidegate --help` costs nothing that only a server needs.
- argparse does: an import of a few milliseconds, no dependency, and what it lacks (the nearest word on a typo) is short.
- The environment comes in as an argument, as time does elsewhere, so that a test needs to change nothing.
- `generate` and `demo` speak plain HTTP to the gateway: what they can do, every caller can.
"""
