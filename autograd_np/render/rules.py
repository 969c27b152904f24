"""The local derivative of an operation as a line of Unicode: ∂A1/∂Z1 = A1 ⊙ (1 − A1), dW1 = G · Xᵀ.

Nothing is written down per operation: the rule of the row is NumPy, so it is run on Tensors that record it, and what they
recorded is printed. G is the gradient that arrives at the operation, ⊙ the product of elements, · the matrix product.
"""

from __future__ import annotations

import reprlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.indices import index_text
from autograd_np.node import Level, Node
from autograd_np.op import RESULT, STEP, Op
from autograd_np.results import Results
from autograd_np.sweeps import topological
from autograd_np.tensor import Tensor, leaf, value_of
from autograd_np.text import shorten

__all__ = ["Rules"]

LONGEST = 400
LONGEST_NAME = 24
G = "G"
Text = tuple[str, int]  # and how tightly it binds: a piece in parentheses binds tightest

SUM, MATRIX, PRODUCT, UNARY, POWER, ATOM = range(1, 7)
INFIX = {
    "add": ("+", SUM),
    "subtract": ("−", SUM),
    "divide": ("/", PRODUCT),
    "matmul": ("·", MATRIX),
    "greater": (">", 0),
    "greater_equal": ("≥", 0),
    "less": ("<", 0),
    "less_equal": ("≤", 0),
    "equal": ("=", 0),
    "not_equal": ("≠", 0),
    "bitwise_and": ("and", -1),
    "logical_and": ("and", -1),
    "bitwise_or": ("or", -1),
    "logical_or": ("or", -1),
}
SILENT = frozenset({"positive", "to_float", "to_other", "copy", "asarray"})
FUNCTIONS = {
    "absolute": "abs",
    "conjugate": "conj",
    "spread": "broadcast",
    "broadcast_to": "broadcast",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
}
COLUMN = "[…, None]"
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


class Rules:
    """The rules of a graph's operations; each kind of call is traced once.

    Parameters
    ----------
    label : callable, optional
        Returns what a Node, or the array or number of a constant operand, is called where the rules are read. Without it the result is y,
        and operands without a name have those of the operation's parameters.
    """

    def __init__(self, label: Callable[[Any], str] | None = None) -> None:
        self._traced: dict[Any, list[Any]] = {}
        self._label = label

    def lines(self, node: Node) -> tuple[str, ...]:
        """Return one line for each operand that a gradient flows to.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_np as ag
        >>> from autograd_np.render.rules import Rules
        >>> graph = ag.trace(lambda W, x: np.tanh(W @ x), np.ones((2, 3)), np.ones(3))
        >>> for node in graph.nodes[2:]:
        ...     print(*Rules().lines(node), sep="; ")
        dW = G[…, None] ⊙ x; dx = Wᵀ · G
        ∂y/∂x = 1 − y²
        """
        op = node.op
        if op is None or op.kind == "constant" or not op.rules or op is RESULT:
            return ()
        wanted = [i for i, p in enumerate(node.parents[: len(node.values)]) if p is not None and p.needs]
        if not wanted:
            return ()
        try:
            formulas = self._formulas(op, node, wanted)
        except Exception as error:  # noqa: BLE001 (a user's rule may fail in any way; the picture says so)
            return (f"rule of {op.name}: could not be shown ({type(error).__name__})",)
        y, operands = _names(node, op) if self._label is None else _labels(node, self._label)
        g = f"d{y}" if G in (y, *operands) else G
        told: dict[str, list[str]] = {}
        for i, formula in zip(wanted, formulas, strict=True):
            if formula is not None:
                left, right = _line(op, node, i, formula, y, operands, g)
                told.setdefault(left, []).append(right)
        return tuple(f"{left} = {' + '.join(rights)}" for left, rights in told.items())

    def _formulas(self, op: Op, node: Node, wanted: list[int]) -> list[Any]:
        """Return what the rules return on Tensors: a recorded Tensor or a number an operand, ``None`` for no gradient."""
        values = [value_of(v) for v in node.values]
        key = (
            id(op),
            tuple((np.shape(v), str(v.dtype)) if hasattr(v, "dtype") else repr(v) for v in values),
            np.shape(node.out),
            reprlib.repr(node.attrs),
            tuple(wanted),
        )
        if key not in self._traced:
            level = Level(keeps_all=True)
            arrays = [leaf(v, level, needs=v.dtype.kind in "fc", name=f"#{i}") if hasattr(v, "dtype") else v for i, v in enumerate(values)]
            out = value_of(node.out)
            y = _leaf(out, level, "#y")
            try:
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore", errors.GaugeWarning)  # nobody will differentiate what is only printed
                    if op.kind == "elementwise":
                        found = [p if isinstance(p := op.rules[i], int) else p(y, *arrays) for i in wanted]
                    else:
                        ones = [np.broadcast_to(np.ones((), a.dtype), np.shape(a)) for a in (out if isinstance(out, Results) else (out,))]
                        g = _leaf(out.like(ones) if isinstance(out, Results) else ones[0], level, G)
                        found = self._pulled(op, g, y, arrays, node.attrs, wanted)
            finally:
                level.close()
            self._traced[key] = found
        return self._traced[key]

    @staticmethod
    def _pulled(op: Op, g: Any, y: Any, arrays: list[Any], attrs: dict[str, Any], wanted: list[int]) -> list[Any]:
        if not op.joint:
            return [op.rules[i](g, y, *arrays, **attrs) if op.rules[i] else None for i in wanted]
        pulled = op.rules[0](g, y, tuple(arrays), **attrs) if op.variadic else op.rules[0](g, y, *arrays, **attrs)
        if not isinstance(pulled, (tuple, list)):
            pulled = (pulled,)
        return [pulled[i] for i in wanted]


