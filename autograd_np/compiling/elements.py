"""One element of a loop as text: numbers, and ufuncs of operands in the dtype that NumPy computes in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["NAMES", "TYPES", "call_of", "literal"]

INFIX = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.less: "<", np.less_equal: "<=", np.greater: ">",
    np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=", np.logical_and: "&", np.logical_or: "|", np.logical_xor: "!=",
}  # fmt: skip
WRITTEN = {
    np.negative: "-{}", np.positive: "{}", np.reciprocal: "{one} / {}", np.square: "{0} * {0}", np.logical_not: "not {}",
    np.absolute: "abs({})", np.fabs: "abs({})", np.isnan: "{0} != {0}",
}  # fmt: skip
OURS = {np.exp: "exp", np.expm1: "expm1", np.log: "log", np.log1p: "log1p", np.tanh: "tanh", np.logaddexp: "logaddexp"}
"""Functions of `fast_math` that compute in float64."""
OF_BOTH = {np.maximum: "maximum", np.minimum: "minimum"}
TYPES = {"d": "f8", "f": "f4", "?": "b1"}
NAMES = {"d": "float64", "f": "float32", "?": "boolean", "b": "int8", "h": "int16", "i": "int32", "l": "int64", "q": "int64", "B": "uint8"}
NAMES |= {"H": "uint16", "I": "uint32", "L": "uint64", "Q": "uint64"}


def literal(x: Any) -> str:
    """Return a number of Python's."""
    if isinstance(x, float) and not math.isfinite(x):
        return "nan" if x != x else "inf" if x > 0 else "(-inf)"
    return f"({x!r})" if x < 0 else repr(x)


def call_of(fn: Any, args: list[str], char: str) -> str:
    """Return a ufunc of operands that have the dtype it computes in."""
    kind = TYPES[char]
    if fn in INFIX:
        return f"{args[0]} {INFIX[fn]} {args[1]}"
    if fn in WRITTEN:
        return WRITTEN[fn].format(*args, one=f"{kind}(1.0)")
    if fn in OURS:
        return f"{kind}({OURS[fn]}({', '.join(f'f8({a})' for a in args)}))"
    if fn in OF_BOTH:
        return f"{kind}({OF_BOTH[fn]}({', '.join(args)}))"
    if fn in (np.power, np.float_power):
        return f"{kind}({args[0]} ** {args[1]})"
    return f"{kind}(np.{fn.__name__}({', '.join(args)}))"
