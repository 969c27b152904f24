"""Whether an array that an object keeps is trained: what in the user's code says so, beside that its neighbour gets a gradient."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from autograd_np.check.watch.point import Point
from autograd_np.check.watch.program import Program
from autograd_np.check.watch.spelling import wanted_names
from autograd_np.check.watch.state import Attribute

__all__ = ["attribute_of", "has_another_place", "is_trained", "path_of"]

_PARTNERS = ({"w", "b"}, {"weight", "bias"}, {"weights", "biases"}, {"kernel", "bias"}, {"gamma", "beta"}, {"coef", "intercept"})
"""What belongs together by the field's names: nobody trains one of them alone."""

_OF_PARAMETERS = re.compile(r"(?i)(get_)?(all_)?(param(eter)?s?|weights?|trainables?|trainable_\w+|learnables?|theta)(_list|_dict)?")


def path_of(name: str, point: Point) -> tuple[Any, ...]:
    """Return where an input stands in what forward reads; empty if that is not known."""
    return tuple(point.keys.get(point.traced.program.aliases.get(name, name), ()))


def attribute_of(path: tuple[Any, ...]) -> int:
    """Return at which step of a path the last attribute stands, 0 if there is none."""
    return max((i for i, key in enumerate(path) if isinstance(key, Attribute)), default=0)


def is_trained(name: str, others: Iterable[str], point: Point) -> bool:
    """Whether an attribute (or the list that is one) belongs to what an object trains, as `others` do, whose gradients are given.

    It does if it is the partner of one of them by name (the `b` of a `W`), if the object has a place for its gradient, if a
    method steps down along it, or if it is listed among the parameters. Else it may well be kept fixed: random features, a scale.
    """
    path = path_of(name, point)
    at = attribute_of(path)
    owner = _at(point, path[:at])
    if not at or owner is None:
        return False
    attribute = str(path[at])
    beside = [p for other in others if (p := path_of(other, point))[:at] == path[:at] and len(p) > at]
    texts = list(_methods(owner, point.traced.program))
    return (
        any(_are_partners(attribute, str(p[at])) for p in beside)
        or _has_place_for_gradient(owner, attribute, [t for _, t, _ in texts])
        or any(_steps(attribute, tree) for method, tree, forwards in texts if method != "__init__" and not forwards)
        or _is_listed(path, beside, texts, point.traced.program)
    )


def has_another_place(name: str, keys: tuple[Any, ...], point: Point) -> bool:
    """Whether an object in which an array was left has another attribute, or key, that is called as the gradient of an input."""
    owner = _at(point, keys[:-1])
    fields = owner if isinstance(owner, dict) else getattr(owner, "__dict__", {})
    called = str((path_of(name, point) or (name,))[-1])
    shape = np.shape(point.leaves[name].out) if name in point.leaves else ()
    held = {k: v for k, v in fields.items() if isinstance(k, str) and k != keys[-1] and called in wanted_names(k)}
    return any(v is None or np.shape(v) == shape for v in held.values())


def _at(point: Point, path: tuple[Any, ...]) -> Any:
    """Return the object at a path, as the user made it."""
    roots = {slot.name: slot.value for slot in point.traced.program.world.slots}
    found = roots.get(path[0]) if path else None
    try:
        for key in path[1:]:
            found = getattr(found, key) if isinstance(key, Attribute) else found[key]  # type: ignore[index]
    except (AttributeError, KeyError, IndexError, TypeError):
        return None
    return found


def _methods(owner: Any, program: Program) -> Iterator[tuple[str, ast.AST, bool]]:
    """Yield the names and the texts of an object's methods, as far as they are the user's own, and whether forward calls them."""
    for base in type(owner).__mro__[:-1]:
        for name, member in vars(base).items():
            f = getattr(member, "__func__", member)
            function = program.functions.of(f.__code__) if isinstance(f, FunctionType) else None
            if function is not None and function.tree is not None:
                yield name, function.tree, program.defines_truth(function)


# --- what says so


def _are_partners(name: str, other: str) -> bool:
    """Whether two names differ in a word alone, and these words belong together: ``b1`` and ``W1``, ``bias_hh`` and ``weight_hh``."""
    words, others = ([w.lower() for w in re.split(r"_|(?<=[a-zA-Z])(?=\d)", n) if w] for n in (name, other))
    differ = [{a, b} for a, b in zip(words, others, strict=False) if a != b]
    return len(words) == len(others) and len(differ) == 1 and differ[0] in _PARTNERS


def _has_place_for_gradient(owner: Any, attribute: str, trees: list[ast.AST]) -> bool:
    """Whether an attribute or a key is called as the gradient of this one; one that holds another thing is none."""
    fields = vars(owner)
    held = {**fields, **{k: v for d in fields.values() if isinstance(d, dict) for k, v in d.items() if isinstance(k, str)}}
    written = {n.attr for t in trees for n in ast.walk(t) if isinstance(n, ast.Attribute) and _is_of_self(n)}
    written |= {
        str(n.slice.value) for t in trees for n in ast.walk(t) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)
    }
    called = (name for name in {*held, *written} if attribute in wanted_names(name))
    return any(not isinstance(held.get(name), (int, float, str)) or not held[name] for name in called)


def _is_of_self(node: ast.AST, name: str | None = None) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=attr):
            return name is None or attr == name
    return False


def _steps(attribute: str, tree: ast.AST) -> bool:
    """Whether a function subtracts something from an attribute, or hands it to what gives it back changed."""
    for node in ast.walk(tree):
        match node:
            case ast.AugAssign(target=target, op=ast.Sub()) if _is_of_self(target, attribute):
                return True
            case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Sub())) if _is_of_self(target, attribute):
                if _is_of_self(left, attribute):
                    return True
            case ast.Assign(targets=[target], value=ast.Call(args=[*args])) if _is_of_self(target, attribute):
                if any(_is_of_self(a, attribute) for a in args):
                    return True
    return False


def _is_listed(path: tuple[Any, ...], beside: list[tuple[Any, ...]], texts: list[tuple[str, ast.AST, bool]], program: Program) -> bool:
    """Whether an attribute stands with one that has a gradient in a container, or in what a method returns, called after parameters."""
    at = attribute_of(path)
    name = program.paths.get(path)
    listed = {p[:-1] for p, n in program.paths.items() if n == name and len(p) > 1 and _OF_PARAMETERS.fullmatch(str(p[-2]))}
    if any(p[:-1] in listed for other in beside for p, n in program.paths.items() if n == program.paths.get(other)):
        return True
    both = {str(path[at])}, {str(p[at]) for p in beside}
    for method, tree, _ in texts:
        for node in ast.walk(tree):
            match node:
                case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value) if _OF_PARAMETERS.fullmatch(
                    ast.unparse(target).rpartition(".")[2]
                ):
                    pass
                case ast.Return(value=ast.expr() as value) if _OF_PARAMETERS.fullmatch(method):
                    pass
                case _:
                    continue
            named = {n.attr for n in ast.walk(value) if isinstance(n, ast.Attribute) and _is_of_self(n)}
            if all(names & named for names in both):
                return True
    return False
