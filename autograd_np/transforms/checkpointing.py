"""`checkpoint`: what a function computes on the way is computed again in the backward pass, rather than kept.

A call is one record, whose operands are the arguments and what the function uses besides them: Tensors of older levels that it
meets are taken in as variables of the level that it runs in. Its rules run the function again, in a level of their own, and
read what that recorded.

The method is that of A. Griewank, "Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
differentiation", Optimization Methods and Software 1 (1992).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients, pushforward
from autograd_np.node import REWRITES, Level, Node
from autograd_np.op import Several, batched_in
from autograd_np.ops import conj
from autograd_np.results import Results
from autograd_np.tensor import Tensor, leaf, read_each, record, value_of
from autograd_np.transforms.arguments import name_of, node_at, results_of, unwrap
from autograd_np.trees import flatten
from autograd_np.typing import Array

__all__ = ["checkpoint"]


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f`, of whose intermediate results none is kept for the backward pass, which computes them again.

    Parameters
    ----------
    f : callable
        Takes and returns arrays, Tensors or nested containers of them, and anything else as it is. It is run again, with the same
        arguments, each time that its derivative is needed, so it should do nothing else than return its result.

    Returns
    -------
    callable
        Called as `f` is. What `f` uses besides its arguments (a closure, the parameters of a module) gets its gradient, too.

    Raises
    ------
    DifferentiationError
        If `f` returns no arrays, or in the backward pass if it returns other values than in the forward pass.

    Notes
    -----
    Of n layers in a row, each of which keeps k arrays, a backward pass needs n k arrays, and with each of them checkpointed n + k, for
    one more evaluation of each. Derivatives are the same in both modes and at every order. Those of a gradient need what
    the gradient's own run recorded, so memory is saved at the first order, and inside `vmap` over a gradient, not by a gradient over
    `vmap`.

    Random numbers are drawn anew when `f` is run again, which is noticed and refused: draw them outside and pass them as an argument, or
    make the generator inside, ``rng = np.random.default_rng(seed)``.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def layer(w, x):
    ...     return np.tanh(np.exp(-(w * x) ** 2))
    >>> def loss(w):
    ...     x = np.ones(2)
    ...     for _ in range(3):
    ...         x = ag.checkpoint(layer)(w, x)
    ...     return np.sum(x)
    >>> ag.grad(loss)(np.array([0.5, 1.0]))
    array([-0.20664427, -0.48458981])
    """

    @functools.wraps(f, updated=())
    def call(*args: Any, **kwargs: Any) -> Any:
        if REWRITES.get() is not None:  # compiled code lays its memory out itself
            return f(*args, **kwargs)
        return _Run(f, args, kwargs).result()

    return call


class _World(Level):
    """The level that `f` runs in. Tensors of older levels that it meets become variables of it, in the order in which it meets them.

    Attributes
    ----------
    met : list of Tensor
        What was met, as it was.
    instead : sequence of arrays, optional
        The values that these have this time; their own by default.
    """

    __slots__ = ("instead", "met")

    def __init__(self, instead: Sequence[Array] | None = None) -> None:
        super().__init__()
        self.takes_in = True
        self.met: list[Tensor] = []
        self.instead = instead

    def lift(self, older: Any) -> Node:
        node = older._node
        if node not in self.lifted:
            if self.instead is not None and len(self.met) >= len(self.instead):
                raise errors.DifferentiationError(_OTHER.format("the function", "used Tensors that it did not use in the forward pass"))
            data = value_of(older) if self.instead is None else self.instead[len(self.met)]
            self.lifted[node] = cast(Node, leaf(data, self, needs=older._losing() is not None and data.dtype.kind in "fc")._node)
            self.met.append(older)
        return self.lifted[node]


_OTHER = (
    "{} under ag.checkpoint {}: it is run again in the backward pass and has to do the same. Random numbers that it draws are others "
    "then; draw them outside and pass them as an argument, or make the generator inside: rng = np.random.default_rng(seed)"
)


