"""`tidegate serve`: the gateway, until it is asked to stop."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from gateway import __version__, app, log
from gateway.commands import configuration, footing, ports
from gateway.commands.exits import Exit, Stop
from gateway.commands.reloading import Reloading
from gateway.commands.signals import Stopping
from gateway.commands.terminal import Style, say, style
from gateway.documents import Mistakes
from gateway.ledger.program import StoreError
from gateway.running import Running
from gateway.settings import Auth, Settings


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.epilog = """\
Works without a policy file: it then listens on 127.0.0.1:8080 and asks for API keys. A provider is on when the variable its
file names is set; what is off, and what would turn it on, is said at the start.

The policy and the provider files are read again when they change, and on SIGHUP: as a whole, or, when anything in them is
wrong, not at all. SIGTERM and Ctrl-C finish what is under way and leave the rest to the next start; a second one stops at once.

examples
  tidegate serve
  tidegate serve -c config.yaml
  tidegate keys create my-app                  then, in another shell: the key for the first caller

exit codes: 0 stopped by SIGTERM, 1 the store or the port, 3 the files are wrong, 130 Ctrl-C
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until stopped."""
    gc.disable()  # until it serves: what is made at the start stays, and going over it again and again is a fifth of the time
    settings = configuration.load(asked, environ)
    if footing.without_asserts():
        raise Stop(
            Exit.FAILURE,
            "Python runs with -O or PYTHONOPTIMIZE, which switches off checks that guard requests; run it without",
        )
    log.setup(format=settings.log.format, level=settings.log.level, prompts=settings.log.prompts)
    with asyncio.Runner(loop_factory=_loop()) as runner:
        return runner.run(_serve(settings, configuration.path_of(asked), environ))


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give the faster loop where it is installed."""
    try:
        make: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return make


async def _serve(settings: Settings, path: Path | None, environ: Mapping[str, str]) -> int:
    async with Stopping() as stopping, AsyncExitStack() as stack:
        gateway = await _started(stack, settings, environ)
        gc.freeze()
        gc.enable()
        reloading = Reloading(gateway, settings, path, environ)
        stack.push_async_callback(reloading.stop)
        await reloading.start()
        for said in (*footing.below(), *footing.exposed(settings, environ)):
            log.event("unsafe_footing", level="warning", why=said)
        _tell(gateway, settings, style(sys.stderr, environ))
        broken = await stopping.unless(gateway.failed())
        if isinstance(broken, Exit):
            return broken
        raise Stop(Exit.FAILURE, broken)


async def _started(stack: AsyncExitStack, settings: Settings, environ: Mapping[str, str]) -> Running:
    try:
        return await stack.enter_async_context(app.running(settings, environ))
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes
    except StoreError as error:
        raise Stop(Exit.FAILURE, str(error)) from error
    except app.NotListening as error:
        host, port = error.address.host, error.address.port
        setting = "listen" if error.address == settings.listen else "metrics"
        raise Stop(Exit.FAILURE, ports.refused(host, port, error, f"{setting}: {host}:{{}}")) from error
    except OSError as error:
        raise Stop(
            Exit.FAILURE, f"{error.filename or 'the gateway'} cannot be used: {error.strerror or error}"
        ) from error


def _tell(gateway: Running, settings: Settings, paint: Style) -> None:
    """Say where it serves and who is on: as lines for people, as events where the log is for programs."""
    states = dict(gateway.providers)
    as_text = settings.log.format == "text" or (settings.log.format == "auto" and sys.stderr.isatty())
    if as_text:
        say(_banner(gateway, states, settings, paint))
    else:
        log.event("providers_known", providers=states)
    if "on" not in states.values():
        if as_text:
            say(
                paint.warn("  no provider is on: every request will be refused until one of the variables above is set")
            )
        else:
            log.event("no_provider_on", level="warning", providers=states)


def _banner(gateway: Running, states: Mapping[str, str], settings: Settings, paint: Style) -> str:
    wide = max(map(len, states), default=0)
    shown = [
        f"{name:<{wide}}  {paint.good(state) if state == 'on' else paint.dim(state)}" for name, state in states.items()
    ]
    outputs = settings.outputs.folder
    hint = (
        "; `tidegate keys create NAME` makes one" if settings.auth is Auth.KEYS else ": anybody on this machine may ask"
    )
    lines = [f"{paint.bold('tidegate')} {__version__}  {paint.bold(gateway.origin)}"]
    lines += [f"  policy     {settings.source or 'none, every default holds'}"]
    lines += [f"  {'providers' if at == 0 else '':<9}  {each}" for at, each in enumerate(shown or ["none"])]
    lines += [f"  store      {settings.store.path}"]
    lines += [f"  outputs    {outputs if outputs is not None else 'none: the provider’s own links are passed on'}"]
    lines += [f"  auth       {settings.auth.value}{hint}"]
    metrics = f"{gateway.apart}/metrics" if gateway.apart else settings.metrics
    return "\n".join([*lines, f"  credits    {settings.credits.value}", f"  metrics    {metrics}"])
