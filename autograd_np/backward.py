"""The sweeps: cotangents from a result back to the leaves, tangents from the leaves to a result.

Both walk the Nodes in topological order, without recursion, and read nothing but the rows. This is the
only place that un-broadcasts, casts a gradient to the dtype of its input, and multiplies a cotangent
by a partial derivative.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable
from contextvars import ContextVar
from operator import attrgetter
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.modes import anomaly_mode
from autograd_np.node import Level, Node
from autograd_np.op import Op
from autograd_np.ops import absorb, absorb_either
from autograd_np.tensor import Tensor, alone, leaf, value_of
from autograd_np.typing import Array, Shape

__all__ = ["backward", "gradients", "one_like", "pushforward", "seed_for", "topological"]


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


def gradients(cotangents: dict[Node, Array], seen: dict[Node, Array] | None = None) -> dict[Node, Array]:
    """Pull cotangents back to the leaves.

    Parameters
    ----------
    cotangents : dict
        For each result Node, an array of its shape and dtype.
    seen : dict, optional
        Filled with the complete cotangent of every Node on the way.

    Returns
    -------
    dict
        For each leaf that needs one, its gradient. The arrays share no memory with anything recorded.

    Notes
    -----
    A cotangent of zero that meets an infinite partial derivative (``log`` at 0 behind a ``where``)
    contributes zero, not NaN. That product is slower than ``*``, so it is used only when the processor
    flagged an invalid operation (0 * inf) in the plain sweep, when a row that selects was passed and a gradient
    came out as NaN (0 * NaN flags nothing), or when the arrays are lazy and cannot tell.
    """
    lazy = False
    for node in cotangents:
        out = node.out
        lazy = lazy or not isinstance(value_of(out) if isinstance(out, Tensor) else out, (np.ndarray, np.generic))
    if not lazy:
        _saw_invalid.set(False)
        found = _plain_sweep(cotangents, seen)
        if not _saw_invalid.get():
            return found
    with np.errstate(all="ignore"):
        return _sweep(cotangents, seen, careful=True)


_saw_invalid = ContextVar("autograd_np_saw_invalid", default=False)


def _note_invalid(_kind: str, _flag: int) -> None:
    _saw_invalid.set(True)


@np.errstate(all="ignore", invalid="call", call=_note_invalid)
def _plain_sweep(cotangents: dict[Node, Array], seen: dict[Node, Array] | None) -> dict[Node, Array]:
    return _sweep(cotangents, seen, careful=False)


def _is_nan(g: Any) -> bool:
    array: Any = value_of(g)
    eager = isinstance(array, (np.ndarray, np.generic))
    if not eager:
        return False
    square = np.vdot(array, array)  # NaN if an element is: one pass, no array of bools
    return bool(square != square)


def _sweep(cotangents: dict[Node, Array], seen: dict[Node, Array] | None, *, careful: bool) -> dict[Node, Array]:
    pending = dict(cotangents)
    found: dict[Node, Array] = {}
    shared = {id(g) for g in pending.values()}
    anomaly = anomaly_mode()
    selects = False
    for node in topological(pending):
        g = pending.pop(node, None)
        op = node.op
        if seen is not None and g is not None:
            seen[node] = g
        if op is None:
            if node.needs:
                is_own = g.__class__ is np.ndarray and g.base is None and id(g) not in shared
                found[node] = g if is_own else _own(g, node)
            continue
        if g is None or not node.needs:
            continue
        if op.selects or (node.attrs and "where" in node.attrs):
            selects = True
        if op.kind == "elementwise":
            values = node.values
            count = len(values)
            i = -1
            for parent in node.parents:
                i += 1
                if parent is None or not parent.needs:
                    continue
                partial = op.rules[i]
                if partial.__class__ is int:
                    if partial == 0:
                        continue
                    gi = g if partial == 1 else -g
                else:
                    # spelled out for one and two operands, because a call with *values costs twice as much
                    if count == 1:
                        p = partial(node.out, values[0])
                    elif count == 2:
                        p = partial(node.out, values[0], values[1])
                    else:
                        p = partial(node.out, *values)
                    gi = absorb(g, p) if careful else g * p
                value = values[i]
                if count > 1 and gi.shape != value.shape:
                    _warn_if_a_column_met_a_row(node, value)
                    gi = unbroadcast(gi, value.shape)
                if gi.dtype is not value.dtype and gi.dtype != value.dtype:
                    gi = _cast(gi, value.dtype, op)
                if gi is g:
                    shared.add(id(gi))
                before = pending.get(parent)
                pending[parent] = gi if before is None else before + gi
        else:
            for i, gi in _pull(op, g, node):
                parent = node.parents[i]
                if parent in pending:
                    gi = pending[parent] + gi
                elif gi is g:
                    shared.add(id(gi))
                pending[parent] = gi  # type: ignore[index]
        if anomaly:
            _check_backward(node, g, pending)
    if selects and not careful and any(map(_is_nan, found.values())):
        _saw_invalid.set(True)
    return found


def _pull(op: Op, g: Array, node: Node) -> list[tuple[int, Array]]:
    """Return (operand number, cotangent) for the operands of a row given by its vjp."""
    values, out, attrs = node.values, node.out, node.attrs
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
        rule = op.rules[0 if op.joint else i]
        gi = pulled[i] if op.joint else rule(g, out, *values, **attrs) if rule else None
        if gi is None:
            continue
        value = values[i]
        if op.strict:
            gi = _checked(gi, value, i, node)
        if gi.shape != value.shape:
            gi = unbroadcast(gi, value.shape)
        if gi.dtype is not value.dtype and gi.dtype != value.dtype:
            gi = _cast(gi, value.dtype, op)
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


def _cast(g: Array, dtype: np.dtype[Any], op: Op) -> Array:
    if g.dtype.kind == "c" and dtype.kind != "c":
        raise errors.DifferentiationError(
            f"{op.name} mixed complex and real operands; complex gradients are not supported. "
            f"Keep real and imaginary parts as two real arrays"
        )
    return g.astype(dtype)


def _own(g: Array | None, node: Node) -> Array:
    """Return a leaf's gradient as an array that nothing else refers to."""
    if g is None:
        return np.zeros_like(node.out)
    return np.array(g) if isinstance(g, (np.ndarray, np.generic)) else alone(g)


