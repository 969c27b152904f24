"""Expressions as mathematics: of whole arrays, or of one element with an index for each axis."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.sizes import Leveled, Sizes
from autograd_np.derivations.mathematics.symbols import Symbols
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT, SUM, is_function, template
from autograd_np.derivations.simplifying.patterns import told
from autograd_np.op import RESULT, STEP
from autograd_np.ops.indexing import arranged
from autograd_np.ops.shaping import copy, spread, to_float, to_other

__all__ = [
    "At",
    "Equations",
    "Variable",
    "bracketed",
    "constant_of",
    "fenced",
    "is_column",
    "is_constant",
    "is_one",
    "is_range",
    "is_silent",
    "moves_axes",
    "result",
    "silent",
]

At = tuple[Node, ...] | None
"""The index on each axis of the element that is written; ``None`` for all of an array."""

LETTERS = "ijklpqrstuvwabc"
ONE = n.Number("1")
ONES = n.Symbol("1", "bold")
TIMES = n.Sign("⊙")
TRANSPOSED = n.Sign("⊤", "mark")
UNSAID = (
    "keepdims",
    "dtype",
    "out",
    "casting",
    "subok",
    "order",
    "copy",
    "where",
    "mode",
    "optimize",
    "blocks",
    "writeable",
    "kind",
    "stable",
)
"""Attributes that say nothing about the mathematics, or that a notation of its own says."""


class Variable(NamedTuple):
    """What a symbol stands for: a variable of the user's, or the gradient of the result by one."""

    name: str
    is_gradient: bool = False


