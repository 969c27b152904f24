"""What the user's forward function computes at one point, and the engine's gradient of every variable in it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients, topological
from autograd_np.check.watch.calling import arguments, bound_to, flat_names, leaf_names, loss_arguments, plain_forward
from autograd_np.check.watch.stand_ins import with_tensor_numpy
from autograd_np.graph import Graph
from autograd_np.node import Level, Node
from autograd_np.tensor import Tensor, leaf
from autograd_np.trace import code_of, watch_locals
from autograd_np.typing import Array

__all__ = ["Point", "evaluate_point"]


Objective = Callable[[Any, Mapping[str, Any], Any], Any]
"""Takes what `plain_forward` returns, gives the scalar that is differentiated."""


def is_variable(x: Any) -> bool:
    """Whether `x` is an input that gradients are taken by: floating arrays, not Python scalars."""
    return isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "f"


# --- the point ------------------------------------------------------------------------------------


@dataclass
class Point:
    """Values and true gradients at one set of inputs.

    Attributes
    ----------
    inputs : dict
        As given (or drawn).
    result : object
        What forward returned, plain.
    variables : dict
        Local variables of forward (and loss), plain.
    loss : float
        The scalar that is differentiated.
    upstream : list of arrays
        In layer style, the cotangent of each returned array.
    leaves : dict
        Name of an input -> its Node.
    keys : dict
        Name of an input -> where it stands in `inputs`: ``("parameters", "W1")``.
    objective : callable
        Picks the scalar out of a plain run.
    versions : dict
        Forward name (``Z1``, ``hs[2]``) -> the Nodes it was bound to, in order.
    gradients : dict
        Node -> the engine's gradient.
    scale : float
        The largest gradient anywhere; rounding is judged against it.
    """

    inputs: Mapping[str, Any]
    result: Any
    variables: dict[str, Any]
    loss: float
    upstream: list[Any]
    versions: dict[str, list[Node]]
    gradients: dict[Node, Array]
    leaves: dict[str, Node]
    keys: dict[str, tuple[Any, ...]]
    graph: Graph
    objective: Objective
    scale: float = 0.0
    _terms: dict[Node, list[tuple[str, Array]]] = field(default_factory=dict)

    def nodes_of(self, name: str) -> list[Node]:
        """Return the Nodes of a variable, oldest first; of all elements if it is a container."""
        if name in self.versions:
            return self.versions[name]
        inside = [n for key, nodes in self.versions.items() if key.startswith(name + "[") for n in nodes]
        return sorted(set(inside), key=lambda n: n.index)

    def truth(self, node: Node) -> Array:
        """Return the gradient at a Node, zero if none flows there."""
        g = self.gradients.get(node)
        return np.zeros(np.shape(node.out)) if g is None else np.asarray(g)

    def terms(self, node: Node) -> list[tuple[str, Array]]:
        """Return what each use of a variable contributes to its gradient: (through which variable, array)."""
        if node not in self._terms:
            self._terms[node] = self._find_terms(node)
        return self._terms[node]

    def ancestors(self, node: Node) -> set[Node]:
        """Return the Nodes that a Node depends on."""
        return set(topological([node]))

    def in_sight(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays a line of backward may have meant: forward's, the inputs, and those backward had `before` it."""
        found = {**self.variables, **flat_names(self.inputs)}
        found |= {k: v for k, v in before.items() if isinstance(v, (np.ndarray, np.generic, float))}
        arrays = {k: v for k, v in found.items() if isinstance(v, (np.ndarray, np.generic, float)) and not isinstance(v, bool)}
        for value in found.values():
            if isinstance(value, dict):
                for k, v in value.items():
                    if isinstance(k, str) and k not in arrays and isinstance(v, (np.ndarray, np.generic)):
                        arrays[k] = v
        return arrays

    def _find_terms(self, node: Node) -> list[tuple[str, Array]]:
        found: list[tuple[str, Array]] = []
        for user in self.graph.nodes:
            if node not in user.parents or user not in self.gradients:
                continue
            stands_in = Node(None, (), (), {}, node.out, True, user.level)
            copied = Node(
                user.op, tuple(stands_in if p is node else None for p in user.parents), user.values, user.attrs, user.out, True, user.level
            )
            part = gradients({copied: self.gradients[user]}).get(stands_in)
            if part is not None:
                found.append((self.label(user), np.asarray(part)))
        return found

    def label(self, node: Node) -> str:
        """Name a Node by the variable it is, or that it went into."""
        named: Node | None = node
        while named is not None and named.name is None:
            named = next((n for n in self.graph.nodes if named in n.parents), None)
        return (named.name if named is not None else None) or (node.op.name if node.op else "?")


