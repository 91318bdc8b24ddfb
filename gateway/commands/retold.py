"""`tidegate explain --generation`: what was decided for a generation and why, what came of it, and what another policy would do."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway import money, world
from gateway.commands import administration
from gateway.commands.exits import Exit, Stop
from gateway.commands.terminal import Style
from gateway.documents import Mistakes
from gateway.ingress.pinned import again
from gateway.ingress.refusal import Refusal
from gateway.settings import Settings
from gateway.settings import load as read


async def told(settings: Settings, generation: str) -> dict[str, Any]:
    """All that is on record of a generation; Stop when it is not there."""
    async with administration.opened(settings, create=False) as act:
        return await act("generations.show", {"generation": generation})


def tell(settings: Settings, generation: str, policy: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """What is on record, and with a policy file what would be decided by it; Stop for what is wrong with that."""
    found = asyncio.run(told(settings, generation))
    return found if policy is None else {**found, "by_policy": _replayed(found, policy, environ)}


def _replayed(found: Mapping[str, Any], policy: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    if found["routing"] is None or not found["request"]:
        raise Stop(Exit.FAILURE, "what it was decided from is not on record any more, so it cannot be decided again")
    try:
        loaded = world.load(read(policy, environ), environ)
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes
    try:
        weighed = again(loaded.world, found)
    except Refusal as refusal:
        return {"policy": str(policy), "refused": refusal.message}
    return {
        "policy": str(policy),
        "strategy": weighed.rules.strategy.value,
        "plan": [
            {"provider": step.provider, "native": step.native, "price": money.as_number(step.price)}
            for step in weighed.plan.steps
        ],
        "excluded": [{"provider": each.provider, "reason": each.reason} for each in weighed.plan.excluded],
        "hold": money.as_number(weighed.plan.hold),
    }


def page(found: Mapping[str, Any], paint: Style) -> str:
    """Word it for people: the decision, then what happened, a line for each thing."""
    held, charged = _credits(found["held"]), _credits(found["charged"])
    head = f"{paint.bold(found['model'])}  {found['kind']}, {found['state']}, held {held} and charged {charged} credits"
    lines = [head, f"   taken in {found['created_at']} for {found['account']}", *_routing(found["routing"])]
    lines += ["", "the plan", *_plan(found["plan"], found["excluded"], paint), "", "what happened"]
    lines += [f"{_moment(at)}  {said}" for at, said in sorted(_events(found, paint), key=lambda each: each[0])]
    if found.get("by_policy"):
        other = found["by_policy"]
        lines += ["", f"by {other['policy']}"]
        if "refused" in other:
            lines.append(paint.bad(f"   it would be refused: {other['refused']}"))
        else:
            lines += [f"   order {other['strategy']}, holds {_credits(other['hold'])} credits"]
            lines += _plan(other["plan"], other["excluded"], paint)
    return "\n".join(lines)


def _routing(routing: Mapping[str, Any] | None) -> list[str]:
    if routing is None:
        return ["   what it was decided from is not on record"]
    lines = [f"   order {routing['strategy']}; the caller asked for {routing['asked'] or 'no order'}"]
    if routing["tags"]:
        lines.append(f"   tags {', '.join(routing['tags'])}")
    if ranking := routing["ranking"]:
        scores = ", ".join(f"{provider} {score:g} s" for provider, score in ranking["scores"].items())
        trial = "; this one tried another first, to learn of it" if ranking["trial"] else ""
        lines.append(f"   expected until done: {scores or 'nothing known'} ({ranking['source']}){trial}")
    return lines


def _plan(plan: list[Mapping[str, Any]], excluded: list[Mapping[str, Any]], paint: Style) -> list[str]:
    wide = max((len(each["provider"]) for each in (*plan, *excluded)), default=0)
    lines = [
        f"{number:>2} {paint.good(step['provider'].ljust(wide))}  {_credits(step['price'])} credits  {step['native']}"
        for number, step in enumerate(plan, 1)
    ]
    return lines + [f" - {paint.bad(each['provider'].ljust(wide))}  {each['reason']}" for each in excluded]


def _events(found: Mapping[str, Any], paint: Style) -> list[tuple[float, str]]:
    """Everything that has a moment, in words; the states of the attempts say what those between the two ends would."""
    states = [each for each in found["history"] if each["state"] in {"accepted", "succeeded", "failed", "canceled"}]
    events = [(each["after"], paint.bold(each["state"])) for each in states]
    for each in found["attempts"]:
        name = f"attempt {each['n']} at {each['provider']}"
        events.append((each["began"], f"{name} began{_beside(each, found)}, {_credits(each['price'])} credits"))
        if each["submitted"] is not None:
            events.append(
                (each["submitted"], f"{name} was taken as job {each['job']}" if each["job"] else f"{name} was answered")
            )
        if each["ended"] is not None:
            events.append(
                (each["ended"], f"{name} {paint.good('delivered') if each['won'] else paint.bad(_fault(each))}")
            )
    return events


def _beside(attempt: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Which attempt still ran when this one began, if one did."""
    began = attempt["began"]
    running = [
        each["n"]
        for each in found["attempts"]
        if each["n"] < attempt["n"] and (each["ended"] is None or each["ended"] > began)
    ]
    return f" beside attempt {running[-1]}" if running else ""


def _fault(attempt: Mapping[str, Any]) -> str:
    fault = attempt["fault"] or {}
    status = f" {fault['status']}" if fault.get("status") else ""
    pause = f"; it asked for {fault['pause'] / 1000:g} s" if fault.get("pause") else ""
    billed = {"none": "not billed", "possible": "perhaps billed", "certain": "billed"}[attempt["billing"]]
    return f"{fault.get('kind', attempt['state'])}{status}: {fault.get('message', attempt['state'])}{pause} ({billed})"


def _moment(at: float) -> str:
    return f"{at:>9.3f} s"


def _credits(amount: float) -> str:
    return money.text(money.from_number(amount))
