"""Finds the project's SQL by reading its source, so that no statement can hide from the tests."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
STORE = ROOT / "shared" / "store"

RUNS_SQL = frozenset({"execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany", "prepare", "cursor"})
"""Methods of a connection that take a statement first."""

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
_STATEMENT = re.compile(
    r"\s*(?:select\s|insert\s+into\s|update\s+\w+\s|delete\s+from\s|with\s+(?:recursive\s+)?\w+\s+as\s"
    r"|(?:create|drop|alter)\s+table\s)",
    re.IGNORECASE,
)
_PART = re.compile(r"\s*(?:from|join|where|and|order\s+by|group\s+by|limit|returning)\s+(?:[\w$(]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One constant that holds SQL."""

    module: str
    name: str
    sql: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def store_files() -> list[Path]:
    return sorted(STORE.glob("*.py"))


def other_files() -> list[Path]:
    """Product code that is not the store's; revisions run their own files."""
    found = [*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py")]
    return sorted(path for path in found if not path.is_relative_to(STORE))


def is_sql(text: str) -> bool:
    """Whether it starts as a statement does."""
    return _STATEMENT.match(text) is not None


def statements() -> list[Statement]:
    """Every module-level constant of the store that holds SQL, alone or in a table of statements."""
    return [statement for path in store_files() for statement in _statements_of(f"shared.store.{path.stem}")]


def _statements_of(module: str) -> Iterator[Statement]:
    for name, value in vars(importlib.import_module(module.removesuffix(".__init__"))).items():
        if _CONSTANT.fullmatch(name) is None:
            continue
        texts = value.items() if isinstance(value, dict) else [("", value)]
        for key, text in texts:
            if isinstance(text, str) and is_sql(text):
                yield Statement(module, f"{name}[{key!r}]" if key != "" else name, text)


def loose_sql(source: str) -> list[str]:
    """SQL that is made where it is used: literals inside functions, whatever they are put together with."""
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    docstrings = [_docstring(function) for function in functions]
    texts = [
        node
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
    ]
    return sorted({f"line {text.lineno}: {text.value!r}" for text in texts if _looks_like_sql(str(text.value))})


def _looks_like_sql(text: str) -> bool:
    return is_sql(text) or _PART.match(text) is not None


def _docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.expr | None:
    first = function.body[0]
    return first.value if isinstance(first, ast.Expr) else None


def calls_that_run_sql(source: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNS_SQL
    ]


def runs_a_constant(call: ast.Call) -> bool:
    """Whether the statement is a constant by name, one of two, or one out of a constant table."""
    return bool(call.args) and _is_constant(call.args[0])


def _is_constant(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name):
            return _CONSTANT.fullmatch(name) is not None
        case ast.IfExp(body=one, orelse=other):
            return _is_constant(one) and _is_constant(other)
        case ast.Subscript(value=ast.Name(id=name)):
            return _CONSTANT.fullmatch(name) is not None
        case _:
            return False
