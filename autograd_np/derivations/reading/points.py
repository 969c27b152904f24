"""The points at which a function is recorded: runs on arrays of different sizes, so that sizes can be told from other numbers.

An axis whose size changes what is recorded (a loop over it) keeps the size the user gave.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.derivations.reading.untouched import untouched
from autograd_np.draws import Axis, draw, free_axes, new_sizes, resized
from autograd_np.graph import Graph
from autograd_np.node import Node
from autograd_np.results import Results
from autograd_np.trace import See, traced
from autograd_np.trees import flatten

__all__ = ["Run", "runs"]

FIRST = (5, 7, 3, 6, 8, 9, 10)
SECOND = (13, 11, 17, 12, 14, 15, 16)
"""In another order than the first sizes, and of more binary digits: so that which of two axes is longer, and how often one can be
halved, is another at each point, and what depends on that is not taken for what holds at all sizes."""
ATTEMPTS = (
    (FIRST, SECOND),
    (FIRST, (13, 17, 11, 14, 19, 23, 29)),
    ((11, 13, 7, 12, 17, 19), (37, 31, 41, 34, 29, 23)),
    ((6, 10, 4, 8, 12, 14, 16), (22, 18, 26, 20, 24, 28, 30)),
)
"""Others are in the same order, for functions that are defined for one order only, or larger, or can be halved."""

LARGE = 20_000
"""Inputs of more elements are no point themselves, so that deriving costs what the code costs, not what the data does."""


SQUARE = frozenset(("diag", "diagonal", "trace"))
"""What is mostly applied to square matrices, even if it need not be."""


class Run(NamedTuple):
    """One run of the user's function."""

    graph: Graph
    inputs: list[Node | None]
    seen: Any
    leaves: list[Any]


