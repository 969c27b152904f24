"""An edit of a line, the place it is made at, and what a line could have named."""

from __future__ import annotations

import ast
import functools
import re
import types
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.syntax import Change, Path, at, expressions, indexes, parsed, parts, replaced, statements
from autograd_np.check.judge.names import is_gradients_name
from autograd_np.check.watch.interpret import CannotEvaluate, evaluate
from autograd_np.check.watch.spelling import wanted_names

__all__ = ["Edit", "Hints", "Line", "Place", "as_broadcast", "broadcasts", "is_array", "is_float_array", "is_size", "shape_of"]


@dataclass(frozen=True)
class Hints:
    """What forward tells about the line of backward that belongs to it; the texts are expressions.

    Attributes
    ----------
    calls : tuple of str
        The functions that forward calls: ``"np.tanh"``, ``"sigmoid"``.
    terms : tuple of str
        Products of variables that forward multiplies and adds, without the function around them: ``"lam * W"`` for a penalty
        ``0.5 * lam * np.sum(W**2)``.
    indices : tuple of str
        Where forward reads arrays by arrays or variables: ``"np.arange(N), y"``.
    constants : tuple of float
        Its numbers.
    factors : tuple of str
        What forward multiplies a variable by: ``"mask / keep"``, ``"(1 - t)"``.
    applied : tuple of (str, str)
        What forward applies functions to, and the calls: ``("beta", "np.abs(beta)")``.
    """

    calls: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()
    constants: tuple[float, ...] = ()
    factors: tuple[str, ...] = ()
    applied: tuple[tuple[str, str], ...] = ()


@dataclass
class Edit:
    """One way a line may be wrong.

    Attributes
    ----------
    rank : float
        Simpler first.
    kind : str
        The mistake it undoes.
    message : str
        What is wrong, in the user's own names.
    made : ast.stmt, list of ast.stmt, or callable
        The statement without the mistake (or the statements in its place), or how to make it: most edits are never tried.
    factor : float or None
        For scales.
    changes : tuple of (path, text)
        The expressions that are replaced, if that is all it does.
    less : bool
        It takes away a sign or a number that was written.
    follows : bool
        Whether it leaves the statement as it is and has another follow it.
    """

    rank: float
    kind: str
    message: str
    made: ast.stmt | list[ast.stmt] | Callable[[], ast.stmt | list[ast.stmt]]
    factor: float | None = None
    changes: tuple[Change, ...] = ()
    less: bool = False
    follows: bool = False

    @functools.cached_property
    def body(self) -> list[ast.stmt]:
        """The statements that stand in the place of the mistaken one; none if it should not be there.

        What they have in common with it they share: nothing in them may be changed in place.
        """
        try:
            made = self.made() if callable(self.made) else self.made
        except SyntaxError:  # a change that is no Python cures nothing
            return [ast.fix_missing_locations(ast.Raise(exc=None, cause=None, lineno=1, col_offset=0))]
        return made if isinstance(made, list) else [made]


_OF_ONE_ARRAY = {"exp", "log", "tanh", "sqrt", "sin", "cos"}
_DERIVATIVES = {"d", "deriv", "derivative", "der", "prime", "grad", "gradient", "backward", "back", "bwd"}


def _words(name: str) -> set[str]:
    """Return the words a name is made of: sigmoid and prime for ``sigmoid_prime`` and ``sigmoidPrime``."""
    found = {w.lower() for w in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)}
    return found | {"d", *(w[1:] for w in found)} if name[0] == "d" and len(found) == 1 else found


