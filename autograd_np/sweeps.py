"""The plain sweeps: cotangents from a result back to the leaves, tangents from the leaves to a result.

Both walk the Nodes in topological order, without recursion, and read nothing but the rows. This is the only place that
un-broadcasts, casts a gradient to the dtype of its input, and multiplies a cotangent by a partial derivative. Where a zero
meets infinity the product is NaN; what that should have been is the business of `support`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from operator import attrgetter
from typing import Any, TypeVar, cast

import numpy as np

from autograd_np import errors
from autograd_np.callers import warn_caller
from autograd_np.elsewhere import is_lazy
from autograd_np.node import Level, Node
from autograd_np.op import Op, bare
from autograd_np.ops import conj, summed
from autograd_np.results import Results
from autograd_np.tensor import Tensor, alone, leaf
from autograd_np.typing import Array, Shape

__all__ = [
    "broadcast_axes",
    "cast_to",
    "incoming",
    "is_nan",
    "own",
    "pull",
    "push",
    "pushed_forward",
    "reached",
    "sweep",
    "topological",
    "total",
    "unbroadcast",
    "without_invalid",
]

_T = TypeVar("_T")


def topological(roots: Iterable[Node]) -> list[Node]:
    """Return every Node the roots depend on, newest first: a reverse topological order."""
    order = list(roots)
    seen: set[Node | None] = {None, *order}
    for node in order:  # grows while it is walked
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                order.append(parent)  # type: ignore[arg-type]
    order.sort(key=attrgetter("index"), reverse=True)
    return order


def is_nan(g: Any) -> bool:
    """Whether an array has a NaN, as far as that can be seen without computing it."""
    array: Any = bare(g)
    if array.__class__ is Results:
        return any(is_nan(part) for part in array if part is not None)
    if not isinstance(array, (np.ndarray, np.generic)) and is_lazy(array):
        return False
    square = np.vdot(array, array)  # NaN if an element is: one pass, no array of bools
    return bool(square != square)


_saw_invalid = ContextVar("autograd_np_saw_invalid", default=False)


def _note_invalid(_kind: str, _flag: int) -> None:
    _saw_invalid.set(True)


@np.errstate(all="ignore", invalid="call", call=_note_invalid)
def without_invalid(run: Callable[..., _T], *args: Any) -> tuple[_T, bool]:
    """Run a plain sweep; return what it found, and whether no 0 * inf was met on the way."""
    token = _saw_invalid.set(False)  # a rule may use a transform, whose sweep is a matter of its own
    try:
        return run(*args), not _saw_invalid.get()
    except Exception:
        if _saw_invalid.get():  # a user's rule need not bear the NaN
            return cast(_T, None), False
        raise
    finally:
        _saw_invalid.reset(token)


# --- reverse mode ---------------------------------------------------------------------------------


def sweep(cotangents: dict[Node, Array], seen: dict[Node, Array] | None = None) -> dict[Node, Array]:
    """Pull cotangents back to the leaves; 0 * inf is NaN, and noted."""
    pending = dict(cotangents)
    found: dict[Node, Array] = {}
    shared = {id(g) for g in pending.values()}
    selects = False
    for node in topological(pending):
        g = pending.pop(node, None)
        op = node.op
        if seen is not None and g is not None:
            seen[node] = g
        if op is None:
            if node.needs:
                is_own = g.__class__ is np.ndarray and g.base is None and id(g) not in shared
                found[node] = g if is_own else own(g, node)
            continue
        if g is None or not node.needs:
            continue
        if op.kind == "elementwise":
            if op.selects:
                selects = True
            values = node.values
            count = len(values)
            i = -1
            for parent in node.parents:
                i += 1
                if parent is None or not parent.needs:
                    continue
                partial = op.rules[i]
                # spelled out for one and two operands, because a call with *values costs twice as much
                if partial.__class__ is not int:
                    if count == 2:
                        gi = g * partial(node.out, values[0], values[1])
                    elif count == 1:
                        gi = g * partial(node.out, values[0])
                    else:
                        gi = g * partial(node.out, *values)
                elif partial == 1:
                    gi = g
                elif partial:
                    gi = -g
                else:
                    continue
                value = values[i]
                if count > 1 and gi.shape != value.shape:
                    gi = unbroadcast(gi, value.shape, node)
                if gi.dtype is not value.dtype and gi.dtype != value.dtype:
                    gi = cast_to(gi, value.dtype)
                if gi is g:
                    shared.add(id(g))
                pending[parent] = pending[parent] + gi if parent in pending else gi
        else:
            if op.selects or "where" in node.attrs:
                selects = True
            for i, gi in pull(op, g, node):
                parent = node.parents[i]
                if parent in pending:
                    gi = pending[parent] + gi
                elif gi is g:
                    shared.add(id(gi))
                pending[parent] = gi  # type: ignore[index]
    if selects and any(map(is_nan, found.values())):
        _saw_invalid.set(True)
    return found


def pull(op: Op, g: Array, node: Node) -> list[tuple[int, Array]]:
    """Return (operand number, cotangent) for the operands of a row given by its vjp."""
    values, out, attrs = node.values, node.out, node.attrs
    if op.strict:  # a user's rule takes gradients to gradients
        g = conj(g)
    if op.joint:
        pulled = op.rules[0](g, out, values, **attrs) if op.variadic else op.rules[0](g, out, *values, **attrs)
        if len(values) == 1 and not isinstance(pulled, (tuple, list)):
            pulled = (pulled,)
        if op.strict and (not isinstance(pulled, (tuple, list)) or len(pulled) != len(values)):
            got = f"{len(pulled)} values" if isinstance(pulled, (tuple, list)) else type(pulled).__name__
            raise errors.CustomRuleError(f"the rule of {op.name} must return {len(values)} cotangents, one an argument; got {got}")
    result = []
    for i, parent in enumerate(node.parents):
        if parent is None or not parent.needs:
            continue
        if op.joint:
            gi = pulled[i]
        else:
            rule = op.rules[i]
            gi = None if not rule else rule(g, out, *values, **attrs) if attrs else rule(g, out, *values)
        if gi is None:
            continue
        value = values[i]
        if op.strict:
            gi = conj(_checked(gi, value, i, node))
        if gi.shape != value.shape:
            gi = unbroadcast(gi, value.shape)
        if gi.dtype is not value.dtype and gi.dtype != value.dtype:
            gi = cast_to(gi, value.dtype)
        result.append((i, gi))
    return result


def _checked(gi: Any, value: Array, i: int, node: Node) -> Array:
    """Demand of a user's rule the shape and a dtype of its argument."""
    assert node.op is not None
    shape, dtype = np.shape(gi), getattr(gi, "dtype", None)
    if shape != value.shape:
        raise errors.CustomRuleError(
            f"the rule of {node.op.name} returned shape {shape} for argument {i}, expected that argument's shape {value.shape}"
        )
    if dtype is None:
        return np.asarray(gi, dtype=value.dtype)
    if dtype not in (value.dtype, node.out.dtype):
        raise errors.CustomRuleError(
            f"the rule of {node.op.name} returned dtype {dtype} for argument {i}, expected {value.dtype}; "
            f"a constant in another precision often causes it"
        )
    return gi