def runs(
    f: Callable[..., Any], inputs: Mapping[str, Any], watching: Callable[[], See], *, integers: bool = True, most: int | None = None
) -> list[Run]:
    """Record `f` on inputs of two other sizes, and on those that are given; where it lets no size vary, on these and other values.

    Parameters
    ----------
    f : callable
    inputs : mapping
        The positional arguments by name.
    integers : bool
        Record what is computed from integers, too.
    most : int, optional
        How many operations the function may compute.
    watching : callable
        Returns, for each run, what is called with the frames of the user's functions.

    Raises
    ------
    DifferentiationError
        If the function computes more operations than `most`.
    """

    def run(arguments: Mapping[str, Any]) -> Run:
        see = watching()
        with untouched(f), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            graph, nodes = traced(f, list(arguments.values()), see, integers=integers)
        return Run(graph, nodes, see, flatten(list(arguments.values()))[0])

    base = run(inputs)
    if most is not None and len(base.graph.nodes) > most:
        raise errors.DifferentiationError(
            f"the function computes {len(base.graph.nodes):,} operations, since loops are recorded turn by turn; a derivation of more than "
            f"{most:,} is no text that anybody reads. Write what its loops do with whole arrays (np.einsum, "
            f"np.lib.stride_tricks.sliding_window_view), or derive it on smaller arrays; ag.grad and ag.compile take it as it is"
        )

    small = dict(inputs)

    def alike(arguments: Mapping[str, Any]) -> bool:
        try:
            return isomorphic(base.graph, run(_moved(arguments, small, np.random.default_rng(0))).graph)
        except Exception:  # noqa: BLE001 (the user's code may refuse a size in any way)
            return False

    def works(arguments: dict[str, Any]) -> bool:
        try:
            with untouched(f), np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                f(*_moved(arguments, inputs, np.random.default_rng(0)).values())
        except Exception:  # noqa: BLE001
            return False
        return True

    def again() -> list[Run]:
        """Run on other values of the same sizes, so that what depends on values is not taken for a constant."""
        for gently in (False, True):
            try:
                run_again = run(_typed(draw(dict(inputs), np.random.default_rng(0), gently=gently), inputs))
            except Exception:  # noqa: BLE001, S112
                continue
            if isomorphic(base.graph, run_again.graph):
                return [run_again]
        return []

    def at_other_sizes(groups: list[tuple[Axis, ...]], attempts: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[Run]:
        """Run at two points, at which each group of axes has a size of its own; return nothing if something else is recorded there."""
        fixed = _sizes(small) - {_size(small, g[0]) for g in groups}
        for attempt in attempts if groups else ():
            first = new_sizes(groups, fixed, attempt[0])
            second = new_sizes(groups, fixed | set(first.values()), attempt[1])
            if len(first) < len(groups) or len(second) < len(groups):
                continue
            try:
                found = []
                for s in (first, second):
                    rng = np.random.default_rng(s[groups[0]])
                    found.append(run(_moved(resized(small, s, rng), small, rng)))
                    if not isomorphic(base.graph, found[-1].graph):
                        break
                else:
                    is_small = sum(np.size(x) for x in flatten(small)[0]) <= LARGE
                    return [*found, base] if is_small else found
            except Exception:  # noqa: BLE001, S112 (the user's code may refuse a size in any way)
                continue
        return []

    square = any(n.op is not None and n.op.name in SQUARE for n in base.graph.nodes)
    tried: list[tuple[Axis, ...]] = []
    for everywhere in (True, False):
        free = list(free_axes(small, works, set(), everywhere=everywhere))
        groups = _with_equal_sizes(free, small) if square else free
        if found := at_other_sizes(groups, ATTEMPTS[:1]):
            return found  # whichever axes vary, the same is recorded: what each alone does need not be asked
        alone = [g for g in free if alike(resized(small, {g: _other(small, g)}, np.random.default_rng(0)))]
        groups = _with_equal_sizes(alone, small) if square else alone
        if groups == tried:
            break
        tried = groups
        if found := at_other_sizes(groups, ATTEMPTS[1 if alone == free else 0 :]):
            return found
    return [base, *again()]


def _with_equal_sizes(groups: Sequence[tuple[Axis, ...]], inputs: Mapping[str, Any]) -> list[tuple[Axis, ...]]:
    """Let axes of equal size vary together."""
    of_size: dict[int, tuple[Axis, ...]] = {}
    for g in groups:
        of_size[_size(inputs, g[0])] = (*of_size.get(_size(inputs, g[0]), ()), *g)
    return list(of_size.values())


def _size(inputs: Mapping[str, Any], axis: Axis) -> int:
    value: Any = inputs
    for key in axis[0]:
        value = value[key]
    return int(value.shape[axis[1]])


def _other(inputs: Mapping[str, Any], group: Sequence[Axis]) -> int:
    return _size(inputs, group[0]) + 2


def _sizes(inputs: Mapping[str, Any]) -> set[int]:
    return {n for x in flatten(dict(inputs))[0] if isinstance(x, np.ndarray) for n in x.shape}


def isomorphic(a: Graph, b: Graph) -> bool:
    """Whether two graphs have the same operations on the same operands, whatever the numbers."""
    if len(a.nodes) != len(b.nodes) or len(a.outputs) != len(b.outputs):
        return False
    place = {node: i for i, node in enumerate(a.nodes)} | {node: i for i, node in enumerate(b.nodes)}
    for m, n in zip(a.nodes, b.nodes, strict=True):
        if (
            m.op is not n.op
            or len(m.values) != len(n.values)
            or np.ndim(m.out) != np.ndim(n.out)
            or _is_empty(m.out) != _is_empty(n.out)
            or _kind(m) != _kind(n)
        ):
            return False
        if [p and place[p] for p in m.parents] != [p and place[p] for p in n.parents]:
            return False
    return all(place[m] == place[n] for m, n in zip(a.outputs, b.outputs, strict=True))


def _kind(node: Node) -> Any:
    return getattr(node.out, "dtype", None)


def _is_empty(x: Any) -> bool:
    return not isinstance(x, Results) and np.size(x) == 0


def _moved(drawn: Any, given: Any, rng: np.random.Generator) -> Any:
    """Move floats that were taken from others, so that no two rows are the same; matrices that were positive definite stay so."""
    leaves, unflatten = flatten(drawn)
    return unflatten([_moved_array(a, b, rng) for a, b in zip(leaves, flatten(given)[0], strict=True)])


def _moved_array(a: Any, given: Any, rng: np.random.Generator) -> Any:
    if not isinstance(a, np.ndarray) or a.dtype.kind != "f" or a.shape == given.shape:
        return a
    if a.ndim == 2 and a.shape[0] == a.shape[1] and _is_regular(given):
        scale = a.dtype.type(np.mean(np.diag(given)))
        if not np.any(given - np.diag(np.diag(given))):
            return np.eye(len(a), dtype=a.dtype) * scale
        half: Any = rng.normal(size=a.shape)
        return np.asarray(half @ half.T / len(half) + np.eye(len(half)), a.dtype) * scale
    if np.all(a == np.round(a)) or (a.ndim and any(np.allclose(np.sum(a, axis=i), 1) for i in range(a.ndim))):
        return a
    return np.asarray(a * (1 + 0.1 * rng.uniform(-1, 1, a.shape)), a.dtype)


def _is_regular(a: Any) -> bool:
    """Whether a matrix is symmetric and can be inverted, as covariances are."""
    return bool(a.ndim == 2 and a.shape[0] == a.shape[1] == np.linalg.matrix_rank(a) and np.allclose(a, a.T))


def _typed(drawn: Any, like: Any) -> Any:
    """Give arrays the dtypes of others."""
    leaves, unflatten = flatten(drawn)
    return unflatten([np.asarray(a, b.dtype) if hasattr(b, "dtype") else a for a, b in zip(leaves, flatten(dict(like))[0], strict=True)])