@dataclass
class Line:
    """A statement that may be mistaken, and what it could have named.

    Attributes
    ----------
    statement : ast.stmt
        As the user wrote it.
    target : str
        The variable it sets, for messages.
    env : mapping
        The variables it was executed with.
    candidates : mapping
        The arrays it might have meant.
    sizes : mapping
        Numbers a scale may be made of.
    hints : Hints
        What forward tells.
    beside : mapping
        By a variable, the sums and products that the lines of the function make of it.
    unread : collection of str
        The variables that are set and never read.
    """

    statement: ast.stmt
    target: str
    env: Mapping[str, Any]
    candidates: Mapping[str, Any]
    sizes: Mapping[str, float] = field(default_factory=dict)
    hints: Hints = Hints()
    beside: Mapping[str, Sequence[ast.BinOp]] = field(default_factory=dict)
    unread: Collection[str] = ()

    def __post_init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._values: dict[int, Any] = {}
        self._numbers: dict[str, Any] = {}

    def text(self, node: ast.AST) -> str:
        """Return an expression of the statement as it may be written."""
        if id(node) not in self._texts:
            text = ast.unparse(node)
            self._texts[id(node)] = text[1:-1] if isinstance(node, ast.Tuple) and ":" in text else text
        return self._texts[id(node)]

    def value(self, node: ast.expr) -> Any:
        """Return the value of an expression of the statement, or ``None`` if it cannot be found out."""
        if id(node) not in self._values:
            self._values[id(node)] = _value(node, self.env)
        return self._values[id(node)]

    def value_of(self, text: str) -> Any:
        """Return the value of an expression that is not in the statement, or ``None``."""
        if text not in self._numbers:
            self._numbers[text] = _value(parsed(text), self.env)
        return self._numbers[text]

    @functools.cached_property
    def written(self) -> str:
        """The statement as it may be written; of a compound one the header."""
        return ast.unparse(self.statement).partition("\n")[0]

    @functools.cached_property
    def assigned(self) -> str:
        """The one variable, attribute or element that the statement sets, or nothing."""
        targets = [tree for _, tree, written in parts(self.statement) if written]
        return self.text(targets[0]) if len(targets) == 1 else ""

    @functools.cached_property
    def named(self) -> dict[str, None]:
        """The variables, attributes and elements that the line names, the target first."""
        kinds = (ast.Name, ast.Attribute, ast.Subscript)
        trees = parts(self.statement)
        return dict.fromkeys(self.text(n) for _, tree, _ in trees for n in ast.walk(tree) if isinstance(n, kinds))

    @functools.cached_property
    def arrays(self) -> dict[str, Any]:
        """The numeric arrays the line might have meant, those it names first, then those in sight of it.

        Its own target is one if it is assigned anew and had a value before, as what a loop carries.
        """
        found = {k: v for k, v in self.candidates.items() if is_array(v) and v.dtype.kind in "fbiu" and k != self.target}
        started = {k for k, v in found.items() if is_gradients_name(k) and not np.any(v)} - {*self.unread}
        found = {k: v for k, v in found.items() if k not in started}  # of these, nothing was added to the sum yet
        if isinstance(self.statement, ast.Assign) and is_array(self.env.get(self.target)) and self.env[self.target].dtype.kind in "fbiu":
            found[self.target] = self.env[self.target]
        near = {k: 0 if k in self.named else 1 if k in self.env or "[" in k or "." in k else 2 for k in found}
        return dict(sorted(found.items(), key=lambda item: near[item[0]])[:60])

    @functools.cached_property
    def factors(self) -> dict[str, tuple[int, ...]]:
        """What forward multiplies variables by and is known here, with its shape: expressions, since names are tried anyway."""
        shapes = {text: shape_of(self.value_of(text)) for text in self.hints.factors if not text.isidentifier()}
        return {text: shape for text, shape in list(shapes.items())[:30] if shape}

    @functools.cached_property
    def scalars(self) -> dict[str, float]:
        """The numbers in sight that no size or counter is: rates, penalties, momenta."""
        return {
            k: float(v)
            for k, v in self.env.items()
            if isinstance(v, (float, np.floating)) and not k.startswith("_") and v not in (0, 1) and np.isfinite(v) and k != self.target
        }

    @functools.cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The variables, and attributes of the object, that hold a shape."""
        fields = getattr(self.env.get("self"), "__dict__", {})
        held = {**{k: v for k, v in self.env.items() if k[0] != "_"}, **{f"self.{k}": v for k, v in fields.items()}}
        return {k: v for k, v in held.items() if type(v) is tuple and v and all(type(n) is int and n > 0 for n in v)}

    @functools.cached_property
    def numbers(self) -> dict[str, Any]:
        """The single floating numbers that are computed or elements of arrays, as where a loop works on one sample at a time."""
        return {k: v for k, v in self.arrays.items() if np.ndim(v) == 0 and v.dtype.kind == "f"}

    @functools.cached_property
    def counters(self) -> list[str]:
        """The variables that hold an integer: first those that are no sizes, as loop counters, then sizes."""
        integers = [k for k, v in self.env.items() if isinstance(v, (int, np.integer)) and not isinstance(v, bool)]
        return sorted((k for k in integers if not k.startswith("_")), key=lambda k: k in self.sizes)[:20]

    @functools.cached_property
    def np(self) -> str:
        """The user's name of NumPy."""
        return next((k for k, v in self.env.items() if v is np), "np")

    def is_gradient(self, name: str) -> bool:
        """Whether a variable is called as gradients are, or after another one in sight."""
        return is_gradients_name(name) or any(x in self.candidates for x in wanted_names(name))

    def functions(self, parameters: int) -> list[str]:
        """Return the user's functions that may be called with so many arrays instead of another.

        An edit is executed, so no function is called of which the line and forward say nothing: only those they call, and
        the derivatives of these.
        """
        return [name for name, count in self._functions.items() if count == parameters][:12]

    def is_derivative(self, function: str, of: str) -> bool:
        """Whether one function is called as the derivative of another one: ``sigmoid_prime`` of ``sigmoid``."""
        words = _words(function.rpartition(".")[2])
        return bool(words & _DERIVATIVES) and _words(of) - {"forward"} < words

    @functools.cached_property
    def _functions(self) -> dict[str, int]:
        """The functions that the line and forward call and their derivatives, and how many arguments each demands."""
        users = {k: f for k, f in self.env.items() if isinstance(f, types.FunctionType)}
        called = {k for k in users if k in self.hints.calls or k in self.named}
        stems = [_words(k) - {"forward"} for k in called]
        allowed = {k for k in users if _words(k) & _DERIVATIVES and any(stem and stem < _words(k) for stem in stems)}
        found = {k: f for k, f in users.items() if k in called | allowed} | self._kept_functions
        methods = self._derivatives_of_objects
        return {k: f.__code__.co_argcount - len(f.__defaults__ or ()) - (k in methods) for k, f in (found | methods).items()}

    @functools.cached_property
    def _kept_functions(self) -> dict[str, types.FunctionType]:
        """The functions that are attributes of the object, and derivatives or called by forward: ``self.activation_prime``."""
        fields = getattr(self.env.get("self"), "__dict__", {})
        held = {f"self.{k}": v for k, v in fields.items() if isinstance(v, types.FunctionType)}
        stems = [_words(k.rpartition(".")[2]) for k in held if k in self.hints.calls]
        return {k: f for k, f in held.items() if k in self.hints.calls or any(s and s < _words(k.rpartition(".")[2]) for s in stems)}

    @functools.cached_property
    def _derivatives_of_objects(self) -> dict[str, types.FunctionType]:
        """The methods that are called as derivatives are, of objects that forward calls: ``self.activation.gradient``."""
        owners = {f"self.{k}": v for k, v in getattr(self.env.get("self"), "__dict__", {}).items()}
        called = {k: v for k, v in owners.items() if any(c == k or c.startswith(f"{k}.") for c in self.hints.calls)}
        methods = ((f"{k}.{name}", getattr(type(v), name, None)) for k, v in called.items() for name in dir(type(v)) if name[0] != "_")
        return {k: m for k, m in methods if isinstance(m, types.FunctionType) and _words(k.rpartition(".")[2]) & _DERIVATIVES}

    def functions_of_one_array(self) -> list[str]:
        """Return the functions of one array that forward calls, and those of the user."""
        return list(dict.fromkeys([*(f for f in self.hints.calls if f.rpartition(".")[2] in _OF_ONE_ARRAY), *self.functions(1)]))[:8]

    def like(self, value: Any, *, same: bool = False) -> Iterator[str]:
        """Yield the arrays of the shape of a value, but (unless `same`) of other values."""
        for name, other in self.arrays.items():
            if shape_of(other) == shape_of(value) and (same or not np.array_equal(other, value)):
                yield name

    def product(self, a: str, b: str) -> str:
        """Write a product of matrices as the user does."""
        dots = "dot(" in self.written and "@" not in self.written
        return f"{self.np}.dot({a}, {b})" if dots else f"({a}) @ ({b})"

    def edit(self, rank: float, kind: str, message: str, *changes: Change, factor: float | None = None, less: bool = False) -> Edit:
        """Return the edit that puts other expressions in the place of some."""
        return Edit(rank, kind, message, functools.partial(replaced, self.statement, changes), factor, changes, less)

    def instead(
        self, rank: float, kind: str, message: str, *others: str | ast.stmt, factor: float | None = None, less: bool = False
    ) -> Edit:
        """Return the edit that puts other statements in the place of this one."""
        follows = others[:1] == (self.statement,)
        return Edit(rank, kind, message, functools.partial(statements, self.statement, others), factor, less=less, follows=follows)

    def places(self) -> Iterator[Place]:
        """Yield every expression that the statement reads, and the elements it sets; of a compound one those of its header."""
        for path, tree, written in parts(self.statement):
            for sub, node in expressions(tree, path):
                if not written or indexes(sub, path):
                    yield Place(self, sub, node)
            if written and isinstance(tree, ast.Subscript):
                yield Place(self, path, tree, written=True)