def cast_to(g: Array, dtype: np.dtype[Any]) -> Array:
    """Convert what a rule returned to the dtype it should have, if it has another; what is real moves by the real part alone."""
    if g.dtype == dtype:
        return g
    if g.dtype.kind == "c" and dtype.kind != "c":
        g = np.real(g)
    return g.astype(dtype)


def own(g: Array | None, node: Node) -> Array:
    """Return a leaf's gradient as an array that nothing else refers to."""
    if g is None:
        return np.zeros_like(node.out)
    return np.array(g) if isinstance(g, (np.ndarray, np.generic)) else alone(g)


def unbroadcast(g: Array, shape: Shape, node: Node | None = None) -> Array:
    """Sum `g` over the axes along which an operand of `shape` was broadcast; of `node`, if its shapes are to be looked at."""
    got = g.shape
    if node is not None and len(got) == 2 and got[0] == got[1]:
        _warn_if_a_column_met_a_row(node, shape)
    extra, axes = broadcast_axes(got, shape)
    if extra:
        g = summed(g, extra)
    return summed(g, axes, keepdims=True) if axes else g


@functools.lru_cache(1024)
def broadcast_axes(got: Shape, shape: Shape) -> tuple[Shape, Shape]:
    """Return the axes that broadcasting put in front, and those it stretched."""
    extra = len(got) - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, got[extra:], strict=True)):
        raise errors.DifferentiationError(f"a cotangent of shape {got} does not fit an operand of shape {shape}")
    return tuple(range(extra)), tuple(i for i, n in enumerate(shape) if n != got[extra + i])


