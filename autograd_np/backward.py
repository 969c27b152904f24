"""Differentiation of what was recorded, in both modes, and `Tensor.backward`.

The plain sweep is tried first; only where it met 0 * inf, or cannot tell, the careful one is run. Of lazy arrays it is known once
the gradients are computed, which those of NumPy's arrays are here, in one go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np

from autograd_np import errors, support
from autograd_np.anomaly import check_kept
from autograd_np.calls import refuse_other_meanings
from autograd_np.elsewhere import computed, has_unknown_length, is_lazy
from autograd_np.modes import anomaly_mode, lazy_mode
from autograd_np.node import Node
from autograd_np.op import bare, beside, is_numpys, value_of
from autograd_np.ops import conj
from autograd_np.results import Results
from autograd_np.sweeps import is_nan, pull, pushed_forward, sweep, topological, without_invalid
from autograd_np.tensor import Tensor, refuse_mixed_devices
from autograd_np.typing import Array

__all__ = ["backward", "gradients", "one_like", "pushforward", "seed_for"]


def gradients(
    cotangents: dict[Node, Array],
    seen: dict[Node, Array] | None = None,
    *,
    values: dict[Node, Array] | None = None,
    stay_lazy: bool = False,
) -> dict[Node, Array]:
    """Pull gradients by results back to the leaves.

    This is the door of the sweeps. Inside, a cotangent g and a tangent t are paired as Re Σ g t, so that the rule of a holomorphic
    function is that of the real one, and no rule need conjugate; a user's gradient, ∂L/∂x + i ∂L/∂y, is the conjugate of that.

    Parameters
    ----------
    cotangents : dict
        For each result Node, the gradient by it: an array of its shape and dtype.
    seen : dict, optional
        Filled with the complete gradient by every Node on the way. Nothing lazy is computed then.
    values : dict, optional
        Has the values of results; those that are lazy are computed together with the gradients, if these are.
    stay_lazy : bool
        Compute nothing, as inside `lazy`.

    Returns
    -------
    dict
        For each leaf that needs one, its gradient. The arrays share no memory with anything recorded.

    Notes
    -----
    A structural zero (see `support`) that meets an infinite partial derivative (``log`` at 0 behind a ``where``)
    contributes zero; a zero that is merely a value contributes NaN. Telling them apart costs a second look at
    every row, so that is done only when the processor flagged an invalid operation (0 * inf) in the plain sweep,
    when a row that selects was passed and a gradient came out as NaN (0 * NaN flags nothing), when anomalies are
    looked for, or when the arrays are lazy and cannot tell.

    Where leaves are NumPy's arrays and what was computed from them is lazy, their gradients and `values` are computed in one go, so
    that what they share, the data, is read once. A NaN among them, which no lazy array can tell before, is the reason for a second look.
    """
    for node, g in cotangents.items():
        if g.dtype.kind == "c":
            cotangents = {**cotangents, node: conj(g)}
    found = _swept(cotangents, seen, values, stay_lazy)
    for node, g in found.items():
        if g.dtype.kind == "c":
            found[node] = np.conjugate(g, out=g) if isinstance(g, np.ndarray) else conj(g)  # nobody else has it
    if seen:
        seen.update({node: conj(g) for node, g in seen.items() if g.dtype.kind == "c"})
    return found


def _swept(
    cotangents: dict[Node, Array], seen: dict[Node, Array] | None, values: dict[Node, Array] | None, stay_lazy: bool
) -> dict[Node, Array]:
    if anomaly_mode():
        _check_kept(cotangents)
    elif _for_other_numbers(cotangents):
        with np.errstate(all="ignore"):
            return sweep(cotangents, seen)
    elif all(support.is_eager(bare(node.out)) for node in cotangents):
        found, ok = without_invalid(sweep, cotangents, seen)
        if ok:
            return found
    elif not any(is_lazy(value_of(node.out)) for node in cotangents):  # on a device, where no processor tells of 0 * inf
        with np.errstate(all="ignore"):
            found = sweep(cotangents, seen)
        if not any(map(is_nan, found.values())):
            return found
    if any(is_lazy(node.out) for node in cotangents):
        return _of_lazy(cotangents, seen, values, stay_lazy)
    with np.errstate(all="ignore"):
        return support.careful_sweep(cotangents, seen)


def _for_other_numbers(nodes: Iterable[Node]) -> bool:
    """Whether what is recorded here will be computed of other numbers (`compile`): then these must not decide which way is taken."""
    return any(node.level.rewrites is not None for node in nodes)


def _of_lazy(
    cotangents: dict[Node, Array], seen: dict[Node, Array] | None, values: dict[Node, Array] | None, stay_lazy: bool
) -> dict[Node, Array]:
    """Pull cotangents back from lazy results, and compute what comes back for NumPy's own arrays."""
    leaves = []
    for node in topological(cotangents):
        if node.out.__class__ is not Results and has_unknown_length(node.out):
            raise errors.DifferentiationError(
                f"{node.op.name if node.op else 'a leaf'} was recorded on a lazy array of unknown length, {np.shape(node.out)}, which no "
                f"gradient can be fitted to; call x.compute_chunk_sizes() first, or dataframe.to_dask_array(lengths=True)"
            )
        if node.op is None and node.needs:
            leaves.append(node)
    computes = not (stay_lazy or seen is not None or lazy_mode())
    if computes and not anomaly_mode() and all(is_numpys(leaf.out) for leaf in leaves):
        with np.errstate(all="ignore"):
            found = _computed(sweep(cotangents), values)
        if not any(map(is_nan, found.values())):
            return found
    with np.errstate(all="ignore"):
        found = support.careful_sweep(cotangents, seen)
    return _computed(found, values) if computes else found


