"""Where a zero may meet an infinity: programs whose NaN need not be one, which the engine computes again, more carefully."""

from __future__ import annotations

import numpy as np

from autograd_np.compiling.lowering import is_elementwise
from autograd_np.compiling.program import HIGHEST, REDUCTIONS, Program, Value
from autograd_np.ops.indexing import getitem
from autograd_np.ops.shaping import reshape, spread

__all__ = ["may_meet", "may_raise", "shifts"]

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
    signs = _Signs()
    for v in program.values():
        signs.look(v)
        if v.kind == "call" and not _is_finite(v, signs.positive):
            return True
    return False


def may_raise(program: Program) -> bool:
    """Whether NumPy may raise where something is computed, of a matrix that has no inverse or no factors."""
    return any(v.kind == "call" and getattr(v.fn, "__module__", None) == np.linalg.__name__ for v in program.values())


def shifts(program: Program) -> bool:
    """Whether the largest is taken from each, as softmax does: of two infinities that is a NaN which the function may not have."""
    return any(v.is_call(np.subtract) and _largest(v.args[1]) is not None for v in program.values())


def _largest(v: Value) -> Value | None:
    """Return what is the largest of others here, or that in bounds."""
    while v.is_call(np.maximum, np.minimum) and v.args[1].number is not None:
        v = v.args[0]
    return v if v.is_call(HIGHEST) else None


def _is_finite(v: Value, positive: set[Value]) -> bool:
    if v.fn in FINITE or v.is_call(*ALIKE):
        return True
    if v.is_call(np.divide):
        below = v.args[1]
        return below.number not in (None, 0) or below in positive
    if v.is_call(np.reciprocal, np.log, np.log1p, np.sqrt) and is_elementwise(v):
        return v.args[0] in positive or (v.is_call(np.log1p) and v.args[0].is_call(np.exp))
    return False


class _Signs:
    """Which values are larger than zero, and which not smaller; they are looked at in their order."""

    def __init__(self) -> None:
        self.positive: set[Value] = set()
        self.not_negative: set[Value] = set()

    def look(self, v: Value) -> None:
        """Find out about a value of whose arguments that is known."""
        if v.kind == "constant" and v.dtype.kind in "biuf":
            least = np.min(np.asarray(v.const, float), initial=np.inf)
            positive, not_negative = bool(least > 0), bool(least >= 0)
        elif v.kind == "call":
            positive = self._is_positive(v)
            not_negative = positive or self._is_not_negative(v)
        else:
            return
        if positive:
            self.positive.add(v)
        if not_negative:
            self.not_negative.add(v)

    def _is_positive(self, v: Value) -> bool:
        """Whether it is one plus a square or an exponential, or a sum of such, or of exponentials of what has its largest at zero."""
        if v.is_call(np.add):
            return any(a in self.positive for a in v.args) and all(a in self.not_negative for a in v.args)
        if v.is_call(np.sqrt, np.expand_dims, np.squeeze, np.transpose, *ALIKE):
            return v.args[0] in self.positive
        if v.fn in REDUCTIONS.values():
            x = v.args[0]
            return bool(x.size) and (x in self.positive or (x.is_call(np.exp) and _has_a_zero(x.args[0], v)))
        return False

    def _is_not_negative(self, v: Value) -> bool:
        if v.is_call(np.exp, np.absolute, np.square, np.sqrt) or (v.is_call(np.multiply) and v.args[0] is v.args[1]):
            return True
        passed = v.is_call(np.add, np.multiply, np.expand_dims, np.squeeze, np.transpose, *ALIKE) or v.fn in REDUCTIONS.values()
        return passed and all(a in self.not_negative for a in v.args)


def _has_a_zero(x: Value, reduced: Value) -> bool:
    """Whether values have a zero among those that are reduced: what has its largest taken away."""
    if not x.is_call(np.subtract):
        return False
    largest = _largest(x.args[1])
    return largest is not None and largest.args[0] is x.args[0] and largest.attrs.get("axis") == reduced.attrs.get("axis")
