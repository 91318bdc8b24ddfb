"""`tidegate explain`: who would be asked for a request, with which bytes and at what price, and who would not and why."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway import app, money
from gateway.attempts import inputs
from gateway.commands import configuration, request, retold
from gateway.commands.exits import Exit, Stop
from gateway.commands.index import MODEL
from gateway.commands.terminal import Style, say, show, show_json, style
from gateway.ingress import tags
from gateway.ingress.refusal import Refusal
from gateway.ingress.weigh import Asked, Weighed, World, card_of, weigh
from gateway.providers import render
from gateway.providers.pack import Encoding
from gateway.providers.render import File
from gateway.providers.secrets import struck, struck_address
from gateway.routing.plan import Step, Why
from gateway.routing.policy import Strategy
from gateway.settings import Auth, Settings
from gateway.world import Loaded

# What a plan made without a running gateway leaves open.
_ORDERS: Mapping[Strategy, str] = MappingProxyType(
    {
        Strategy.LISTED: "order: as listed",
        Strategy.CHEAPEST: "order: the cheapest first",
        Strategy.FASTEST: "order: the fastest first, as a running gateway has seen it; as listed until it has",
        Strategy.WEIGHTED: "order: the first is drawn by weight for each request; here the heaviest leads",
    }
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("model", metavar="MODEL", nargs="?", help=f"lab/model, such as {MODEL}")
    parser.add_argument("fields", metavar="field=value", nargs="*", help=request.HELP)
    configuration.option(parser)
    parser.add_argument(
        "--account", default="", metavar="ID", help="plan as for this account, for routes that name one"
    )
    parser.add_argument(
        "--key", default=[], action="append", metavar="ID", help="plan as for this API key, by its id or its name"
    )
    parser.add_argument(
        "--tag", default=[], action="append", metavar="TAG", help=f"plan as for a request with this {tags.HEADER}"
    )
    parser.add_argument(
        "--generation", metavar="ID", help="tell instead what was decided for this one, and what came of it"
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="with --generation: and what this policy would decide today"
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.epilog = f"""\
Nothing is sent. Credentials are shown as ***; a provider whose credential is not set is explained too, with a note.

{request.EXAMPLES}
examples
  tidegate explain {MODEL} prompt="a baby seal" ratio=16:9
  tidegate explain {MODEL} prompt=seal images=https://example.com/a.jpg --json | jq '.plan[].request.body'
  tidegate explain --generation 0b2c… --policy other.yaml