class Equations:
    """Writes expressions.

    Parameters
    ----------
    names : mapping of (Expression, Variable)
        What is written by its symbol.
    symbols : Symbols
    sizes : Sizes
    shaped : bool
        Write the shape of each array under it.
    own : container of Expression
        What stands in the user's code. Elsewhere a case that a rule keeps apart, so as not to divide by zero, is not written.

    Attributes
    ----------
    families : sequence of callable
        What knows operations that have a notation of their own: takes this, an expression and the indices, and returns what is
        written, or ``None``.
    """

    families: Sequence[Callable[[Any, Expression, At], Leveled | None]] = ()

    def __init__(
        self,
        names: Mapping[Expression, Variable],
        symbols: Symbols,
        sizes: Sizes,
        *,
        shaped: bool = False,
        own: Container[Expression] = (),
    ) -> None:
        self.names = names
        self.symbols = symbols
        self.sizes = sizes
        self.shaped = shaped
        self.own = own
        self._used: list[Node] = []
        self._done: dict[tuple[Expression, At, bool, tuple[Node, ...]], Leveled] = {}

    def __call__(self, e: Expression, at: At = None) -> Node:
        """Return what is written for an expression."""
        return self.leveled(e, at)[0]

    def within(self, e: Expression, level: int, at: At = None) -> Node:
        """Return what is written where things bind as tightly as `level`."""
        return bracketed(*self.leveled(e, at), level)

    def leveled(self, e: Expression, at: At = None) -> Leveled:
        """Return what is written for an expression, and how tightly it binds."""
        key = (e, at, self.shaped, tuple(self._used))
        if key not in self._done:  # products look at their factors several times
            self._done[key] = self._leveled(e, at)
        return self._done[key]

    def _leveled(self, e: Expression, at: At) -> Leveled:
        if e in self.names:
            return self.leaf(e, at)
        if e.kind == "number":
            return self.sizes.number(e.values)
        if e.op is None:
            return self._array(e, at)
        for family in self.families:
            found = family(self, e, at)
            if found is not None:
                return found
        return self.call(e, at)

    # --- leaves

    def leaf(self, e: Expression, at: At) -> Leveled:
        """Return the symbol of a variable, with its indices."""
        variable = self.names[e]
        ndim = e.ndim if at is None else 0
        node = self.symbols(variable.name, ndim)
        if at:
            node = self.indexed(node, at)
        binds = FUNCTION if isinstance(node, n.Row) else ATOM
        if variable.is_gradient:
            node, binds = self.symbols.gradient(node), POWER
        return (self.with_shape(node, e) if at is None else node), binds

    def with_shape(self, node: Node, e: Expression) -> Node:
        """Return an array with its shape under it, if shapes are to be shown."""
        return n.Under(node, self.sizes.shape(e)) if self.shaped and e.ndim else node

    def indexed(self, node: Node, at: Sequence[Node]) -> Node:
        """Return a symbol, or a thing in brackets, with indices."""
        between = None if all(isinstance(i, (n.Symbol, n.Sign)) or i == ONE for i in at) else n.Sign(",", "mark")
        below = n.joined(at, between)
        if isinstance(node, n.Row):
            return n.row(*node.items[:-1], self.indexed(node.items[-1], at))
        if isinstance(node, n.Script):
            return n.Script(node.base, below if node.sub is None else n.row(node.sub, n.Sign(",", "mark"), below), node.sup)
        return n.Script(node, below)

    def element(self, e: Expression, at: Sequence[Node]) -> Leveled:
        """Return an element of something that is written as a whole."""
        node, binds = self.leveled(e)
        return (self.indexed(node if binds == ATOM else fenced(node), at), ATOM) if at else (node, binds)

    def _array(self, e: Expression, at: At) -> Leveled:
        same = constant_of(e)
        if same is not None:
            node, binds = self.sizes.number(same)
            if at is not None or not e.ndim:
                return node, binds
            if all(v == 1 for v in same) or all(v == 0 for v in same):
                return n.Symbol("1" if same[0] else "0", "bold"), ATOM
            return n.row(bracketed(node, binds, POWER), n.Symbol("1", "bold")), PRODUCT
        if e.ndim and not any(np.size(v) for v in e.values):
            return n.Symbol("0", "bold" if at is None else "upright"), ATOM
        if e.ndim == 2 and all(np.array_equal(v, np.eye(*v.shape)) for v in e.values):
            return (n.Fence("[", n.row(at[0], n.Sign("=", "relation"), at[1]), "]") if at else n.Symbol("I", "bold")), ATOM
        if is_range(e):
            last = self.sizes.size(tuple(s[0] for s in e.shapes))
            items = n.joined([n.Number("0"), n.Sign("…", "mark"), n.row(last, n.Sign("−"), ONE)], n.Sign(",", "mark"))
            return (n.row(at[0], n.Sign("−"), ONE), SUM) if at else (n.Fence("(", items, ")"), ATOM)
        node = self.symbols(self.symbols.constant(e), 0 if at is not None else e.ndim)
        return (self.indexed(node, at) if at else node), ATOM

    # --- indices

    def fresh(self, axes: int | Sequence[int]) -> list[Node]:
        """Return letters for indices that stand for nothing else here: i for the first axis, j for the second, if they are free."""
        free = [s for c in LETTERS if c not in self.symbols.letters and (s := n.Symbol(c)) not in self._used]
        found: list[Node] = []
        for axis in range(axes) if isinstance(axes, int) else axes:
            wanted = n.Symbol(LETTERS[axis % len(LETTERS)])
            letter = wanted if wanted in free else free[0] if free else n.Script(n.Symbol("i"), n.Number(str(len(found))))
            found.append(letter)
            free = [s for s in free if s != letter]
        return found

    def bound(self, e: Expression, at: Sequence[Node]) -> Node:
        """Return an element while its indices are in use."""
        return self.bound_leveled(e, at)[0]

    def bound_leveled(self, e: Expression, at: Sequence[Node]) -> Leveled:
        """Return an element, with how tightly it binds, while its indices are in use."""
        before = len(self._used)
        self._used += at
        found = self.leveled(e, tuple(at))
        del self._used[before:]
        return found

    def aligned(self, a: Expression, e: Expression, at: At) -> At:
        """Return the indices of an argument that is broadcast to a result."""
        if at is None:
            return None
        skip = e.ndim - a.ndim
        return tuple(ONE if is_one(a, i) and not is_one(e, skip + i) else at[skip + i] for i in range(a.ndim))

    # --- operations by their notation in the table

    def call(self, e: Expression, at: At) -> Leveled:
        """Return an operation as its row of the table says it is written."""
        op = e.op
        assert op is not None
        if at is not None and not (op.by_element or isinstance(op.fn, np.ufunc)):
            return self.element(e, at)
        if op.variadic:
            inner = n.joined([self(a) for a in e.args], n.Sign(",", "mark"))
            return self._with_attributes(n.row(n.Sign(op.name, "function"), n.Fence("(", inner, ")")), e, frozenset()), ATOM
        found = template(op.tex)
        is_logical = any(isinstance(x, (n.Sign, n.Symbol)) and x.text in "∧∨¬" for x in n.parts(found.tree))
        put: dict[int | str, Node] = {}
        for i, a in enumerate(e.args, 1):
            if i in found.needs:
                a_at = self.aligned(a, e, at)
                put[i] = self.condition(a, a_at) if is_logical else self.within(a, found.needs[i], a_at)
        if len(found.needs) == 1 and isinstance(found.tree, n.Hole) and 1 in put:
            return self.leveled(e.args[0], self.aligned(e.args[0], e, at))
        said = {what for what in found.needs if isinstance(what, str)}
        put |= {what: self.attribute(e.attribute(what, _default(op.fn, what))) for what in said if isinstance(what, str)}
        node = self._with_attributes(found.filled(put), e, said)
        if _is_relation(found.tree):
            return n.Fence("[", node, "]"), ATOM
        return node, found.binds

    def condition(self, e: Expression, at: At) -> Node:
        """Return a condition without the brackets that make a number of it."""
        node = self(e, at)
        return node.body if isinstance(node, n.Fence) and node.left == "[" else node

    def _with_attributes(self, node: Node, e: Expression, said: frozenset[str] | set[Any]) -> Node:
        """Write attributes as an index of the function: ``cumsum_1(x)`` along the second axis has ``axis=1`` there."""
        left = {k: v for k, v in told(e.attrs).items() if k not in said and k not in UNSAID}
        if not left:
            return node
        pieces = [n.row(n.Symbol(k, "upright"), n.Sign("=", "relation"), self.attribute(v)) for k, v in left.items()]
        if list(left) == ["shape"]:
            pieces = [self.sizes.shape(e)]
        below = n.joined(pieces, n.Sign(",", "mark"))
        if isinstance(node, n.Row) and isinstance(node.items[0], n.Sign) and node.items[0].role == "function":
            return n.row(n.Script(node.items[0], below), *node.items[1:])
        return n.Script(node if isinstance(node, n.Fence) else n.Fence("(", node, ")"), below)

    def attribute(self, value: Any) -> Node:
        """Return what an attribute is: an axis, a shape, a word."""
        if isinstance(value, Expression):
            return self(value)
        if isinstance(value, (tuple, list)):
            return n.Fence("(", n.joined(map(self.attribute, value), n.Sign(",", "mark")), ")")
        if isinstance(value, bool) or value is None or not isinstance(value, (int, float, np.number)):
            return n.Symbol(str(value) if isinstance(value, (str, bool)) else getattr(value, "__name__", "…"), "upright")
        return self.sizes.number((value,) * len(next(iter(self.names)).values) if self.names else (value,))[0]


