"""Which forward variable each name, event and returned array of a backward function is the gradient of."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.names import pair
from autograd_np.check.judge.outcome import Returned
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Source
from autograd_np.check.watch.spelling import near_misses
from autograd_np.node import Node

__all__ = ["Pairing"]

_LOSSES = {"loss", "cost", "J"}


class Pairing:
    """The names of one check: conventions, the user's own pairs, and the shape of what is returned."""

    def __init__(
        self,
        backward: Callable[..., Any],
        source: Source,
        forward_source: Source,
        names: Mapping[str, str] | None,
        wrt: Sequence[str] | None,
    ) -> None:
        self.backward, self.source, self.forward_source = backward, source, forward_source
        self.names = names
        self.wrt = wrt
        self.known: list[str] = []
        self.aliases: dict[str, str] = {}

    def output_names(self) -> list[str]:
        """Return the names in forward's return statement."""
        names: list[str] = []
        for r in self.forward_source.returns[-1:]:
            elements = r.value.elts if isinstance(r.value, ast.Tuple) else [r.value]
            names = [e.id if isinstance(e, ast.Name) else "" for e in elements]
        return names

    def returned(self, result: Any, point: Point) -> list[Returned]:
        """Return the arrays that backward returned, paired.

        Raises
        ------
        CheckSetupError
            If it returned ``None``, or something that looks like a gradient pairs with nothing.
        """
        if result is None:
            called = getattr(self.backward, "__name__", "")
            raise errors.CheckSetupError(
                f"backward {called} returned None; return the gradients, as a tuple (dW, db) or a dict {{'dW': dW}}"
            )
        statement = self._return_for(result)
        line = statement.lineno if statement else 0
        top = statement.value if statement is not None else None
        places = list(_places(result, top, ()))
        found: list[Returned] = []
        for position, (keys, node, value) in enumerate(places):
            name = _name_in(node) if node is not None else ""
            target = self._target(keys, name, node, point)
            if target is None and not name and len(keys) <= 1:
                target = self._by_place(position, len(places), value, point)
            if target is None:
                self._complain(keys, name, value)
                continue
            path = ast.unparse(node) if node is not None else "".join(f"[{k!r}]" for k in keys)
            if isinstance(node, ast.Name):
                self.aliases[node.id] = target
            found.append(Returned(target, path, getattr(node, "lineno", line), np.asarray(value)))
        return found

    def _target(self, keys: tuple[Any, ...], name: str, node: ast.expr | None, point: Point) -> str | None:
        """Return the forward variable that a returned array is the gradient of."""
        if any(isinstance(k, str) for k in keys):  # a dict says what its entries are; the variables' names come second
            target = self._by_keys(keys, "", point)
            if target is not None:
                return target
        if name:
            target = self.forward_name(name, point)
            if target is not None:
                return target
        container = _name_in(node.value) if isinstance(node, ast.Subscript) else ""
        return self._by_keys(keys[1:] or keys, container, point) if container else None

    def _by_place(self, position: int, count: int, value: Any, point: Point) -> str | None:
        """Pair an expression without a name: in the order of `wrt`, else of the inputs; a shape that only one input has decides."""
        variables = list(self.wrt or [n for n in point.leaves if "[" not in n])
        if count > len(variables) or not all(n in point.leaves for n in variables):
            return None
        shape = np.shape(value)
        if not self.wrt and np.shape(point.leaves[variables[position]].out) != shape:
            fitting = [n for n in variables if np.shape(point.leaves[n].out) == shape]
            if len(fitting) == 1:
                return fitting[0]
        return variables[position]

    def _complain(self, keys: tuple[Any, ...], name: str, value: Any) -> None:
        """Raise if something that looks like a gradient pairs with nothing."""
        said = name or next((k for k in reversed(keys) if isinstance(k, str)), "")
        if not said or (np.size(value) == 1 and said in _LOSSES):
            return
        near = near_misses(said, self.known)
        raise errors.CheckSetupError(
            f"backward returned {said!r}, which pairs with no variable of forward. Near misses: {', '.join(near) or 'none'}; "
            f"say what it is the gradient of with names={{{said!r}: '...'}}. Forward has {', '.join(self.known)}"
        )

    def _by_keys(self, keys: tuple[Any, ...], container: str, point: Point) -> str | None:
        """Pair an entry of a returned dict or list: by its gradient name, by the same keys, or by the same place."""
        last = next((k for k in reversed(keys) if isinstance(k, str)), None)
        if last is not None and self.names and last in self.names:
            return self.forward_name(last, point)
        fitting = [name for name, path in point.keys.items() if name in point.leaves and path[-len(keys) :] == keys]
        if len(fitting) == 1:
            return fitting[0]
        if last is not None:
            if last in point.versions:
                return last
            target = self.forward_name(last + "".join(f"[{k!r}]" for k in keys[keys.index(last) + 1 :]), point)
            if target is not None:
                return target
        base = self.forward_name(container, point) if container else None
        inside = f"{base}" + "".join(f"[{k!r}]" for k in keys)
        return inside if inside in point.versions else None

    def _return_for(self, result: Any) -> ast.Return | None:
        """Return the return statement that a result most likely came from."""
        returns = self.source.returns
        if isinstance(result, (tuple, list)):
            fitting = [r for r in returns if isinstance(r.value, (ast.Tuple, ast.List)) and len(r.value.elts) == len(result)]
            return (fitting or returns or [None])[-1]  # type: ignore[list-item]
        return returns[-1] if returns else None

    def of_event(self, e: Event, point: Point) -> str | None:
        """Return the forward variable an event's variable is the gradient of."""
        base, bracket, _ = e.path.partition("[")
        if not bracket:
            return self.aliases.get(e.path) or self.forward_name(e.path, point)
        keys = tuple(ast.literal_eval(n.slice) for n in _subscripts(ast.parse(e.path, mode="eval").body))
        if base in self.containers:
            return self._by_keys(keys, base, point)
        return self.forward_name(e.path if not isinstance(keys[-1], str) else e.name, point)

    @functools.cached_property
    def containers(self) -> set[str]:
        """The names of dicts and lists of gradients: those returned, and those called so."""
        names = {n.id for r in self.source.returns if r.value is not None for n in ast.walk(r.value) if isinstance(n, ast.Name)}
        tree = self.source.tree
        written = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} if tree else set()
        return (names | {n for n in written if "grad" in n.lower()}) - set(self.source.parameters)

    def check_names(self) -> None:
        """Raise if the user's `names` has a gradient that backward does not mention, or a variable that forward has not."""
        syntax = list(ast.walk(self.source.tree)) if self.source.tree else []
        mentioned = {n.id for n in syntax if isinstance(n, ast.Name)}
        mentioned |= {n.value for n in syntax if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        for gradient, variable in (self.names or {}).items():
            for name, known, where in ((gradient, mentioned, "backward"), (variable, set(self.known), "forward")):
                if known and name.partition("[")[0] not in known and name not in known:
                    near = ", ".join(near_misses(name, known)) or "none"
                    raise errors.CheckSetupError(
                        f"names pairs {gradient!r} with {variable!r}, but {where} has no {name!r}. Near misses: {near}"
                    )

    def nodes_for(self, e: Event, name: str, point: Point) -> list[Node]:
        """Return the Nodes an event's variable may be the gradient of: the user's pair names one, convention may add others."""
        nodes = point.nodes_of(name)
        if self.names and e.name in self.names:
            by_convention = pair(e.name, _known(point))
            nodes = nodes + [n for n in point.nodes_of(by_convention or "") if n not in nodes]
        return sorted(nodes, key=lambda n: n.index)

    def forward_name(self, name: str, point: Point) -> str | None:
        """Return the forward variable that a backward variable is the gradient of."""
        base, bracket, rest = name.partition("[")
        if bracket:
            whole = self.forward_name(base, point)
            inside = f"{whole}[{rest}"
            return inside if whole and inside in point.versions else whole
        return pair(name, _known(point), self.names)


def _known(point: Point) -> list[str]:
    """Return the names of forward's variables, and of the containers among them."""
    return list(dict.fromkeys([*point.versions, *(n.partition("[")[0] for n in point.versions)]))


def _subscripts(node: ast.expr) -> list[ast.Subscript]:
    """Return the subscripts of ``a[x][y]``, outermost container first."""
    found: list[ast.Subscript] = []
    while isinstance(node, ast.Subscript):
        found.insert(0, node)
        node = node.value
    return found


def _places(value: Any, node: ast.expr | None, keys: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], ast.expr | None, Any]]:
    """Yield (keys, expression, array) for every array in what backward returned, with the expression that gave it."""
    if isinstance(value, (np.ndarray, np.generic, float)):
        yield keys, node, value
    elif isinstance(value, dict):
        inner: dict[Any, ast.expr] = {}
        if isinstance(node, ast.Dict):
            inner = {k.value: v for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)}
        elif isinstance(node, ast.Call):
            inner = {k.arg: k.value for k in node.keywords if k.arg}
        for k, v in value.items():
            yield from _places(v, inner.get(k, _item(node, k)), (*keys, k))
    elif isinstance(value, (list, tuple)):
        given = node.elts if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) == len(value) else None
        for i, v in enumerate(value):
            yield from _places(v, given[i] if given else _item(node, i), (*keys, i))


def _item(node: ast.expr | None, key: Any) -> ast.expr | None:
    """Return the expression ``node[key]``, where `node` is a variable."""
    if not isinstance(node, (ast.Name, ast.Subscript)) or not isinstance(key, (str, int)):
        return None
    return ast.copy_location(ast.Subscript(value=node, slice=ast.Constant(value=key), ctx=ast.Load()), node)


def _name_in(node: ast.expr | None) -> str:
    """Return what an expression calls its value: ``dW``, also for ``grads["dW"]``, ``self.dW`` and ``dW.copy()``."""
    match node:
        case ast.Name():
            return node.id
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Subscript():
            return ast.unparse(node)
        case ast.Attribute():
            return node.attr
        case ast.Call(func=ast.Attribute(value=ast.Name() as inner, attr="reshape" | "copy" | "astype")) if inner.id not in (
            "np",
            "numpy",
        ):
            return inner.id
    return ""
