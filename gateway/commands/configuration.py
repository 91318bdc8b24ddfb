"""`-c`, and what it leads to: the settings and the catalog, or every mistake in them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from gateway import settings as policy
from gateway import world
from gateway.commands.exits import Exit, Stop
from gateway.commands.policyfile import option, path_of
from gateway.documents import Mistakes
from gateway.settings import Settings
from gateway.world import Loaded

__all__ = ["load", "loaded", "option", "path_of"]


def load(asked: argparse.Namespace, environ: Mapping[str, str]) -> Settings:
    """Read the settings; Stop with every mistake when they cannot be used."""
    try:
        return policy.load(path_of(asked), environ)
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes


def loaded(settings: Settings, environ: Mapping[str, str]) -> Loaded:
    """Load the packs and find their credentials; Stop with every mistake when they cannot be used."""
    try:
        return world.load(settings, environ)
    except Mistakes as mistakes:
        raise Stop(Exit.CONFIG, str(mistakes)) from mistakes