def _warn_if_a_column_met_a_row(node: Node, mine: Shape) -> None:
    """Warn when a prediction (n, 1) met a target (n,), or the reverse: the loss is then of shape (n, n)."""
    n = node.out.shape[0]
    if n < 2 or len(node.values) != 2:
        return
    i = 0 if np.shape(node.values[1]) == mine else 1
    other = np.shape(node.values[i])
    if {mine, other} != {(n,), (n, 1)}:
        return
    target = node.parents[i]
    if target is None or not target.needs:
        assert node.op is not None
        warn_caller(
            f"{node.op.name} of shapes {mine} and {other} broadcast to {np.shape(node.out)}; a target and a prediction "
            f"should have the same shape: reshape one of them",
            errors.ShapeWarning,
        )


# --- forward mode ---------------------------------------------------------------------------------


def incoming(moved: dict[Node, Any], node: Node) -> tuple[Any, ...]:
    """Return what was found for each operand, ``None`` where there is nothing."""
    return tuple(moved.get(p) if p is not None else None for p in node.parents[: len(node.values)])


def reached(moved: dict[Node, Any], order: list[Node]) -> Iterator[tuple[Node, tuple[Any, ...]]]:
    """Yield the operations that what `moved` holds by then flows into, with what arrives at each operand."""
    for node in order:
        if node.op is not None and node.needs:
            arriving = incoming(moved, node)
            if any(t is not None for t in arriving):
                yield node, arriving


def pushed_forward(tangents: dict[Node, Array], order: list[Node]) -> dict[Node, Array]:
    """Push tangents from the leaves through Nodes in topological order; 0 * inf is NaN, and noted."""
    moved = dict(tangents)
    for node, arriving in reached(moved, order):
        op = cast(Op, node.op)
        tangent = push(op, arriving, node)
        if tangent is not None:
            moved[node] = cast_to(tangent, node.out.dtype)
    return moved


def push(op: Op, tangents: tuple[Array | None, ...], node: Node) -> Array | None:
    """Return the tangent of one operation from those of its operands."""
    out, values, attrs = node.out, node.values, node.attrs
    if op.kind == "elementwise":
        terms = []
        for t, partial in zip(tangents, op.rules, strict=True):
            if t is not None and partial.__class__ is int and partial:
                terms.append(t if partial == 1 else -t)
            elif t is not None and partial.__class__ is not int:
                terms.append(t * partial(out, *values))
        return total(terms, out)
    if op.jvp is not None:
        return cast("Array", op.jvp(tangents, out, *values, **attrs))
    if op.kind == "linear" and op.variadic:
        filled = [np.zeros_like(v) if t is None else t for t, v in zip(tangents, values, strict=True)]
        return cast("Array", op.fn(filled, **attrs))
    if op.kind in ("linear", "multilinear"):
        terms = [op.fn(*values[:i], t, *values[i + 1 :], **attrs) for i, t in enumerate(tangents) if t is not None]
        return total(terms, out)
    return _transposed_vjp(op, tangents, node)


def total(terms: list[Array], out: Array) -> Array | None:
    """Return the sum of what the operands contribute, in the shape of the result."""
    if not terms:
        return None
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total if total.shape == out.shape else np.broadcast_to(total, out.shape)


def _transposed_vjp(op: Op, tangents: tuple[Array | None, ...], node: Node) -> Array | None:
    """Tangent of a row that gives only its vjp: the vjp is linear in `g`, and the jvp is its transpose."""
    level = Level()
    out = node.out
    several = out.__class__ is Results
    leaves = [leaf(np.zeros_like(part), level) if part.dtype.kind in "fc" else None for part in (out if several else (out,))]
    pulled = dict(pull(op, out.like(leaves) if several else cast("Array", leaves[0]), node))
    cotangents: dict[Node, Array] = {}
    for i, gi in pulled.items():
        t = tangents[i]
        if t is not None and isinstance(gi, Tensor) and gi._node is not None and gi._node.level is level:
            cotangents[gi._node] = cotangents[gi._node] + t if gi._node in cotangents else t
    level.close()
    if not cotangents:
        return None
    found = sweep(cotangents)
    moved = [found.get(cast(Node, g._node)) if g is not None else None for g in leaves]
    return out.like(moved) if several else moved[0]
