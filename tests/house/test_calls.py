"""Calls that have no place in the package, or only one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from tests.house.tree import Source, aliases, dotted, imported, none, sources

_EVALUATES = {"eval", "exec", "__import__", "os.system", "os.popen", "yaml.load", "yaml.load_all", "yaml.unsafe_load"}
_UNPICKLES = {"pickle", "marshal", "shelve", "dill"}
_OTHER_CLIENTS = {"requests", "httpx", "urllib3", "urllib.request", "http.client", "smtplib", "ftplib", "xmlrpc"}
# The client is for other people's programs: it brings the standard library's line, and its own clock and chance.
_OTHER_CLIENTS_AT = ("gateway/client/",)
_UNSAFE_ARGUMENTS = {"shell": True, "verify": False, "ssl": False, "verify_ssl": False}
_TIME = {
    "time.time",
    "time.time_ns",
    "time.sleep",
    "asyncio.sleep",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}
_TIME_AT = ("gateway/clock.py", "gateway/app.py", "gateway/client/", "gateway/commands/", "gateway/simulators/")
_ENVIRON = {"os.environ", "os.environb", "os.getenv"}
_ENVIRON_AT = ("gateway/__main__.py", "gateway/app.py", "gateway/commands/")
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|PRAGMA|WITH|ATTACH)\s")
_RUNS_SQL = re.compile(r"execute(?:many|script|_fetchall|_insert)?")


def misplaced(source: Source) -> Iterator[str]:
    """Each call, name or import of a file that has no place there."""
    names = aliases(source.module)
    for node, name in imported(source.module):
        away = _UNPICKLES if source.path.startswith(_OTHER_CLIENTS_AT) else _UNPICKLES | _OTHER_CLIENTS
        if any(name == one or name.startswith(f"{one}.") for one in away):
            yield source.at(node, f"imports {name}")
    for node in ast.walk(source.module):
        if isinstance(node, ast.Call):
            yield from (source.at(node, what) for what in _call(node, names))
        if isinstance(node, ast.Name | ast.Attribute):
            yield from (source.at(node, what) for what in _name(dotted(node, names), source.path))
        if isinstance(node, ast.expr) and _put_together(node) and _SQL.match(_beginning(node)):
            yield source.at(node, "SQL put together from parts; name a statement of the .sql files and pass values")
        if isinstance(node, ast.Raise) and node.exc and "NotImplementedError" in ast.dump(node.exc):
            yield source.at(node, "NotImplementedError: what is not built is not there")


def _call(node: ast.Call, names: Mapping[str, str]) -> Iterator[str]:
    called = dotted(node.func, names)
    if called in _EVALUATES:
        yield f"{called}() runs what it is given"
    for keyword in node.keywords:
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if value is not None and value is _UNSAFE_ARGUMENTS.get(keyword.arg or ""):
            yield f"{keyword.arg}={value}"
    runs_sql = isinstance(node.func, ast.Attribute) and _RUNS_SQL.fullmatch(node.func.attr)
    if runs_sql and node.args and _put_together(node.args[0]):
        yield "a statement put together from parts; name one of the .sql files and pass values"


def _name(name: str, path: str) -> Iterator[str]:
    if name in _TIME and not path.startswith(_TIME_AT):
        yield f"{name}: time comes in as an argument or by the clock"
    if name.startswith("random.") and name.count(".") == 1 and name[7].islower() and not path.startswith(_TIME_AT):
        yield f"{name}: chance comes in as an argument"
    if name in _ENVIRON and not path.startswith(_ENVIRON_AT):
        yield f"{name}: the environment is read by the commands and handed on"


def _put_together(node: ast.expr) -> bool:
    """Whether a text is an f-string with values in it, a sum, a `%` or a `format`."""
    match node:
        case ast.JoinedStr(values=values):
            return any(isinstance(value, ast.FormattedValue) for value in values)
        case ast.BinOp(op=ast.Mod() | ast.Add()):
            return bool(_beginning(node))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format")):
            return True
        case _:
            return False


def _beginning(node: ast.expr) -> str:
    """The first text in an expression that makes one."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first):
            return _beginning(first)
        case ast.Call(func=ast.Attribute(value=first)):
            return _beginning(first)
        case _:
            return ""


def test_the_package_makes_no_such_call() -> None:
    """S87: nothing in the package evaluates, unpickles, skips a certificate, builds SQL, or asks time, chance or environment itself."""
    none(finding for source in sources("gateway") for finding in misplaced(source))


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')",
        "import pickle",
        "from urllib import request",
        "import yaml\nyaml.load('')",
        "from yaml import load as read\nread('')",
        "run('ls', shell=True)",
        "get('/', ssl=False)",
        "get('/', verify=False)",
        "import time as t\nt.time()",
        "from time import time\ntime()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "import asyncio\nasyncio.sleep(1)",
        "import random\nrandom.random()",
        "from random import choice\nchoice([1])",
        "import os\nos.environ['A']",
        "from os import environ\nenviron['A']",
        "x = f'SELECT {a}'",
        "x = 'SELECT %s' % a",
        "x = 'DELETE FROM {}'.format(a)",
        "db.execute('UPDATE t SET a = ' + a)",
        "db.executescript(f'{text}')",
        "raise NotImplementedError",
    ],
)
def test_a_misplaced_call_is_seen(code: str) -> None:
    """Each of them is found, under whatever name it was imported."""
    assert list(misplaced(Source("gateway/x.py", code)))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("gateway/clock.py", "import time\ntime.time_ns()"),
        ("gateway/commands/serve.py", "import os\nos.environ['A']"),
        ("gateway/client/client.py", "import http.client"),
        ("gateway/x.py", "from random import Random\nRandom(1).random()"),
        ("gateway/x.py", "import random\nx: random.Random"),
        ("gateway/x.py", "db.execute('SELECT 1 WHERE a = ?', (a,))"),
        ("gateway/x.py", "get('/', ssl=context)"),
        ("gateway/x.py", "x = f'{n} of {m}'"),
    ],
)
def test_a_call_in_its_place_passes(path: str, code: str) -> None:
    """Where it belongs, and where it only looks alike, nothing is found."""
    assert not list(misplaced(Source(path, code)))