def unbroadcast(g: Array, shape: Shape) -> Array:
    """Sum `g` over the axes along which an operand of `shape` was broadcast."""
    extra, axes = _broadcast_axes(g.shape, shape)
    if extra:
        g = g.sum(axis=extra)
    return g.sum(axis=axes, keepdims=True) if axes else g


@functools.lru_cache(1024)
def _broadcast_axes(got: Shape, shape: Shape) -> tuple[Shape, Shape]:
    """Return the axes that broadcasting put in front, and those it stretched."""
    extra = len(got) - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, got[extra:], strict=True)):
        raise errors.DifferentiationError(f"a cotangent of shape {got} does not fit an operand of shape {shape}")
    return tuple(range(extra)), tuple(i for i, n in enumerate(shape) if n != got[extra + i])


def _warn_if_a_column_met_a_row(node: Node, value: Array) -> None:
    """Warn when a prediction (n, 1) met a target (n,), or the reverse: the loss is then of shape (n, n)."""
    if len(node.values) != 2:
        return
    i = 0 if node.values[1] is value else 1
    if getattr(node.values[i], "ndim", 0) + value.ndim != 3 or value.ndim == 0:
        return
    mine, other = value.shape, node.values[i].shape
    if mine[0] < 2 or {mine, other} != {(mine[0],), (mine[0], 1)}:
        return
    target = node.parents[i]
    if target is None or not target.needs:
        assert node.op is not None
        warnings.warn(
            f"{node.op.name} of shapes {mine} and {other} broadcast to {np.shape(node.out)}; a target and a prediction "
            f"should have the same shape: reshape one of them",
            errors.ShapeWarning,
            stacklevel=6,
        )


def _check_backward(node: Node, g: Array, pending: dict[Node, Array]) -> None:
    assert node.op is not None
    if _is_nan(g):
        return
    for i, parent in enumerate(node.parents):
        if parent is not None and parent in pending and _is_nan(pending[parent]):
            where = f", recorded at {node.site}" if node.site else "; record it under detect_anomaly to see its line"
            raise errors.AnomalyError(f"the gradient of {node.op.name} for operand {i} became NaN{where}")


