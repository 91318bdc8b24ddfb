"""`tidegate serve`: the gateway, until it is asked to stop."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import importlib
import re
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from gateway import __version__, app, log
from gateway.artifacts.fault import StorageFault
from gateway.commands import allocator, configuration, footing, ports, selfsigned
from gateway.commands.exits import Exit, Stop
from gateway.commands.reloading import Reloading
from gateway.commands.signals import Stopping
from gateway.commands.terminal import Style, say, style
from gateway.documents import Mistakes
from gateway.front import NotListening
from gateway.ledger.program import StoreError
from gateway.running import Running
from gateway.settings import Auth, Settings

# How many objects are made, and young ones looked through, before older ones are. To go through all that 20,000 generations under
# way consist of stops everybody for a second or more, and finds next to nothing: they go when they end.
_COLLECTED = (2_000, 20, 500)
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}|[0-9A-Fa-f:.]{2,45}", re.ASCII)
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - no client names these, and none is listened on here


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    configuration.option(parser)
    parser.add_argument(
        "--tls-self-signed",
        metavar="DIR",
        type=Path,
        help="speak TLS too, on the same port, with a certificate made in DIR; clients trust DIR/ca.pem, or DIR/bundle.pem"
        " which holds the system's authorities as well",
    )
    parser.add_argument(
        "--tls-host",
        metavar="NAME",
        action="append",
        default=[],
        type=_host,
        help="a name or address under which clients reach it, beside localhost and those in the policy; may be repeated",
    )
    parser.add_argument(
        "--reconcile",
        action="store_true",
        help="the store was put back from a backup: look again at all that had not ended, delete nothing until that is done,"
        " and list what the store lacks; where it can be seen that it was put back, this happens by itself",
    )
    parser.epilog = """\
Works without a policy file: it then listens on 127.0.0.1:8080 and asks for API keys. A provider is on when the variable its
file names is set; what is off, and what would turn it on, is said at the start.

The policy and the provider files are read again when they change, and on SIGHUP: as a whole, or, when anything in them is
wrong, not at all. SIGTERM and Ctrl-C finish what is under way and leave the rest to the next start; a second one stops at once.
After SIGTERM requests are taken for as long as `drain` says, then refused with 503 until the end.

examples
  tidegate serve
  tidegate serve -c config.yaml
  tidegate serve --tls-self-signed tls         for clients that speak https alone
  tidegate keys create my-app                  then, in another shell: the key for the first caller

exit codes: 0 stopped by SIGTERM, 1 the store or the port, 3 the files are wrong, 130 Ctrl-C
"""


def run(asked: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until stopped."""
    gc.disable()  # until it serves: what is made at the start stays, and going over it again and again is a fifth of the time
    allocator.tune(environ)
    settings = configuration.load(asked, environ)
    if footing.without_asserts():
        raise Stop(
            Exit.FAILURE,
            "Python runs with -O or PYTHONOPTIMIZE, which switches off checks that guard requests; run it without",
        )
    log.setup(format=settings.log.format, level=settings.log.level, prompts=settings.log.prompts)
    tls = _certificate(asked, settings)
    with asyncio.Runner(loop_factory=_loop()) as runner:
        serving = _serve(settings, configuration.path_of(asked), environ, tls, restored=asked.reconcile)
        return runner.run(serving)


def _host(written: str) -> str:
    """Read a name or address as typed."""
    if not _HOST.fullmatch(written):
        raise argparse.ArgumentTypeError(f"expected a name or an address such as gateway.local, found {written!r}")
    return written


def _certificate(asked: argparse.Namespace, settings: Settings) -> ssl.SSLContext | None:
    """Find or make what TLS is spoken with; Stop when the folder cannot be used."""
    folder: Path | None = asked.tls_self_signed
    if folder is None:
        if asked.tls_host:
            raise Stop(Exit.USAGE, "--tls-host says whom a certificate is for: give --tls-self-signed DIR too")
        return None
    named = urlsplit(settings.public_url or "").hostname
    hosts = [socket.gethostname(), settings.listen.host, named, *asked.tls_host]
    try:
        files = selfsigned.prepare(folder, filter(_is_name, hosts), dt.datetime.now(dt.UTC))
        context = files.context()
    except OSError as error:
        said = f"--tls-self-signed: {error.filename or folder} cannot be used: {error.strerror or error}"
        raise Stop(Exit.FAILURE, said) from error
    log.event("tls_ready", made=files.made, authority=str(files.authority), bundle=str(files.bundle))
    return context


def _is_name(host: str | None) -> bool:
    return host is not None and _HOST.fullmatch(host) is not None and host not in _EVERYWHERE


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give the faster loop where it is installed."""
    try:
        make: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return make


async def _serve(
    settings: Settings,
    path: Path | None,
    environ: Mapping[str, str],
    tls: ssl.SSLContext | None,
    *,
    restored: bool,
) -> int:
    async with Stopping() as stopping, AsyncExitStack() as stack:
        reloading = Reloading(settings, path, environ)
        await reloading.listen()
        gateway = await _started(stack, settings, environ, tls, restored=restored)
        gc.freeze()
        gc.set_threshold(*_COLLECTED)
        gc.enable()
        stack.push_async_callback(reloading.stop)
        await reloading.start(gateway)
        for said in (*footing.below(in_file=settings.store.address is None), *footing.exposed(settings, environ)):
            log.event("unsafe_footing", level="warning", why=said)
        _tell(gateway, settings, style(sys.stderr, environ))
        broken = await stopping.unless(gateway.failed())
        if isinstance(broken, Exit):
            if broken is Exit.OK:  # whoever presses Ctrl-C has no balancer to wait for
                await gateway.part(settings.drain / 1000)
            return broken
        raise Stop(Exit.FAILURE, broken)


async def _started(
    stack: AsyncExitStack,
    settings: Settings,
    environ: Mapping[str, str],
    tls: ssl.SSLContext | None,
    *,
    restored: bool,
) -> Running:
    try:
        return await stack.enter_async_context(app.running(settings, environ, tls=tls, restored=restored))
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes
    except StoreError as error:
        raise Stop(Exit.FAILURE, str(error)) from error
    except StorageFault as fault:
        raise Stop(Exit.FAILURE, f"outputs.store: {fault}") from fault
    except NotListening as error:
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
    is_none = settings.outputs.folder is None and settings.outputs.bucket is None
    note = ": the provider’s own links are passed on" if is_none else ""
    hint = (
        "; `tidegate keys create NAME` makes one" if settings.auth is Auth.KEYS else ": anybody on this machine may ask"
    )
    lines = [f"{paint.bold('tidegate')} {__version__}  {paint.bold(gateway.origin)}"]
    lines += [f"  policy     {settings.source or 'none, every default holds'}"]
    lines += [f"  {'providers' if at == 0 else '':<9}  {each}" for at, each in enumerate(shown or ["none"])]
    lines += [f"  store      {settings.store}"]
    lines += [f"  outputs    {settings.outputs}{note}"]
    lines += [f"  auth       {settings.auth.value}{hint}"]
    metrics = f"{gateway.apart}/metrics" if gateway.apart else settings.metrics
    return "\n".join([*lines, f"  credits    {settings.credits.value}", f"  metrics    {metrics}"])