@dataclass(frozen=True)
class Place:
    """An expression in a statement that may hold the mistake.

    Attributes
    ----------
    line : Line
        The statement.
    path : tuple
        What leads from the statement to the expression.
    node : ast.expr
        The expression.
    written : bool
        Whether it is written into, not read: the element that an assignment sets.
    """

    line: Line
    path: Path
    node: ast.expr
    written: bool = False

    @property
    def text(self) -> str:
        """The expression as it may be written."""
        return self.line.text(self.node)

    @property
    def target(self) -> str:
        """The variable the statement sets."""
        return self.line.target

    @property
    def value(self) -> Any:
        """The value of the expression, or ``None`` if it cannot be found out."""
        return self.line.value(self.node)

    @property
    def parent(self) -> Any:
        """The syntax tree the expression stands in."""
        return at(self.line.statement, self.path[:-2] if isinstance(self.path[-1], int) else self.path[:-1])

    @property
    def whole(self) -> bool:
        """Whether it is all of the right-hand side, or all of one of several results that stand there side by side."""
        match self.path:
            case ("value",) | ("value", "elts" | "values", int()):
                return True
        return False

    @property
    def index(self) -> bool:
        """Whether it stands in an index."""
        return "slice" in self.path

    @property
    def header(self) -> bool:
        """Whether it stands in the header of a compound statement."""
        return self.path[0] != "value" and not self.index

    @property
    def attribute(self) -> bool:
        """Whether a property of it is taken, other than its transpose or a method."""
        parent = self.parent
        return (isinstance(parent, ast.Subscript) and self.path[-1] == "value") or (
            isinstance(parent, ast.Attribute) and parent.attr != "T" and self.path[-2:-1] != ("func",)
        )

    @property
    def reduced(self) -> bool:
        """Whether it is what a sum or a mean is taken of."""
        if self.path[-2:] == ("func", "value"):
            return getattr(self.parent, "attr", "") in ("sum", "mean")
        call = self.parent
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("sum", "mean")

    @property
    def setting(self) -> bool:
        """Whether it tells a function how to work, as an axis does."""
        return "keywords" in self.path

    def edit(self, rank: float, kind: str, message: str, new: str, factor: float | None = None, *, less: bool = False) -> Edit:
        """Return the edit that puts another expression in this place."""
        return self.line.edit(rank, kind, message, (self.path, new), factor=factor, less=less)