def _leaf(out: Any, level: Level, name: str) -> Any:
    """Return a variable; of several results one each, with the names by which they are read."""
    if isinstance(out, Results):
        return out.like([_leaf(a, level, f"{name.replace('#', '')}{out.name_of(i)}") for i, a in enumerate(out)])
    return leaf(out, level, needs=out.dtype.kind in "fc", name=name)


def _line(op: Op, node: Node, i: int, formula: Any, y: str, operands: list[str], g: str) -> tuple[str, str]:
    """Return the two sides of the equation for operand `i`, with `g` for the gradient that arrives."""
    write = _printer({"#y": y, G: g, **{f"#{k}": name for k, name in enumerate(operands)}})
    if op.kind != "elementwise":
        return f"d{operands[i]}", write(formula)[0]
    out, own = np.shape(node.out), np.shape(node.values[i])
    if out == own:
        return f"∂{y}/∂{operands[i]}", write(formula)[0]
    # the operand was broadcast: what flows back to it is a sum
    flows = (g, ATOM) if isinstance(formula, int) and formula == 1 else _product((g, ATOM), write(formula))
    extra = len(out) - len(own)
    axes = [k for k in range(len(out)) if k < extra or (own[k - extra] == 1 and out[k] != 1)]
    over = "" if len(axes) == len(out) else f", axis={axes[0] if len(axes) == 1 else tuple(axes)}"
    return f"d{operands[i]}", f"sum({flows[0]}{over})" if axes else flows[0]


def _names(node: Node, op: Op) -> tuple[str, list[str]]:
    """Return what to call the result and the operands: the user's names where they are short and differ."""
    count = len(node.values)
    letters = list(op.params[:count])
    if isinstance(op.fn, np.ufunc):
        letters = ["x"] if count == 1 else list("abcdefh"[:count])
    elif op.variadic or len(letters) < count:
        letters = [f"x{i + 1}" for i in range(count)]
    operands = []
    for letter, parent in zip(letters, node.parents, strict=False):
        operands.append(_short(parent.name) if parent is not None and parent.name else letter)
    y = _short(node.name) if node.name else "y"
    meant = {(n, id(p)) for n, p in zip(operands, node.parents, strict=False)} | {(y, id(node))}
    if "" in (*operands, y) or len({n for n, _ in meant}) < len({i for _, i in meant}) or G in (*operands, y):
        return "y", letters
    return y, operands


def _labels(node: Node, label: Callable[[Any], str]) -> tuple[str, list[str]]:
    """Return what the result and the operands are called: in short where that tells them apart."""
    things = [node, *(v if p is None else p for p, v in zip(node.parents, node.values, strict=False))]
    whole = [label(x) for x in things]
    short = [_short(name) or name for name in whole]
    of = {id(x): name for x, name in zip(things, whole, strict=True)}
    told = short if len(set(short)) == len(set(of.values())) else whole
    y, *operands = (shorten(name, LONGEST_NAME) for name in told)
    return y, operands


def _short(name: str) -> str:
    """Return the last piece of a path, if it can stand in a formula; else nothing."""
    last = name.rpartition(".")[2]
    return last if last.isidentifier() and len(last) <= 12 else ""


# --- printing -------------------------------------------------------------------------------------


def _printer(names: dict[str, str]) -> Callable[[Any], Text]:
    known: dict[Node, Text] = {}

    def write(x: Any) -> Text:
        if not isinstance(x, Tensor) or x._node is None:
            return _constant(value_of(x))
        root = x._node
        for node in reversed(topological([root])):
            if node not in known:
                known[node] = (names.get(node.name or "", node.name or "x"), ATOM) if node.op is None else _call(node)
                if len(known[node][0]) > LONGEST:
                    known[node] = ("…", ATOM)
        return known[root]

    def _call(node: Node) -> Text:
        assert node.op is not None
        count = len(node.values)
        inner = [known[p] if p is not None else _constant(value_of(v)) for p, v in zip(node.parents[:count], node.values, strict=True)]
        if node.op in (RESULT, STEP):
            return inner[0][0] + value_of(node.values[0]).name_of(node.attrs["index"]), ATOM
        return _write(node, inner)

    return write


