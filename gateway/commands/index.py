"""Every command with its line in the help. Nothing is loaded for it: `tidegate --help` has to be quick."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One command; its module has the same name. With `mixes` its words may stand between its options."""

    name: str
    says: str
    mixes: bool = False


COMMANDS = (
    Command("demo", "see it work: simulated providers, no key, no network"),
    Command("serve", "run the gateway"),
    Command("check", "check the policy file and every provider file"),
    Command("explain", "show who would be asked for a request, and with which bytes; sends nothing", mixes=True),
    Command("generate", "ask a running gateway for an image or a video and save it", mixes=True),
    Command("env", "say what points an existing client at the gateway", mixes=True),
    Command("keys", "create, list, show, change, rotate and revoke API keys"),
    Command("audit", "see who changed what about keys, accounts, credits, webhooks and breakers"),
    Command("accounts", "create and list accounts"),
    Command("credits", "add credits to an account, or show what it has"),
    Command("webhooks", "say who is told what became of the work, and see what was told"),
    Command("alerts", "say below which balance an account is told that its credits run low"),
    Command("breakers", "see which providers rest after failures, and hold one open or closed for a while"),
    Command("doctor", "check the ledger and the versions it runs on"),
    Command("migrate", "bring a store to this version before anything serves on it"),
    Command("healthcheck", "ask whether a gateway serves, for containers and scripts"),
    Command("simulate", "run the provider simulators alone, to test an app against failure"),
)

# A model that several providers serve from the first day; the examples lean on it.
MODEL = "bytedance/seedream-4.5"

SHORT = f"""\
Tidegate runs requests for images and videos on whichever provider can serve them.

  tidegate demo
  tidegate serve -c config.yaml
  tidegate explain {MODEL} prompt="a baby seal" ratio=16:9

`tidegate --help` lists all commands, `tidegate COMMAND --help` explains one.
"""


def full(version: str) -> str:
    """Give the long help."""
    wide = max(len(command.name) for command in COMMANDS)
    lines = [f"  {command.name:<{wide}}  {command.says}" for command in COMMANDS]
    return "\n".join(
        [
            f"Tidegate {version}, a gateway for generative media: one request shape, any provider.",
            "",
            "usage: tidegate COMMAND …",
            "",
            *lines,
            "",
            "examples",
            "  tidegate demo                            a request that fails over, in seconds",
            "  tidegate check -c config.yaml            every mistake, as file:line:column",
            f"  tidegate generate {MODEL} prompt=seal -o seal.jpg",
            "",
            "exit codes: 0 done, 1 failure, 2 usage, 3 policy or provider files, 4 key or permission,",
            "            5 the providers failed, 6 credits or limits, 130 Ctrl-C",
            "",
        ]
    )