def _value(node: ast.expr, env: Mapping[str, Any]) -> Any:
    try:
        return evaluate(node, env)
    except CannotEvaluate:
        return None


def is_array(value: Any) -> bool:
    """Whether a value is NumPy's."""
    return isinstance(value, (np.ndarray, np.generic))


def is_float_array(value: Any) -> bool:
    """Whether a value is an array of floating numbers with an axis."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0


def is_size(value: Any) -> bool:
    """Whether a value is a single number."""
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or (
        is_array(value) and value.ndim == 0 and value.dtype.kind in "fiu"
    )


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of an array or a number, ``None`` for anything else."""
    return value.shape if is_array(value) else () if isinstance(value, (bool, int, float)) else None


def as_broadcast(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
    """Write a variable so that it broadcasts to a shape, with new axes behind it if need be."""
    return next(broadcasts(name, shape, wanted), None)


def broadcasts(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> Iterator[str]:
    """Yield the ways to write a variable so that it broadcasts to a shape, those with fewest new axes first."""
    for extra in range(max(len(wanted) - len(shape), 0) + 1):
        try:
            if np.broadcast_shapes(shape + (1,) * extra, wanted) == wanted:
                yield name if not extra else f"{name}[{', '.join([':'] * len(shape) + ['None'] * extra)}]"
        except ValueError:
            continue
