"""Products of matrices and vectors, and transposes; vectors are columns."""

from __future__ import annotations

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import ONE, TRANSPOSED, At, Equations, bracketed, fenced, is_one
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.sizes import Leveled
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT

__all__ = ["FAMILIES", "transposed"]

MATRICES = (np.matmul, np.dot, np.matvec, np.vecmat) if hasattr(np, "matvec") else (np.matmul, np.dot)


def transposed(w: Equations, e: Expression) -> Leveled:
    """Return the transpose of a matrix."""
    if e not in w.names and e.is_call(np.transpose) and not e.attribute("axes"):
        return w.leveled(e.args[0])
    shaped, w.shaped = w.shaped, w.shaped and e not in w.names
    node, binds = w.leveled(e)
    w.shaped = shaped
    if binds < ATOM or (isinstance(node, n.Script) and node.sup is not None):
        node = fenced(node)
    raised_node = n.Script(node.base, node.sub, TRANSPOSED) if isinstance(node, n.Script) else n.Script(node, None, TRANSPOSED)
    if w.shaped and e in w.names and e.ndim > 1:
        turned = e.sheet.call(np.transpose, e) if e.ndim == 2 else e.sheet.call(np.swapaxes, e, axis1=-1, axis2=-2)
        return n.Under(raised_node, w.sizes.shape(turned)), POWER
    return raised_node, POWER


def _matmul(w: Equations, e: Expression, at: At) -> Leveled | None:
    if not e.is_call(*MATRICES) or (not e.is_call(np.matmul) and max(a.ndim for a in e.args) > 2):
        return None
    if e.op is not None and e.op.name in ("matvec", "vecmat") and e.args[e.op.name == "matvec"].ndim != 1:
        return None
    a, b = e.args
    if not (a.ndim and b.ndim):
        return w.leveled(e.sheet.call(np.multiply, a, b), at)
    return _matrix_product(w, e, at)


def _matrix_product(w: Equations, e: Expression, at: At) -> Leveled:
    a, b = e.args
    if at is not None:
        return _element(w, e, at)
    if a.ndim == 1 and b.ndim == 2:
        first, second = transposed(w, b), w.leveled(a)
    elif a.ndim == 1:
        first, second = transposed(w, a), w.leveled(b)
    else:
        first, second = w.leveled(a), w.leveled(b)
    left, right = (x[0] if _is_chain(w, y) else bracketed(*x, POWER) for x, y in ((first, a), (second, b)))
    return n.row(left, right), PRODUCT


def _is_chain(w: Equations, e: Expression) -> bool:
    """Whether an operand is a product of matrices itself, which needs no brackets beside another."""
    return e not in w.names and e.ndim == 2 and e.is_call(*MATRICES) and all(a.ndim == 2 for a in e.args)


def _element(w: Equations, e: Expression, at: tuple[Node, ...]) -> Leveled:
    a, b = e.args
    before = len(w._used)
    w._used += at
    [k] = w.fresh(1)
    w._used.append(k)
    inner = a.ndim - 1
    one = is_one(a, inner)
    index = ONE if one else k
    rows, columns = (at[:-1] if b.ndim > 1 else at), (at[:-2] if a.ndim > 1 else at[:-1])
    at_a = (*rows[len(rows) - (a.ndim - 1) :], index) if a.ndim > 1 else (index,)
    at_b = (*columns[len(columns) - (b.ndim - 2) :], index, at[-1]) if b.ndim > 1 else (index,)
    left, right = w.within(a, POWER, at_a), w.within(b, FUNCTION, at_b)
    del w._used[before:]
    body = n.row(left, right)
    if one:
        return body, PRODUCT
    last = w.sizes.size(tuple(s[inner] for s in a.shapes))
    return n.row(n.Big(n.Sign("∑"), n.row(k, n.Sign("=", "relation"), ONE), last), body), FUNCTION


def _outer(w: Equations, e: Expression, at: At) -> Leveled | None:
    if e.is_call(np.outer):
        a, b = e.args
    elif e.is_call(np.multiply) and e.args[0].is_call(np.expand_dims) and e.args[0].args[0].ndim == e.args[1].ndim == 1:
        if e.args[0].attribute("axis") not in (-1, 1) or e.args[0] in w.names:
            return None
        a, b = e.args[0].args[0], e.args[1]
    else:
        return None
    if at is not None:
        return n.row(w.within(a, POWER, at[:1]), w.within(b, POWER, at[1:])), PRODUCT
    return n.row(w.within(a, POWER), bracketed(*transposed(w, b), POWER)), PRODUCT


def _transpose(w: Equations, e: Expression, at: At) -> Leveled | None:
    if not e.is_call(np.transpose, np.swapaxes):
        return None
    axes = e.attribute("axes")
    ndim = e.ndim
    if e.is_call(np.swapaxes):
        one, two = e.attribute("axis1") % ndim, e.attribute("axis2") % ndim
        order = [two if i == one else one if i == two else i for i in range(ndim)]
    else:
        order = [x % ndim for x in axes] if axes else list(range(ndim))[::-1]
    if at is not None:
        return w.leveled(e.args[0], tuple(at[order.index(i)] for i in range(ndim)))
    if ndim >= 2 and order == [*range(ndim - 2), ndim - 1, ndim - 2]:
        return transposed(w, e.args[0])
    return w.leveled(e.args[0]) if order == list(range(ndim)) else None


FAMILIES = (_outer, _matmul, _transpose)
