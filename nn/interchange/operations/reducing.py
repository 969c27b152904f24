"""Sums, means and their relatives, along axes; products of matrices."""

from __future__ import annotations

import string

import numpy as np

from nn.errors import ExportError
from nn.interchange.following import Size, product
from nn.interchange.operations.table import axes_of, exports
from nn.interchange.recording import Step
from nn.interchange.writer import Writer

__all__: list[str] = []

REDUCING = {
    "sum": "ReduceSum",
    "mean": "ReduceMean",
    "prod": "ReduceProd",
    "max": "ReduceMax",
    "min": "ReduceMin",
    "logsumexp": "ReduceLogSumExp",
}


def _reduced(w: Writer, kind: str, x: str, axes: list[int], keepdims: bool) -> str:
    return w.add(kind, x, w.ints(axes), keepdims=int(keepdims)) if axes else w.add("Identity", x)


@exports(*REDUCING)
def _reduce(w: Writer, step: Step) -> str:
    axis, keepdims, _ = step.options(axis=None, keepdims=False, dtype=None)
    (x,) = step.operands
    return _reduced(w, REDUCING[step.kind], w.operand(x, step.dtype), axes_of(axis, x.ndim), keepdims)


@exports("all", "any")
def _whether(w: Writer, step: Step) -> str:
    axis, keepdims = step.options(axis=None, keepdims=False)
    (x,) = step.operands
    number = w.cast(w.operand(x, np.bool_), np.int32)
    return w.cast(_reduced(w, "ReduceMin" if step.kind == "all" else "ReduceMax", number, axes_of(axis, x.ndim), keepdims), np.bool_)


@exports("var", "std")
def _var(w: Writer, step: Step) -> str:
    axis, keepdims, ddof, correction, _ = step.options(axis=None, keepdims=False, ddof=0, correction=0, dtype=None)
    (x,) = step.operands
    axes, name, less = axes_of(axis, x.ndim), w.operand(x, step.dtype), ddof or correction
    off = w.add("Sub", name, _reduced(w, "ReduceMean", name, axes, True))
    squares = w.add("Mul", off, off)
    if less:
        count = product([x.shape[i] for i in axes])
        count = Size(count.each, count.more - less) if isinstance(count, Size) else count - less
        found = w.add("Div", _reduced(w, "ReduceSum", squares, axes, keepdims), w.operand(count, step.dtype))
    else:
        found = _reduced(w, "ReduceMean", squares, axes, keepdims)
    return found if step.kind == "var" else w.add("Sqrt", found)


@exports("argmax", "argmin")
def _place(w: Writer, step: Step) -> str:
    axis, keepdims = step.options(axis=None, keepdims=False)
    (x,) = step.operands
    name = w.operand(x)
    if axis is None:
        if keepdims:
            raise ExportError("keepdims=True without an axis is not covered")
        name, axis = w.reshape(name, [-1]), 0
    return w.add("ArgMax" if step.kind == "argmax" else "ArgMin", name, axis=int(axis), keepdims=int(keepdims))


@exports("softmax", "log_softmax")
def _softmax(w: Writer, step: Step) -> str:
    (axis,) = step.options(axis=-1)
    if not isinstance(axis, int):
        raise ExportError(f"axis={axis!r} is not covered; one axis is")
    return w.add("Softmax" if step.kind == "softmax" else "LogSoftmax", w.operand(step.operands[0], step.dtype), axis=axis)


@exports("cumsum")
def _cumsum(w: Writer, step: Step) -> str:
    axis, _ = step.options(axis=None, dtype=None)
    (x,) = step.operands
    name = w.operand(x, step.dtype)
    return w.add("CumSum", name if axis is not None else w.reshape(name, [-1]), w.number(axis or 0))


@exports("norm", "vector_norm")
def _norm(w: Writer, step: Step) -> str:
    axis, keepdims, order = step.options(axis=None, keepdims=False, ord=None)
    (x,) = step.operands
    matrix = step.kind == "norm" and (isinstance(axis, tuple) or (axis is None and x.ndim == 2))
    if order not in (None, 1, 2) or (order is not None and matrix):
        raise ExportError(f"ord={order!r} is not covered; the norms 1 and 2 of vectors are")
    return _reduced(w, "ReduceL1" if order == 1 else "ReduceL2", w.operand(x, step.dtype), axes_of(axis, x.ndim), keepdims)


# --- products -------------------------------------------------------------------------------------


@exports("matmul", "dot")
def _matmul(w: Writer, step: Step) -> str:
    step.options()
    if step.kind == "dot" and any(x.ndim not in (1, 2) for x in step.operands):
        raise ExportError("np.dot is covered for vectors and matrices; write a @ b or np.einsum for more axes")
    return w.add("MatMul", *(w.operand(x, step.dtype) for x in step.operands))


@exports("einsum")
def _einsum(w: Writer, step: Step) -> str:
    subscripts, _ = step.options(subscripts=None, optimize=None)
    if not isinstance(subscripts, str):
        raise ExportError("np.einsum is covered with its subscripts as a text")
    return w.add("Einsum", *(w.operand(x, step.dtype) for x in step.operands), equation=subscripts)


@exports("vecdot")
def _vecdot(w: Writer, step: Step) -> str:
    (axis,) = step.options(axis=-1)
    return _reduced(w, "ReduceSum", w.add("Mul", *(w.operand(x, step.dtype) for x in step.operands)), [axis], False)


@exports("tensordot", "inner")
def _tensordot(w: Writer, step: Step) -> str:
    (axes,) = step.options(axes=2 if step.kind == "tensordot" else ([-1], [-1]))
    a, b = step.operands
    if isinstance(axes, int):
        axes = (list(range(a.ndim - axes, a.ndim)), list(range(axes)))
    of_a, of_b = (axes_of(axis, x.ndim) for axis, x in zip(axes, (a, b), strict=True))
    letters = iter(string.ascii_letters)
    first = [next(letters) for _ in range(a.ndim)]
    second = [first[of_a[of_b.index(i)]] if i in of_b else next(letters) for i in range(b.ndim)]
    rest = [c for i, c in enumerate(first) if i not in of_a] + [c for i, c in enumerate(second) if i not in of_b]
    equation = f"{''.join(first)},{''.join(second)}->{''.join(rest)}"
    return w.add("Einsum", w.operand(a, step.dtype), w.operand(b, step.dtype), equation=equation)