def _tensor_leaves(variables: Mapping[str, Any], level: Level) -> Iterator[tuple[str, Node]]:
    def inside(value: Any, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        if isinstance(value, Tensor):
            if value._node is not None and value._node.level is level:
                yield path, value._node
        elif depth and isinstance(value, dict):
            for k, v in value.items():
                yield from inside(v, k if isinstance(k, str) else f"{path}[{k!r}]", depth - 1)
        elif depth and isinstance(value, (list, tuple)) and len(value) < 1000:
            for i, v in enumerate(value):
                yield from inside(v, f"{path}[{i}]", depth - 1)

    for name, value in variables.items():
        if name != "self":
            yield from inside(value, name, 3)


def evaluate_point(
    forward: Callable[..., Any],
    loss: Callable[..., Any] | None,
    inputs: Mapping[str, Any],
    rng: np.random.Generator,
    upstream: Any = None,
    scalars: Collection[str] = (),
) -> Point:
    """Run forward on arrays and on Tensors, and differentiate.

    Raises
    ------
    CheckSetupError
        If a parameter is not supplied, or forward has no scalar and no array to differentiate.
    LeavesNumPyError, NoRowError
        From the line of the user's function that leaves NumPy.
    """
    owners: dict[int, Any] = {}
    result, variables, _ = plain_forward(bound_to(forward, owners), bound_to(loss, owners) if loss else None, copy.deepcopy(dict(inputs)))
    level = Level(sites=True)
    versions: dict[str, list[Node]] = {}
    leaves: dict[str, Node] = {}

    names = leaf_names(inputs)
    keys = {name: path for path, name in names.items()}

    def wrap(value: Any, path: tuple[Any, ...]) -> Any:
        if is_variable(value) or (type(value) is float and path[0] in scalars and len(path) == 1):
            t = leaf(np.array(value), level, name=names[path])
            leaves[names[path]] = t._node  # type: ignore[assignment]
            return t
        if isinstance(value, dict):
            return {k: wrap(v, (*path, k)) for k, v in value.items()}
        if type(value) in (list, tuple):
            return type(value)(wrap(v, (*path, i)) for i, v in enumerate(value))
        return copy.deepcopy(value)

    def see(frame: FrameType) -> None:
        for place, node in _tensor_leaves(frame.f_locals, level):
            of_input = node.op is None and bool(node.name)
            # an input is known by its own name, and as an element of a container (h[-1] = h0) by that one too
            for path in dict.fromkeys([node.name if of_input else place, *([place] if "[" in place else [])]):
                seen = versions.setdefault(str(path), [])
                if node not in seen:
                    seen.append(node)
            if node.name is None:
                node.name = place

    wrapped = {name: wrap(value, (name,)) for name, value in inputs.items()}
    for name, node in leaves.items():
        versions[name] = [node]
    owners = {}
    try:
        run = with_tensor_numpy(bound_to(forward, owners))
        final: dict[str, Any] = {}

        def see_and_keep(frame: FrameType) -> None:
            see(frame)
            final.update(frame.f_locals)

        with watch_locals(code_of(run), see_and_keep):
            out = run(**arguments(run, flat_names(wrapped), "forward"))
        if loss is not None:
            run_loss = with_tensor_numpy(bound_to(loss, owners))
            with watch_locals(code_of(run_loss), see):
                total: Any = run_loss(**loss_arguments(run_loss, wrapped, final, out))
            cotangents = [1.0]
            objective: Objective = _loss_itself
        else:
            total, cotangents, objective = _scalar_of(out, final, result, rng, upstream)
    except errors.AutogradError as error:
        raise type(error)(f"{_where(error, forward, loss)}{error}") from error
    roots: dict[Node, Array] = {}
    for x, c in zip(total if isinstance(total, list) else [total], cotangents, strict=True):
        root = x._node if isinstance(x, Tensor) else None
        if root is not None and root.level is level and root.needs:
            seed = np.broadcast_to(np.asarray(c, root.out.dtype), np.shape(root.out)).copy()
            roots[root] = roots[root] + seed if root in roots else seed
    level.close()
    if not roots:
        raise errors.CheckSetupError(
            "the loss does not depend on any floating-point array among the inputs, so there is no gradient to check"
        )
    found: dict[Node, Array] = {}
    gradients(roots, found)
    value = float(sum(np.sum(np.asarray(node.out) * seed) for node, seed in roots.items()))
    scale = max((float(np.max(np.abs(g), initial=0.0)) for g in found.values()), default=0.0)
    return Point(
        inputs,
        result,
        variables,
        value,
        cotangents if isinstance(total, list) else [],
        versions,
        found,
        leaves,
        keys,
        Graph(list(roots)),
        objective,
        scale,
    )


def _loss_itself(_result: Any, _variables: Mapping[str, Any], total: Any) -> Any:
    return total


_LOSS_NAMES = ("loss", "cost", "J", "L", "total_loss", "objective", "nll", "energy")


def _scalar_of(
    out: Any, variables: Mapping[str, Any], plain: Any, rng: np.random.Generator, upstream: Any
) -> tuple[Any, list[Any], Objective]:
    """Find what is differentiated: the scalar forward returns, a local called loss, or every array times an upstream gradient."""
    parts = list(out) if isinstance(out, (tuple, list)) else [out]
    for i, x in enumerate(parts):
        if isinstance(x, Tensor) and x.size == 1 and x.requires_grad and (x.ndim == 0 or len(parts) == 1):
            return x, [1.0], (lambda result, _variables, _total, i=i: result[i] if isinstance(result, (tuple, list)) else result)
    arrays = [x for x in parts if isinstance(x, Tensor) and x.requires_grad]
    if upstream is None:
        for name in _LOSS_NAMES:
            x = variables.get(name)
            if isinstance(x, Tensor) and x.size == 1 and x.requires_grad:
                return x, [1.0], (lambda _result, variables, _total, name=name: variables[name])
    if not arrays:
        raise errors.CheckSetupError(
            f"forward returned {type(plain).__name__} without a scalar loss or an array that depends on the inputs; "
            f"return the loss, pass loss=, or return the layer's output first"
        )
    given = itertools.chain(
        upstream if isinstance(upstream, (list, tuple)) else [] if upstream is None else [upstream], itertools.repeat(None)
    )
    cotangents = [rng.normal(size=x.shape) if u is None else np.asarray(u, float) for x, u in zip(arrays, given, strict=False)]
    places = [i for i, x in enumerate(parts) if any(x is a for a in arrays)]

    def contracted(result: Any, _variables: Any, _total: Any) -> Any:
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        return sum(np.sum(outputs[i] * c) for i, c in zip(places, cotangents, strict=True))

    return arrays, cotangents, contracted


def _where(error: BaseException, *functions: Any) -> str:
    """Return ``file:line: `` of the deepest line of the user's functions in a traceback."""
    codes = {code_of(f) for f in functions if f is not None}
    files = {c.co_filename for c in codes if c is not None}
    place, tb = "", error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code.co_filename in files:
            place = f"{tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}: "
        tb = tb.tb_next
    return place
