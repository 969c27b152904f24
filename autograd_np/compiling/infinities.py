"""Where a zero may meet an infinity: programs whose NaN need not be one, which the engine computes again, more carefully."""

from __future__ import annotations

import numpy as np

from autograd_np.compiling.lowering import is_elementwise
from autograd_np.compiling.program import REDUCTIONS, Program, Value
from autograd_np.ops.indexing import getitem
from autograd_np.ops.shaping import reshape, spread

__all__ = ["may_meet"]

FINITE = {
    *(np.add, np.subtract, np.multiply, np.negative, np.positive, np.exp, np.tanh, np.sin, np.cos, np.absolute, np.arctan, np.sign),
    *(np.maximum, np.minimum, np.greater, np.less, np.greater_equal, np.less_equal, np.equal, np.not_equal, np.logical_not, np.square),
    *(np.dot, np.matmul, np.transpose, np.expand_dims, np.squeeze, np.swapaxes, np.broadcast_to, np.cosh, np.sinh, np.expm1),
    *REDUCTIONS.values(),
}
"""What makes no infinity of finite numbers, short of an overflow."""
ALIKE = (getitem, reshape, spread)


def may_meet(program: Program) -> bool:
    """Whether something may be infinite where what it is multiplied by is left out, as in ``np.where(x > 0, np.log(x), 0)``."""
    return any(v.kind == "call" and not _is_finite(v) for v in program.values())


def _is_finite(v: Value) -> bool:
    if v.fn in FINITE or v.is_call(*ALIKE):
        return True
    if v.is_call(np.divide):
        below = v.args[1]
        return below.number not in (None, 0) or _is_positive(below)
    if v.is_call(np.reciprocal, np.log, np.log1p, np.sqrt) and is_elementwise(v):
        return _is_positive(v.args[0]) or (v.is_call(np.log1p) and v.args[0].is_call(np.exp))
    return False


def _is_positive(v: Value) -> bool:
    """Whether a value is larger than zero: one plus an exponential, or a sum of them over what has its largest at one."""
    if v.is_call(np.add):
        return any((a.number or 0) > 0 for a in v.args) and any(a.is_call(np.exp, np.multiply, np.absolute) for a in v.args)
    return v.fn in REDUCTIONS.values() and v.args[0].is_call(np.exp)