def _constant(v: Any) -> Text:
    if isinstance(v, (np.ndarray, np.generic)):
        if v.ndim:
            flat = v.reshape(-1)
            same = v.size and bool((flat == flat[0]).all())
            return _constant(flat[0].item()) if same else (f"array{v.shape}", ATOM)
        v = v.item()
    if isinstance(v, bool):
        return ("1" if v else "0"), ATOM
    if isinstance(v, (int, float)):
        text = f"{v:.6g}"
        return (f"−{text[1:]}", UNARY) if text.startswith("-") else (text, ATOM)
    return reprlib.repr(v), ATOM


def _within(text: Text, level: int) -> str:
    return text[0] if text[1] >= level else f"({text[0]})"


def _is_number(text: Text) -> bool:
    return text[0].lstrip("−").replace(".", "").isdecimal()


def _product(a: Text, b: Text) -> Text:
    if a == b:
        return f"{_within(a, ATOM)}²", POWER
    sign = "·" if _is_number(a) or _is_number(b) else " ⊙ "
    return f"{_within(a, PRODUCT)}{sign}{_within(b, PRODUCT + 1 if '/' in b[0] else PRODUCT)}", PRODUCT


def _write(node: Node, inner: list[Text]) -> Text:
    """Return one operation of a rule in the notation of mathematics."""
    assert node.op is not None
    name, attrs = node.op.name, dict(node.attrs)
    first = inner[0] if inner else ("", ATOM)
    if name in SILENT:
        return first
    if name == "multiply":
        return _product(inner[0], inner[1])
    if name == "dot" and all(np.ndim(v) in (1, 2) for v in node.values):
        name = "matmul"
    if name in INFIX and not attrs:
        sign, level = INFIX[name]
        stricter = name in ("subtract", "divide") or level <= 0
        if name == "matmul":
            return f"{_within(first, UNARY)} · {_within(inner[1], UNARY)}", level
        return f"{_within(first, level)} {sign} {_within(inner[1], level + stricter)}", level
    if name == "negative":
        return f"−{_within(first, PRODUCT)}", UNARY if first[1] > PRODUCT else PRODUCT
    if name in ("power", "float_power"):
        exponent = inner[1][0].replace("−", "-")
        if exponent.lstrip("-").isdecimal():
            return first if exponent == "1" else (f"{_within(first, ATOM)}{exponent.translate(SUPERSCRIPT)}", POWER)
        return f"{_within(first, ATOM)}^{_within(inner[1], ATOM)}", POWER
    if name == "square":
        return f"{_within(first, ATOM)}²", POWER
    if name == "sqrt":
        return f"√{_within(first, ATOM)}", UNARY
    if name == "reciprocal":
        return f"1 / {_within(first, UNARY)}", PRODUCT
    if _transposes(name, node):
        return f"{_within(first, ATOM)}ᵀ", ATOM
    if name == "where" and len(inner) == 3:
        if inner[2][0] == "0":
            return f"{_within(inner[1], SUM)} where {first[0]}, else 0", -2
        return f"where({first[0]}, {inner[1][0]}, {inner[2][0]})", ATOM
    if name == "expand_dims" and attrs.get("axis") in (-1, -2):
        return f"{_within(first, ATOM)}[…, None{'' if attrs['axis'] == -1 else ', :'}]", ATOM
    if name == "getitem" and attrs.get("index") == (Ellipsis, 0) and first[1] == MATRIX and first[0].endswith(COLUMN):
        return first[0].removesuffix(COLUMN), MATRIX  # a vector that was made a column for the product
    if name == "getitem":
        return f"{_within(first, ATOM)}[{index_text(attrs.get('index'), _attribute, ellipsis='…')}]", ATOM
    told = [_told(k, v) for k, v in attrs.items() if v is not None and v is not False]
    return f"{FUNCTIONS.get(name, name)}({', '.join([*(t for t, _ in inner), *told])})", ATOM


def _told(key: str, v: Any) -> str:
    if key == "index":
        return f"index=[{index_text(v, _attribute, ellipsis='…')}]"
    return _attribute(v) if key == "shape" else f"{key}={_attribute(v)}"


def _transposes(name: str, node: Node) -> bool:
    ndim = np.ndim(node.values[0]) if node.values else 0
    if name in ("transpose", "matrix_transpose"):
        axes = node.attrs.get("axes")
        return (ndim == 2 and (axes is None or tuple(axes) in ((1, 0), (-1, -2)))) or name == "matrix_transpose"
    if name == "swapaxes":
        return {a % ndim for a in node.attrs.values() if isinstance(a, int)} == {ndim - 1, ndim - 2}
    return False


def _attribute(v: Any) -> str:
    return f"array{v.shape}" if isinstance(v, np.ndarray) and v.ndim else reprlib.repr(v)