exit codes: 0 somebody would serve it, 1 nobody would, 2 the request is wrong, 3 the files are
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Explain one request, or one generation."""
    settings = configuration.load(asked, environ)
    if asked.generation is not None:
        return _retell(asked, settings, environ)
    if asked.model is None or asked.policy is not None:
        raise Stop(Exit.USAGE, "name a model, or a generation with --generation; --policy goes with the latter")
    loaded = configuration.loaded(settings, environ)
    world, notes = _assumed(loaded)
    account = asked.account or (app.LOCAL if settings.auth is Auth.NONE else "")
    weighed = _weighed(world, account, asked)
    told = {
        "model": weighed.menu.model,
        "kind": weighed.kind.value,
        "plan": [_step(loaded, weighed, step) for step in weighed.plan.steps],
        "excluded": [{"provider": each.provider, "reason": each.reason} for each in weighed.plan.excluded],
        "hold": money.as_number(weighed.plan.hold),
    }
    served = {step.provider for step in weighed.plan.steps}
    notes = {provider: note for provider, note in notes.items() if provider in served}
    if asked.json:
        show_json(
            {**told, **({"notes": [{"provider": name, "note": note} for name, note in notes.items()]} if notes else {})}
        )
    else:
        show(_page(told, weighed.rules.strategy, notes, style(sys.stdout, environ)))
    if not weighed.plan.steps:
        say("tidegate: no provider can serve this request")
        return Exit.FAILURE
    return Exit.OK


def _retell(asked: argparse.Namespace, settings: Settings, environ: Mapping[str, str]) -> int:
    if asked.model is not None:
        raise Stop(Exit.USAGE, "with --generation no model is named: it is on record")
    told = retold.tell(settings, asked.generation, asked.policy, environ)
    if asked.json:
        show_json(told)
    else:
        show(retold.page(told, style(sys.stdout, environ)))
    return Exit.OK


def _assumed(loaded: Loaded) -> tuple[World, dict[str, str]]:
    """Take missing credentials for set, so that a plan can be seen before there is any; give a note on each provider."""
    standing = loaded.world.standing
    lacking = [name for name, each in standing.items() if each.why is Why.NO_CREDENTIAL]
    rest = {name: each for name, each in standing.items() if name not in lacking}
    missing = {name: loaded.secrets.missing(loaded.catalog.providers[name].secrets) for name in lacking}
    notes = {name: f"left out unless {', '.join(names)} is set" for name, names in missing.items()}
    return replace(loaded.world, standing=rest), notes


def _weighed(world: World, account: str, asked: argparse.Namespace) -> Weighed:
    """Check and plan the request; Stop with all that is wrong with it."""
    try:
        card = card_of(world, asked.model)
        words = request.parse(asked.fields, {name: dish.type for name, dish in card.fields.items()})
        order = None if words.order is None else words.order.strip()
        keys = tuple(asked.key)
        wanted = Asked(card.kind, asked.model, words.fields, order, request.spell, keys, tags.parse(asked.tag))
        return weigh(world, account, wanted, {})
    except Refusal as refusal:
        raise Stop(Exit.USAGE, refusal.message) from refusal


def _step(loaded: Loaded, weighed: Weighed, step: Step) -> dict[str, Any]:
    target = loaded.target(step.provider, weighed.menu.model)
    assert target is not None, "every step of a plan is an offer of the catalog"
    model = target.model
    form = model.offer.forms[step.form]
    values = inputs.shown(form, {**form.defaults, **weighed.fields})
    call = render.submit(model, step.form, values, target.site, tag="the attempt's own id")
    multipart = call.encoding is Encoding.MULTIPART
    headers = struck(call.headers)
    headers["Content-Type"] = "multipart/form-data" if multipart else "application/json"
    body = _parts(call.body) if multipart else call.body
    return {
        "provider": step.provider,
        "native": step.native,
        "request": {"method": call.method, "url": struck_address(call.url), "headers": headers, "body": body},
        "price": money.as_number(step.price),
        "adjustments": [{"field": name, "action": "dropped"} for name in step.dropped],
    }


def _parts(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A multipart body as the list of its parts; a file by its name and type."""
    parts: list[dict[str, Any]] = []
    for name, value in body.items():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, File):
                parts.append({"name": name, "filename": part.name, "type": part.type})
            else:
                parts.append({"name": name, "value": part if isinstance(part, str) else json.dumps(part)})
    return parts


def _page(told: Mapping[str, Any], strategy: Strategy, notes: Mapping[str, str], paint: Style) -> str:
    """Word a plan for people: a block for each provider in the order they would be asked."""
    hold = f"holds {_credits(told['hold'])} credits" if told["plan"] else "holds nothing"
    lines = [
        f"{paint.bold(told['model'])}  {told['kind']}, {hold}",
        paint.dim(f"   {_ORDERS[strategy]}"),
    ]
    for number, step in enumerate(told["plan"], 1):
        sent = step["request"]
        lines += ["", f"{number}  {paint.good(step['provider'])}  {step['native']}  {_credits(step['price'])} credits"]
        lines += [f"   {sent['method']} {sent['url']}"]
        lines += [paint.dim(f"   {name}: {value}") for name, value in sent["headers"].items()]
        lines += [f"   {line}" for line in json.dumps(sent["body"], indent=2, ensure_ascii=False).splitlines()]
        lines += [
            paint.warn(f"   {each['field']} is not sent: this provider has no word for it")
            for each in step["adjustments"]
        ]
        if step["provider"] in notes:
            lines.append(paint.warn(f"   {notes[step['provider']]}"))
    if told["excluded"]:
        wide = max(len(each["provider"]) for each in told["excluded"])
        lines += ["", "not asked"]
        lines += [f"   {paint.bad(each['provider'].ljust(wide))}  {each['reason']}" for each in told["excluded"]]
    return "\n".join(lines)


def _credits(amount: float) -> str:
    return money.text(money.from_number(amount))
