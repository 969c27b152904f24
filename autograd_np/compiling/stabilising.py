"""Finding the forms that have a name while a function is recorded, so that it is their derivative that is taken.

``1 / (1 + np.exp(-z))`` becomes `sigmoid`, and its logarithm `log_sigmoid`, which stays finite. The rows are those of the derivations
(`derivations.simplifying.known`), and a few that only save work. They are matched against the Nodes an operand came from; what stands
on the right runs on Tensors, and is recorded in the place of what was found. What was recorded before is read by nobody any more.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from autograd_np.compiling.program import ARITHMETIC
from autograd_np.derivations.simplifying.known import FORWARD
from autograd_np.derivations.simplifying.patterns import Rewriting, match, unknown
from autograd_np.node import Node
from autograd_np.op import Op
from autograd_np.ops import special
from autograd_np.tensor import Tensor, handle, sign, value_of

__all__ = ["WeakFloat", "rewritten", "weakly"]

y: Any = unknown("y")
z: Any = unknown("z")
of_z, of_minus_z = special.log_sigmoid(z), special.log_sigmoid(-z)


def _cross_entropy(y: Any, z: Any) -> Any:
    return y * z - special.softplus(z)


class WeakFloat(float):
    """A number of Python's that is data: NumPy gives way to the dtype of what it meets, as to any float."""

    __slots__ = ()
    dtype = np.dtype(float)
    shape = ()
    ndim = 0
    size = 1
    nbytes = 8
    base = None
    T = property(lambda self: self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*map(_of_python, inputs), **kwargs)

    def __array_function__(self, func: Any, _types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return func(*map(_of_python, args), **{k: _of_python(v) for k, v in kwargs.items()})


def _of_python(x: Any) -> Any:
    """Return a number as Python's own, whose subclasses NumPy takes for arrays."""
    return type(x)(map(_of_python, x)) if type(x) in (list, tuple) else float(x) if type(x) is WeakFloat else x


# fmt: off
ROWS: list[Rewriting] = [
    *FORWARD,
    Rewriting("cross-entropy", y * of_z + (1 - y) * of_minus_z,    _cross_entropy),
    Rewriting("cross-entropy", (-y) * of_z - (1 - y) * of_minus_z, lambda y, z: -_cross_entropy(y, z)),
    Rewriting("cross-entropy", -(y * of_z) - (1 - y) * of_minus_z, lambda y, z: -_cross_entropy(y, z)),
]
# fmt: on

_BY_ROOT: dict[Op | None, list[Rewriting]] = defaultdict(list)
for _row in ROWS:
    _BY_ROOT[_row.pattern.op].append(_row)


def rewritten(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], data: Any) -> Tensor | None:
    """Return what a row makes of an operation that is about to be recorded, or ``None``."""
    weak = weakly(op, args, attrs, data)
    if weak is not None:
        return weak
    rows = _BY_ROOT.get(op)
    if rows is None or not hasattr(data, "dtype") or data.dtype.kind != "f":
        return None
    seen: dict[Any, _Seen] = {}
    try:
        return _replaced(_Seen(op, None, tuple(_seen(a, seen) for a in args), attrs), rows, data)
    finally:
        seen.clear()  # expressions know it, and would keep their arrays until the collector comes by


def _replaced(root: _Seen, rows: list[Rewriting], data: Any) -> Tensor | None:
    """Return what the first row that fits makes of an expression."""
    for row in rows:
        for found in match(row.pattern, root, {}):  # type: ignore[arg-type]
            if row.when is not None and not row.when(**found):
                continue
            new = row.replacement(**{k: v.operand if isinstance(v, _Seen) else v for k, v in found.items()})
            if isinstance(new, Tensor) and np.shape(value_of(new)) == np.shape(value_of(data)) and value_of(new).dtype == data.dtype:
                return new
    return None


def _is_weak(a: Any) -> bool:
    return type(a) in (int, float) or (isinstance(a, Tensor) and type(a.data) is WeakFloat)


def weakly(op: Op, args: tuple[Any, ...], attrs: dict[str, Any], data: Any) -> Tensor | None:
    """Record arithmetic on numbers of Python's, which gives one of Python's; return ``None`` for other operations."""
    if data.__class__ is not np.float64 or op.fn not in ARITHMETIC or not all(_is_weak(a) for a in args):
        return None
    nodes = tuple(a._node if isinstance(a, Tensor) else None for a in args)
    level = next(n.level for n in nodes if n is not None)
    number: Any = WeakFloat(data)
    node = Node(op, nodes, tuple(a.data if isinstance(a, Tensor) else a for a in args), attrs, number, True, level)
    sign(node)
    return handle(number, node)


class _Seen:
    """An operand as the patterns see an expression."""

    def __init__(self, op: Op | None, operand: Any, args: tuple[_Seen, ...], attrs: dict[str, Any]) -> None:
        self.op = op
        self.operand = operand
        self.args = args
        self.attrs = tuple(attrs.items())

    @property
    def number(self) -> Any:
        x = self.operand
        if isinstance(x, Tensor) or type(x) in (int, float, np.float64, np.float32):
            return None if isinstance(x, Tensor) else x
        return None

    @property
    def is_weak(self) -> bool:
        return type(value_of(self.operand)) in (int, float, complex, bool)

    @property
    def dtype(self) -> Any:
        return np.asarray(value_of(self.operand)).dtype

    @property
    def shape(self) -> Any:
        return np.shape(value_of(self.operand))

    @property
    def shapes(self) -> Any:
        return (self.shape,)

    @property
    def ndim(self) -> int:
        return len(self.shape)


def _seen(operand: Any, known: dict[Any, _Seen]) -> _Seen:
    """Return an operand as an expression that is looked into when it is matched."""
    node = operand._node if isinstance(operand, Tensor) else None
    key: Any = node if node is not None else id(operand)
    found = known.get(key)
    if found is None:
        found = known[key] = _Seen(None, operand, (), {}) if node is None or node.op is None else _Call(node, operand, known)
    return found


class _Call(_Seen):
    """What an operation computed; its operands are looked at if a pattern asks for them."""

    def __init__(self, node: Node, operand: Any, known: dict[Any, _Seen]) -> None:
        super().__init__(node.op, operand, (), node.attrs)
        del self.args
        self._node = node
        self._known = known

    def __getattr__(self, name: str) -> Any:
        if name != "args":
            raise AttributeError(name)
        node = self._node
        operands = [v if p is None else handle(v, p) for p, v in zip(node.parents, node.values, strict=False)]
        self.args = tuple(_seen(v, self._known) for v in operands)
        return self.args
