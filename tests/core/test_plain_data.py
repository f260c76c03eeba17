"""The modules of the core hold plain data that nobody changes, and reach for nothing outside."""

import ast
import importlib
import inspect
import pkgutil
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest

from stigmem_cursor_plugin import core
from stigmem_cursor_plugin.core.recovery import PeerFinder

MODULES = [
    importlib.import_module(f"{core.__name__}.{found.name}")
    for found in pkgutil.iter_modules(core.__path__)
]
CLASSES = [
    held
    for module in MODULES
    for held in vars(module).values()
    if isinstance(held, type) and held.__module__ == module.__name__
]
DATA = [held for held in CLASSES if is_dataclass(held)]


ROWS = [held for held in CLASSES if issubclass(held, tuple)]


def test_everything_is_data() -> None:
    """A class is data or an enumeration, but for the two that hold what many decisions need."""
    others = [held for held in CLASSES if held not in (*DATA, *ROWS) and not issubclass(held, Enum)]
    assert {held.__name__ for held in others} == {PeerFinder.__name__, "_Rules"}


def test_rows_of_tables_are_tuples() -> None:
    """What is read and written as a row of a table is one, and nothing else is."""
    assert [held.__name__ for held in ROWS] == ["Peer", "Cursor"]


@pytest.mark.parametrize("held", DATA, ids=lambda held: held.__name__)
def test_nobody_changes_it(held: Any) -> None:
    """A decision cannot change what it is given, nor add to it."""
    assert held.__dataclass_params__.frozen
    assert {field.name for field in fields(held)} <= set(held.__slots__)


DEFAULTS = {
    (held.__name__, field.name): field.default
    for held in DATA
    for field in fields(held)
    if isinstance(field.default, bool | int | float | str | tuple | frozenset | timedelta)
}


def test_what_is_not_said_is_nothing() -> None:
    """A number, a text, a mark or a list that is not given is 0, empty or not set."""
    assert {name: value for name, value in DEFAULTS.items() if value} == {
        ("Ask", "limit"): 500,
        ("Ask", "ahead"): 500,
        ("Progress", "page_size"): 500,
    }


OUTSIDE = {"now", "utcnow", "today", "open", "input", "print", "Path", "__import__", "exec", "eval"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_nothing_outside_is_asked(module: Any) -> None:
    """No module of the core asks the clock or opens a file: what imports cannot show."""
    tree = ast.walk(ast.parse(inspect.getsource(module)))
    names = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in tree
        if isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id != "now")
    }
    assert names & OUTSIDE == set()