def _default(function: Any, parameter: str) -> Any:
    """Return what a function does without an attribute."""
    try:
        found = inspect.signature(function).parameters[parameter].default
    except (ValueError, TypeError, KeyError):
        return None
    return None if found is inspect.Parameter.empty else found


def _is_relation(tree: Node) -> bool:
    return isinstance(tree, n.Row) and any(isinstance(x, n.Sign) and (x.role == "relation" or x.text in "∧∨") for x in tree.items)


def bracketed(node: Node, binds: int, level: int) -> Node:
    """Put brackets around what binds less tightly than it has to."""
    return node if binds >= level else fenced(node)


def fenced(node: Node) -> Node:
    """Put brackets around a thing: square ones around round ones."""
    return n.Fence("[", node, "]") if _has_round(node) else n.Fence("(", node, ")")


def _has_round(node: Node) -> bool:
    if isinstance(node, n.Fence):
        return node.left == "("
    if isinstance(node, n.Row):
        return any(
            _has_round(x.base if isinstance(x, n.Script) else x) and not (i and is_function(node.items[i - 1]))
            for i, x in enumerate(node.items)
        )
    return isinstance(node, n.Script) and _has_round(node.base)


def is_one(e: Expression, axis: int) -> bool:
    """Whether an axis has one element, whatever the sizes."""
    return all(s[axis] == 1 for s in e.shapes)


def constant_of(e: Expression) -> tuple[Any, ...] | None:
    """Return the number that all elements of an array are, at each point."""
    if all(np.size(v) and np.asarray(v).dtype.kind in "biufc" and np.all(v == np.ravel(v)[0]) for v in e.values):
        return tuple(np.ravel(v)[0].item() for v in e.values)
    return None


def is_constant(e: Expression) -> bool:
    """Whether no variable takes part."""
    return not e.reads


def is_column(w: Equations, e: Expression) -> bool:
    """Whether a vector is made a column without a name, so that it goes with the rows of a matrix."""
    if e in w.names or e.ndim != 2 or e.op is None or e.op.name not in ("expand_dims", "reshape", "getitem"):
        return False
    return e.args[0].ndim == 1 and is_one(e, 1) and not is_one(e, 0)


def moves_axes(e: Expression) -> bool:
    """Whether axes of length one are put in so that which axis meets which has to be said by indices."""
    return bool(e.op and e.op.name in ("expand_dims", "reshape", "getitem") and e.ndim > 2 and e.ndim > e.args[0].ndim)


def is_range(e: Expression) -> bool:
    """Whether an array holds 0, 1, 2 … at each point."""
    first = e.values[0]
    return (
        e.kind == "array" and first.ndim == 1 and first.dtype.kind in "iu" and all(np.array_equal(v, np.arange(len(v))) for v in e.values)
    )


def is_silent(e: Expression) -> bool:
    """Whether an operation changes nothing that is written: a copy, another dtype, repetition along axes."""
    return e.is_call(np.positive, np.broadcast_to, spread, copy, to_float, to_other, arranged)


def silent(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write what an operation that changes nothing is applied to."""
    if not is_silent(e):
        return None
    if at is None and e.ndim and not e.args[0].ndim:
        node, binds = w.leveled(e.args[0])
        return (ONES, ATOM) if node == ONE else (n.row(bracketed(node, binds, POWER), ONES), PRODUCT)
    return w.leveled(e.args[0], w.aligned(e.args[0], e, at))


def result(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write one of several results: ``qr(A)`` with an index that says which."""
    if e.op not in (RESULT, STEP):
        return None
    if at is not None:
        return w.element(e, at)
    which = e.args[0].values[0].name_of(e.attribute("index")).strip(".[]")
    name = n.Number(str(int(which) + 1)) if which.isdecimal() else n.Symbol(which, "upright")
    node, binds = w.leveled(e.args[0])
    return n.Script(node if binds == ATOM else n.Fence("(", node, ")"), name), POWER