def _computed(found: dict[Node, Array], values: dict[Node, Array] | None) -> dict[Node, Array]:
    """Compute the lazy gradients of NumPy's arrays, and with them the results that `values` has."""
    mine = [node for node, g in found.items() if is_numpys(node.out) and is_lazy(g)]
    if not mine:
        return found
    asked = [node for node, value in (values or {}).items() if is_lazy(value)]
    done = computed([found[node] for node in mine] + [cast("dict[Node, Array]", values)[node] for node in asked])
    for node, g in zip(mine, done, strict=False):
        found[node] = np.array(g) if is_numpys(g) else g  # a scheduler may keep what it computed, and write-protect it
    for node, value in zip(asked, done[len(mine) :], strict=True):
        cast("dict[Node, Array]", values)[node] = value
    return found


def pushforward(tangents: dict[Node, Array], roots: list[Node]) -> dict[Node, Array]:
    """Push tangents of leaves forward to `roots`; a root missing from the answer has a zero tangent."""
    if anomaly_mode():
        _check_kept(roots)
    order = topological(roots)[::-1]
    if not anomaly_mode() and _for_other_numbers(roots):
        with np.errstate(all="ignore"):
            moved = pushed_forward(tangents, order)
        return {root: moved[root] for root in roots if root in moved}
    if all(support.is_eager(bare(node.out)) for node in roots):
        moved, ok = without_invalid(pushed_forward, tangents, order)
        if ok and not any(root in moved and is_nan(moved[root]) for root in roots):
            return {root: moved[root] for root in roots if root in moved}
    elif not anomaly_mode() and not any(is_lazy(value_of(node.out)) for node in roots):
        with np.errstate(all="ignore"):
            moved = pushed_forward(tangents, order)
        if not any(root in moved and is_nan(moved[root]) for root in roots):
            return {root: moved[root] for root in roots if root in moved}
    with np.errstate(all="ignore"):
        moved = support.carefully_pushed(tangents, order)
    return {root: moved[root] for root in roots if root in moved}


def _check_kept(roots: Iterable[Node]) -> None:
    """Raise if what the rows are about to read is not what was recorded."""
    rng = np.random.default_rng(0)

    def derivatives(node: Node) -> list[Any]:
        assert node.op is not None
        needed = [p is not None and p.needs for p in node.parents]
        if node.op.kind == "elementwise":
            partials = [p if p.__class__ is int else p(node.out, *node.values) for p, i in zip(node.op.rules, needed, strict=False) if i]
            return partials
        return [gi for _, gi in pull(node.op, g, node)]

    def draw(out: Array) -> Array:
        return out.map(draw) if out.__class__ is Results else rng.standard_normal(out.shape).astype(out.dtype)

    with np.errstate(all="ignore"):
        for node in topological(roots):
            if node.op is not None and node.needs:
                g = draw(node.out)
                check_kept(node, derivatives)


def backward(self: Tensor, seed: Any = None) -> None:
    """Add the gradient of this Tensor to the `.grad` of every leaf it depends on.

    A loss of lazy data, and the gradients of leaves that are NumPy's arrays, are computed in one go; see `autograd_np.lazy`.

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
        if data.dtype.kind == "c":
            raise errors.DifferentiationError(
                f"backward() without a seed needs a real loss, got {data.dtype}; take np.real(loss), np.imag(loss) or np.abs(loss), "
                f"or pass backward(seed)"
            )
        if data.size != 1:
            raise errors.DifferentiationError(
                f"backward() without a seed needs a scalar, got shape {self.shape}; "
                f"reduce it (np.sum, np.mean) or pass backward(seed) of that shape"
            )
        seed = one_like(data)
    else:
        seed = seed_for(seed, data, "backward(seed)")
    values = {node: data} if is_lazy(data) and data.size == 1 else None
    for found, g in gradients({node: seed}, values=values).items():
        found.grad = g if found.grad is None else found.grad + g
    if values and self._storage is None:
        self.data = values[node]  # the loss is known now, and need not be computed once more


Tensor.backward = backward  # type: ignore[method-assign]


_NUMPYS = (np.ndarray, np.generic)


def one_like(out: Array) -> Array:
    """Return the cotangent of a scalar result: ones of its dtype and shape, which are known of lazy arrays too."""
    value = out if isinstance(out, _NUMPYS) else value_of(out)
    if isinstance(value, _NUMPYS) or is_lazy(value):
        return np.ones(out.shape, out.dtype) if out.ndim else cast("Array", out.dtype.type(1))
    return np.ones_like(out)


def seed_for(seed: Any, out: Array, where: str) -> Array:
    """Check a cotangent against the result it belongs to, and cast it to that dtype."""
    if seed.__class__ is Tensor and seed._node is None and seed._storage is None:
        seed = seed.data  # a constant, as for the variables
    seed = refuse_other_meanings(seed) if hasattr(seed, "__array_function__") else beside(np.asarray(seed), out)
    if not (isinstance(seed, _NUMPYS) and isinstance(out, _NUMPYS)):
        refuse_mixed_devices(where, (seed, out))
    if seed.shape != out.shape:
        raise errors.DifferentiationError(f"{where} got a cotangent of shape {seed.shape}, expected the shape of the result, {out.shape}")
    if seed.dtype.kind == "c" and out.dtype.kind != "c":
        raise errors.DifferentiationError(f"{where} got complex numbers ({seed.dtype}) for what is real, {out.dtype}; take np.real(...)")
    return seed if seed.dtype == out.dtype else seed.astype(out.dtype)