def backward(self: Tensor, seed: Any = None) -> None:
    """Add the gradient of this Tensor to the `.grad` of every leaf it depends on.

    Parameters
    ----------
    seed : array_like, optional
        The cotangent, of this Tensor's shape; ones for a Tensor of one element.

    Raises
    ------
    DifferentiationError
        If nothing was recorded, or this Tensor is not a scalar and no seed is given, or the seed has
        another shape.

    Examples
    --------
    >>> import autograd_np as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> (x * x).backward()
    >>> x.grad
    array(6.)
    """
    node = self._node
    if node is None or not node.needs:
        raise errors.DifferentiationError(
            f"backward() on a Tensor{self._called()} that has no graph: nothing it was computed from requires a gradient. "
            f"Make a leaf with Tensor(x, requires_grad=True), and check for no_grad() and detach()"
        )
    data = self.data
    if seed is None:
        if data.size != 1:
            raise errors.DifferentiationError(
                f"backward() without a seed needs a scalar, got shape {self.shape}; "
                f"reduce it (np.sum, np.mean) or pass backward(seed) of that shape"
            )
        seed = one_like(data)
    else:
        seed = seed_for(seed, data, "backward(seed)")
    for found, g in gradients({node: seed}).items():
        found.grad = g if found.grad is None else found.grad + g


Tensor.backward = backward  # type: ignore[method-assign]


def one_like(out: Array) -> Array:
    """Return the cotangent of a scalar result: ones of its dtype and shape."""
    return np.ones_like(out) if out.ndim else cast("Array", out.dtype.type(1))


def seed_for(seed: Any, out: Array, where: str) -> Array:
    """Check a cotangent against the result it belongs to, and cast it to that dtype."""
    seed = seed if hasattr(seed, "__array_function__") else np.asarray(seed)
    if seed.shape != out.shape:
        raise errors.DifferentiationError(f"{where} got a cotangent of shape {seed.shape}, expected the shape of the result, {out.shape}")
    if seed.dtype.kind == "c":
        raise errors.DifferentiationError(f"{where} got a complex cotangent; complex gradients are not supported")
    return seed if seed.dtype == out.dtype else seed.astype(out.dtype)


# --- forward mode ---------------------------------------------------------------------------------


def pushforward(tangents: dict[Node, Array], roots: list[Node]) -> dict[Node, Array]:
    """Push tangents of leaves forward to `roots`; a root missing from the answer has a zero tangent."""
    moved = dict(tangents)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        for node in reversed(topological(roots)):
            if node.op is None or not node.needs:
                continue
            incoming = tuple(moved.get(p) if p is not None else None for p in node.parents[: len(node.values)])
            if any(t is not None for t in incoming):
                tangent = _push(node.op, incoming, node)
                if tangent is not None:
                    moved[node] = tangent if tangent.dtype == node.out.dtype else _cast(tangent, node.out.dtype, node.op)
    return {root: moved[root] for root in roots if root in moved}


def _push(op: Op, tangents: tuple[Array | None, ...], node: Node) -> Array | None:
    out, values, attrs = node.out, node.values, node.attrs
    if op.kind == "elementwise":
        terms = []
        for t, partial in zip(tangents, op.rules, strict=True):
            if t is not None and partial.__class__ is int and partial:
                terms.append(t if partial == 1 else -t)
            elif t is not None and partial.__class__ is not int:
                terms.append(absorb_either(t, partial(out, *values)))
        return _total(terms, out)
    if op.jvp is not None:
        return cast("Array", op.jvp(tangents, out, *values, **attrs))
    if op.kind == "linear" and op.variadic:
        filled = [np.zeros_like(v) if t is None else t for t, v in zip(tangents, values, strict=True)]
        return cast("Array", op.fn(filled, **attrs))
    if op.kind in ("linear", "multilinear"):
        terms = [op.fn(*values[:i], t, *values[i + 1 :], **attrs) for i, t in enumerate(tangents) if t is not None]
        return _total(terms, out)
    return _transposed_vjp(op, tangents, node)


def _total(terms: list[Array], out: Array) -> Array | None:
    if not terms:
        return None
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total if total.shape == out.shape else np.broadcast_to(total, out.shape)


def _transposed_vjp(op: Op, tangents: tuple[Array | None, ...], node: Node) -> Array | None:
    """Tangent of a row that gives only its vjp: the vjp is linear in `g`, and the jvp is its transpose."""
    level = Level()
    g = leaf(np.zeros_like(node.out), level)
    pulled = dict(_pull(op, cast("Array", g), node))
    cotangents: dict[Node, Array] = {}
    for i, gi in pulled.items():
        t = tangents[i]
        if t is not None and isinstance(gi, Tensor) and gi._node is not None and gi._node.level is level:
            cotangents[gi._node] = cotangents[gi._node] + t if gi._node in cotangents else t
    level.close()
    if not cotangents or g._node is None:
        return None
    return gradients(cotangents).get(g._node)
