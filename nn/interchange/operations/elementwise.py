"""Functions of each element."""

from __future__ import annotations

import math

import numpy as np

from nn.errors import ExportError
from nn.interchange.operations.table import TABLE, Converter, exports
from nn.interchange.recording import Step
from nn.interchange.writer import Writer

__all__: list[str] = []

UNARY = {
    "absolute": "Abs", "arccos": "Acos", "arccosh": "Acosh", "arcsin": "Asin", "arcsinh": "Asinh", "arctan": "Atan", "arctanh": "Atanh",
    "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "exp": "Exp", "fabs": "Abs", "floor": "Floor", "log": "Log", "negative": "Neg",
    "reciprocal": "Reciprocal", "relu": "Relu", "rint": "Round", "sigmoid": "Sigmoid", "sign": "Sign", "sin": "Sin", "sinh": "Sinh",
    "softplus": "Softplus", "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh",
}  # fmt: skip
BINARY = {
    "add": "Add", "divide": "Div", "maximum": "Max", "minimum": "Min", "multiply": "Mul", "power": "Pow", "subtract": "Sub",
    "float_power": "Pow",
}  # fmt: skip
COMPARING = {"equal": "Equal", "greater": "Greater", "greater_equal": "GreaterOrEqual", "less": "Less", "less_equal": "LessOrEqual"}
LOGICAL = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
BITWISE = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}


def _by_arithmetic(operator: str) -> Converter:
    """Return what writes an operation in the dtype of its result; that of booleans is another operator."""

    def write(w: Writer, step: Step) -> str:
        step.options()
        kind = {"Add": "Or", "Mul": "And", "Max": "Or", "Min": "And"}.get(operator, operator) if step.dtype.kind == "b" else operator
        return w.add(kind, *(w.operand(x, step.dtype) for x in step.operands))

    return write


def _by_comparing(operator: str) -> Converter:
    def write(w: Writer, step: Step) -> str:
        step.options()
        dtype = np.result_type(*(getattr(x, "dtype", x) for x in step.operands))
        if dtype.kind == "b" and operator != "Equal":
            dtype = np.dtype(np.int32)
        return w.add(operator, *(w.operand(x, dtype) for x in step.operands))

    return write


def _by_logic(operator: str) -> Converter:
    def write(w: Writer, step: Step) -> str:
        step.options()
        return w.add(operator, *(w.operand(x, np.bool_) for x in step.operands))

    return write


for numpys, onnxs in {**UNARY, **BINARY}.items():
    TABLE[numpys] = _by_arithmetic(onnxs)
for numpys, onnxs in COMPARING.items():
    TABLE[numpys] = _by_comparing(onnxs)
for numpys, onnxs in LOGICAL.items():
    TABLE[numpys] = _by_logic(onnxs)


@exports(*BITWISE)
def _bitwise(w: Writer, step: Step) -> str:
    step.options()
    logical = BITWISE[step.kind]
    return w.add(logical if step.dtype.kind == "b" else f"Bitwise{logical}", *(w.operand(x, step.dtype) for x in step.operands))


@exports("invert")
def _invert(w: Writer, step: Step) -> str:
    return w.add("Not" if step.dtype.kind == "b" else "BitwiseNot", w.operand(step.operands[0]))


@exports("logical_not")
def _logical_not(w: Writer, step: Step) -> str:
    return w.add("Not", w.operand(step.operands[0], np.bool_))


@exports("not_equal")
def _not_equal(w: Writer, step: Step) -> str:
    return w.add("Not", _by_comparing("Equal")(w, step))


@exports("isnan", "isinf", "isfinite")
def _kind_of_number(w: Writer, step: Step) -> str:
    x = w.operand(step.operands[0], w.dtype(np.float64))
    if step.kind == "isfinite":
        return w.add("Not", w.add("Or", w.add("IsNaN", x), w.add("IsInf", x)))
    return w.add("IsNaN" if step.kind == "isnan" else "IsInf", x)


@exports("positive", "copy", "to_float", "to_other")
def _same(w: Writer, step: Step) -> str:
    name = w.operand(step.operands[0], step.dtype)
    return name if isinstance(step.operands[0], Step) else w.add("Identity", name)


def _x(w: Writer, step: Step) -> str:
    """Return the one operand, in the dtype of the result."""
    step.options()
    return w.operand(step.operands[0], step.dtype)


def _number(w: Writer, step: Step, value: float) -> str:
    return w.operand(value, step.dtype)


@exports("square")
def _square(w: Writer, step: Step) -> str:
    x = _x(w, step)
    return w.add("Mul", x, x)


@exports("expm1")
def _expm1(w: Writer, step: Step) -> str:
    """Write tanh(x / 2) (exp(x) + 1), in which nothing cancels near 0."""
    x = _x(w, step)
    return w.add("Mul", w.add("Tanh", w.add("Mul", x, _number(w, step, 0.5))), w.add("Add", w.add("Exp", x), _number(w, step, 1.0)))


