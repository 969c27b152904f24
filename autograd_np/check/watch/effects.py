"""What executing a statement may change, and copies of it."""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_np.check.watch.state import duplicate

__all__ = ["copies_of", "names_in", "only_reads"]


def names_in(tree: ast.AST) -> set[str]:
    """Return the variables that a tree names."""
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def copies_of(names: set[str], env: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of variables; what two of them share, their copies share."""
    kept = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, np.ufunc)
    memo: dict[int, Any] = {}
    return {n: duplicate(env[n], memo) for n in names if n in env and not isinstance(env[n], kept)}


_CHANGING = {"at", "copyto", "fill", "fill_diagonal", "partition", "place", "put", "put_along_axis", "putmask", "resize", "shuffle", "sort"}


def only_reads(tree: ast.AST, env: Mapping[str, Any]) -> bool:
    """Whether the calls in a statement change nothing: functions and methods of NumPy that return new arrays, and builtins."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            function = call.func
            name = function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
            if name in _CHANGING or any(k.arg in ("out", None) for k in call.keywords) or len(call.args) > _inputs(name):
                return False
            root: ast.expr = function
            while isinstance(root, ast.Attribute):
                root = root.value
            if not isinstance(root, ast.Name):
                if not isinstance(function, ast.Attribute) or not hasattr(np.ndarray, name):
                    return False
            elif root.id in env and not _is_of_numpy(function, env) and not (root is not function and isinstance(env[root.id], np.ndarray)):
                return False
    return True


def _is_of_numpy(function: ast.expr, env: Mapping[str, Any]) -> bool:
    """Whether a function is one of NumPy, whatever the user calls that: ``np.sum``, ``self.xp.sum``."""
    module = function.value if isinstance(function, ast.Attribute) else function
    names: list[str] = []
    while isinstance(module, ast.Attribute):
        names.insert(0, module.attr)
        module = module.value
    found = env.get(module.id) if isinstance(module, ast.Name) else None
    if found is np:
        return True
    for name in names:
        found = getattr(found, "__dict__", {}).get(name)
    return found is np


def _inputs(name: str) -> float:
    """Return how many arrays a function of NumPy takes; one more is written into."""
    return 3 if name == "clip" else getattr(vars(np).get(name), "nin", np.inf)