class _Run:
    """One call of a checkpointed function.

    Attributes
    ----------
    operands : list of Tensor
        The arrays and Tensors among the arguments, and then what was met besides them.
    needed : list of bool
        Which operands a gradient flows to.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.f = f
        self.name = name_of(f)
        leaves, self.unflatten_in = flatten((args, kwargs))
        self.given = leaves
        self.places = [
            i for i, x in enumerate(leaves) if isinstance(x, Tensor) or (hasattr(x, "__array_function__") and x.dtype.kind in "fc")
        ]
        self.operands = [leaves[i] for i in self.places]
        self.needed = [isinstance(x, Tensor) and x._losing() is not None for x in self.operands]

    def result(self) -> Any:
        if _meets_newer_examples(self.operands):
            return self._recorded_in_full()
        world = _World()
        found, unflatten = self._evaluate(world, [value_of(x) for x in self.operands])
        self.recorded = [i for i, x in enumerate(found) if node_at(x, world) is not None]
        found = [x if i in self.recorded else unwrap(x, world) for i, x in enumerate(found)]
        self.count = len(self.operands)
        self.operands += world.met
        self.needed += [x._losing() is not None for x in world.met]
        values = [unwrap(found[i], world) for i in self.recorded]
        if not self.recorded:
            return unflatten(found)
        if _meets_newer_examples([*self.operands, *values]):
            return self._recorded_in_full()
        names = tuple(f"x{i}" for i in range(len(self.operands)))

        def known(*at: Any) -> Any:
            if any(isinstance(x, Tensor) for x in at):
                return read_each(row, record(row, at))
            return tuple(values)

        rules = (self._pull,) * len(names)
        row = Several(f"checkpoint({self.name})", known, "general", rules, params=names, jvp=self._push, joint=True)
        for i, x in zip(self.recorded, known(*self.operands), strict=True):
            found[i] = x
        return unflatten(found)

    def _recorded_in_full(self) -> Any:
        """Call the function as it is: its derivatives are those of the record, which would be one of all examples."""
        args, kwargs = self.unflatten_in(self.given)
        return self.f(*args, **kwargs)

    def _evaluate(self, world: _World, values: Sequence[Array]) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        """Run the function on variables with these values."""
        leaves = list(self.given)
        self.variables = []
        for i, value, needs in zip(self.places, values, self.needed, strict=False):
            leaves[i] = leaf(value, world, needs=needs and value.dtype.kind in "fc")
            self.variables.append(leaves[i])
        args, kwargs = self.unflatten_in(leaves)
        with world:
            out = self.f(*args, **kwargs)
        return results_of(out, f"checkpoint({self.name})")

    def _again(self, y: Results, values: Sequence[Array]) -> tuple[list[Node | None], list[Node | None]]:
        """Run the function at these values of the operands; return the Nodes of operands and of results."""
        world = _World(values[self.count :])
        with _reopened(self.operands):
            found, _ = self._evaluate(world, values[: self.count])
        if len(world.met) != len(values) - self.count or len(found) <= max(self.recorded):
            raise errors.DifferentiationError(
                _OTHER.format(self.name, "did not use the Tensors, or return the arrays, of the forward pass")
            )
        results = [found[i] for i in self.recorded]
        for before, after in zip(y, results, strict=True):
            if not _agree(value_of(before), value_of(after)):
                raise errors.DifferentiationError(_OTHER.format(self.name, "returned other values when it was run again"))
        operands = [*(v._node for v in self.variables), *(world.lifted[cast(Node, x._node)] for x in world.met)]
        return operands, [node_at(x, world) for x in results]

    def _pull(self, g: Results, y: Results, *values: Array) -> tuple[Any, ...]:
        operands, results = self._again(y, values)
        cotangents: dict[Node, Array] = {}
        for node, gi in zip(results, g, strict=True):
            if node is not None and gi is not None:
                gi = conj(gi)
                cotangents[node] = cotangents[node] + gi if node in cotangents else gi
        found = gradients(cotangents) if cotangents else {}
        return tuple(None if node not in found else conj(found[node]) for node in operands)

    def _push(self, tangents: Sequence[Any], y: Results, *values: Array) -> list[Any]:
        operands, results = self._again(y, values)
        moved = {cast(Node, node): t for node, t in zip(operands, tangents, strict=True) if t is not None and cast(Node, node).needs}
        found = pushforward(moved, [node for node in results if node is not None])
        return [np.zeros_like(part) if node not in found else found[node] for node, part in zip(results, y, strict=True)]


def _meets_newer_examples(xs: Sequence[Any]) -> bool:
    """Whether a Tensor meets arrays of many examples from a `vmap` that began after its transform: they would have to hold the record."""
    batches, levels = [b.order for b in batched_in(list(xs))], []
    for x in xs if batches else ():
        while isinstance(x, Tensor):
            levels += [x._node.level.order] if x._node is not None else []
            x = x.data
    return bool(levels) and min(levels) < max(batches)


@contextmanager
def _reopened(operands: Sequence[Any]) -> Iterator[None]:
    """Open the levels of what a function used, which may have ended: it computes with these Tensors once more."""
    levels = set()
    for x in operands:
        while isinstance(x, Tensor):
            if x._node is not None and x._node.level.closed:
                levels.add(x._node.level)
            x = x.data
    for level in levels:
        level.closed = False
    try:
        yield
    finally:
        for level in levels:
            level.closed = True


def _agree(before: Any, after: Any) -> bool:
    """Whether results are the same but for rounding, as far as can be seen."""
    if np.shape(before) != np.shape(after):
        return False
    if not isinstance(before, (np.ndarray, np.generic)) or before.dtype.kind not in "fc" or not before.size:
        return True
    tolerance = float(np.sqrt(np.finfo(before.dtype).eps))
    array = np.asarray(before)
    scale = float(np.max(np.abs(array[np.isfinite(array)]), initial=0))
    return bool(np.allclose(before, after, rtol=tolerance, atol=tolerance * scale, equal_nan=True))