@exports("log1p")
def _log1p(w: Writer, step: Step) -> str:
    """Write 2 artanh(x / (2 + x)) near 0, where log(1 + x) has lost x."""
    x, two = _x(w, step), _number(w, step, 2.0)
    near = w.add("Mul", two, w.add("Atanh", w.add("Div", x, w.add("Add", two, x))))
    far = w.add("Log", w.add("Add", _number(w, step, 1.0), x))
    return w.add("Where", w.add("Less", w.add("Abs", x), _number(w, step, 0.5)), near, far)


@exports("exp2")
def _exp2(w: Writer, step: Step) -> str:
    return w.add("Pow", _number(w, step, 2.0), _x(w, step))


@exports("log2", "log10")
def _log_of_base(w: Writer, step: Step) -> str:
    base = 2.0 if step.kind == "log2" else 10.0
    return w.add("Mul", w.add("Log", _x(w, step)), _number(w, step, 1 / math.log(base)))


@exports("log_sigmoid")
def _log_sigmoid(w: Writer, step: Step) -> str:
    return w.add("Neg", w.add("Softplus", w.add("Neg", _x(w, step))))


@exports("trunc", "fix")
def _trunc(w: Writer, step: Step) -> str:
    x = _x(w, step)
    return w.add("Mul", w.add("Sign", x), w.add("Floor", w.add("Abs", x)))


@exports("logaddexp")
def _logaddexp(w: Writer, step: Step) -> str:
    step.options()
    a, b = (w.operand(x, step.dtype) for x in step.operands)
    gap = w.add("Neg", w.add("Abs", w.add("Sub", a, b)))
    return w.add("Add", w.add("Max", a, b), w.add("Softplus", gap))


@exports("hypot")
def _hypot(w: Writer, step: Step) -> str:
    step.options()
    squares = [w.add("Mul", x, x) for x in (w.operand(x, step.dtype) for x in step.operands)]
    return w.add("Sqrt", w.add("Add", *squares))


@exports("floor_divide", "remainder")
def _by_floor(w: Writer, step: Step) -> str:
    step.options()
    a, b = (w.operand(x, step.dtype) for x in step.operands)
    if step.dtype.kind == "f":
        quotient = w.add("Floor", w.add("Div", a, b))
        return quotient if step.kind == "floor_divide" else w.add("Sub", a, w.add("Mul", quotient, b))
    rest = w.add("Mod", a, b)  # of integers it has the sign of the divisor, as in NumPy
    return rest if step.kind == "remainder" else w.add("Div", w.add("Sub", a, rest), b)


@exports("where")
def _where(w: Writer, step: Step) -> str:
    if len(step.operands) != 3:
        raise ExportError("np.where with a condition alone has a result of a size that nobody knows before")
    condition, a, b = step.operands
    return w.add("Where", w.operand(condition, np.bool_), w.operand(a, step.dtype), w.operand(b, step.dtype))


@exports("clip")
def _clip(w: Writer, step: Step) -> str:
    low, high = step.options(a_min=None, a_max=None)
    x, *bounds = step.operands
    low, high = (*bounds, low, high)[:2] if bounds else (low, high)
    name = w.operand(x, step.dtype)
    name = name if low is None else w.add("Max", name, w.operand(low, step.dtype))
    return name if high is None else w.add("Min", name, w.operand(high, step.dtype))


# --- nn's own -------------------------------------------------------------------------------------


def _with_setting(w: Writer, step: Step, operator: str) -> str:
    """Write an operator whose setting is a number."""
    x, alpha = step.operands
    if not isinstance(alpha, (int, float)):
        raise ExportError("its setting is an array; a number is covered")
    return w.add(operator, w.operand(x, step.dtype), alpha=float(alpha))


@exports("nn.elu")
def _elu(w: Writer, step: Step) -> str:
    return _with_setting(w, step, "Elu")


@exports("nn.celu")
def _celu(w: Writer, step: Step) -> str:
    return _with_setting(w, step, "Celu")


@exports("nn.leaky_relu")
def _leaky_relu(w: Writer, step: Step) -> str:
    x, slope = step.operands
    if isinstance(slope, (int, float)):
        return _with_setting(w, step, "LeakyRelu")
    return w.add("PRelu", w.operand(x, step.dtype), w.operand(slope, step.dtype))


@exports("nn.silu")
def _silu(w: Writer, step: Step) -> str:
    x = _x(w, step)
    return w.add("Mul", x, w.add("Sigmoid", x))


@exports("nn.mish")
def _mish(w: Writer, step: Step) -> str:
    x = _x(w, step)
    return w.add("Mul", x, w.add("Tanh", w.add("Softplus", x)))


@exports("nn.hardtanh")
def _hardtanh(w: Writer, step: Step) -> str:
    x, low, high = (w.operand(x, step.dtype) for x in step.operands)
    return w.add("Min", w.add("Max", x, low), high)


@exports("nn.normal_cdf")
def _normal_cdf(w: Writer, step: Step) -> str:
    scaled = w.add("Mul", _x(w, step), _number(w, step, math.sqrt(0.5)))
    return w.add("Mul", w.add("Add", w.add("Erf", scaled), _number(w, step, 1.0)), _number(w, step, 0.5))
