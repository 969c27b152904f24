"""What a row of the table is.

A row says which NumPy function it differentiates and gives the derivative as a plain NumPy formula.
There are five kinds, a constructor each:

=============  =====================================================  ==========================
kind           what the row gives                                     tangent (forward mode)
=============  =====================================================  ==========================
`elementwise`  the partial derivative by each argument                sum of partial * tangent
`linear`       the transpose of the map                               the function itself
`multilinear`  the vjp by each argument (the output is linear in each)  the function, by each argument
`general`      the vjp by each argument                               transposed vjp, or a given jvp
`constant`     nothing: the derivative is zero or does not exist      zero
=============  =====================================================  ==========================

`several` adds a function that returns several arrays: a general row whose rule takes the cotangents of all of them.
`derived` adds a function written in terms of other rows, so it needs no derivative of its own.

Rules are called with what the forward pass computed: ``rule(g, y, *arrays, **attributes)``, where `g`
is the cotangent, `y` the output; partials are called as ``partial(y, *arrays)``. A partial that is
identically one, minus one or zero is written ``1``, ``-1`` or ``0``, and the engine multiplies nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, Literal, cast

import numpy as np

from autograd_np import errors
from autograd_np.elsewhere import is_lazy
from autograd_np.numpy_warnings import retold
from autograd_np.overriding import (
    BATCHES,
    DATA,
    Batched,
    Overriding,
    Recordable,
    bare,
    batched_in,
    constant_of,
    known_of,
    recordable_in,
    value_of,
)
from autograd_np.results import Results
from autograd_np.samples import Case, Domain, case, real
from autograd_np.text import shown
from autograd_np.typing import Array, Rule

__all__ = [
    "AS_ONE",
    "DATA",
    "RESULT",
    "SAMPLES",
    "STEP",
    "TABLE",
    "Batched",
    "Case",
    "Domain",
    "Op",
    "Overriding",
    "Primitive",
    "Recordable",
    "Several",
    "bare",
    "batched_in",
    "beside",
    "case",
    "constant",
    "constant_of",
    "derived",
    "eager",
    "elementwise",
    "general",
    "is_numpys",
    "known_of",
    "linear",
    "multilinear",
    "primitive",
    "real",
    "several",
    "value_of",
]

Kind = Literal["elementwise", "linear", "multilinear", "general", "constant"]


class Op:
    """A row of the table.

    Attributes
    ----------
    name : str
        The name of the NumPy function.
    fn : callable
        The function itself; called on whatever the Tensors hold, so it dispatches again if that is a Tensor.
    kind : str
        One of the kinds in the module's docstring.
    rules : tuple
        One rule an array argument; ``None`` or ``0`` where there is no gradient.
    variadic : bool
        The function takes one sequence of arrays (``np.concatenate``); `rules` then holds the one
        rule that returns the cotangents of all of them.
    joint : bool
        One rule returns the cotangents of all arguments as a tuple; variadic rows are joint.
    strict : bool
        A user's own operation: a vjp must return the exact shape (no un-broadcasting), and the result may be the argument.
    direct : callable
        What `fn` does to ndarrays without attributes, without the cost of dispatch.
    of_numbers : callable
        What `fn` does to NumPy's scalars and Python's numbers: an operator, which makes no arrays of them.
    selects : bool
        Some elements may be left out of the result, so that a cotangent of zero can meet a NaN.
    by_element : bool
        The result is a function of each element alone, whatever the attributes.
    gates : bool
        A partial derivative of zero says that the argument was left out of the result (`maximum`), not that its slope is zero.
    many : callable or None
        What a user's own operation does on many examples at once; see `define`.
    quick : bool
        A call with one argument and nothing else needs no sorting of its arguments.
    """

    __slots__ = (
        "_attrs",
        "_params",
        "by_element",
        "cases",
        "direct",
        "domains",
        "fn",
        "gates",
        "joint",
        "jvp",
        "kind",
        "many",
        "name",
        "note",
        "of_numbers",
        "quick",
        "rules",
        "selects",
        "strict",
        "tex",
        "variadic",
    )

    def __init__(
        self,
        name: str,
        fn: Callable[..., Any],
        kind: Kind,
        rules: Sequence[Any],
        *,
        params: tuple[str, ...] | None = (),
        jvp: Rule | None = None,
        cases: Sequence[Case] = (),
        domains: Sequence[Domain] = (),
        tex: str = "",
        note: str = "",
        variadic: bool = False,
        joint: bool = False,
        strict: bool = False,
        selects: bool | None = None,
        gates: bool = False,
        by_element: bool = False,
        direct: Callable[..., Any] | None = None,
        of_numbers: Callable[..., Any] | None = None,
        many: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.fn = fn
        self.direct = direct or (fn.implementation if isinstance(fn, Primitive) else fn)
        self.of_numbers = of_numbers or fn
        self.kind: Kind = kind
        self.rules = tuple(rules)
        self._params = params
        self._attrs: tuple[str, ...] | None = None
        self.jvp = jvp
        self.cases = tuple(cases)
        self.domains = tuple(domains)
        self.tex = tex or rf"\operatorname{{{name}}}({', '.join(f'#{i + 1}' for i in range(len(self.rules)))})"
        self.note = note
        self.variadic = variadic
        self.joint = joint or variadic
        self.strict = strict
        self.gates = gates
        self.many = many
        self.by_element = by_element or kind == "elementwise"
        self.quick = len(self.rules) == 1 and not variadic and not strict
        self.selects = kind not in ("elementwise", "multilinear") if selects is None else selects

    @property
    def params(self) -> tuple[str, ...]:
        """Names of the parameters of `fn`, arrays first; found at the first use, since signatures are slow to read."""
        if self._params is None:
            self._params = _parameters(self.fn)
        return self._params

    @property
    def attrs(self) -> tuple[str, ...]:
        """The attributes every rule understands; found at the first use, too."""
        if self._attrs is None:
            self._attrs = _accepted(self.rules, self.params, self.variadic)
        return self._attrs

    def __repr__(self) -> str:
        return f"<{self.kind} operation {shown(self.name)}>"


class Several(Op):
    """A row for a function that returns several arrays.

    `fn` returns them as `Results`, which one Node records; each is then read by a record of `RESULT`, or of `STEP` where it
    carries no gradient. The rules get `Results` in the place of the cotangent and of the output, with ``None`` for the
    cotangent of an array that nothing was computed from.

    Attributes
    ----------
    steps : tuple of int
        The arrays that are piecewise constant for real arguments (a quotient that was rounded, a sign); integers always are.
    """

    __slots__ = ("steps",)

    def __init__(self, name: str, fn: Callable[..., Any], kind: Kind, rules: Sequence[Any], *, steps: Sequence[int] = (), **more: Any):
        @functools.wraps(fn)
        def gathered(*arrays: Any, **attrs: Any) -> Results:
            return Results.of(fn(*arrays, **attrs))

        jvp = more.pop("jvp", None)
        if jvp is not None:
            more["jvp"] = lambda tangents, y, *arrays, **attrs: y.like(jvp(tangents, y, *arrays, **attrs))
        super().__init__(name, gathered, kind, rules, **more)
        self.steps = tuple(steps)
        self.quick = False

    def reader(self, i: int, found: Results) -> Op:
        """Return the row that reads the i-th array."""
        kind = found.dtype[i].kind
        return STEP if kind not in "fc" or (kind == "f" and i in self.steps) else RESULT


def _accepted(rules: tuple[Any, ...], params: tuple[str, ...], variadic: bool) -> tuple[str, ...]:
    """Return the attributes that every rule of a row understands; others are refused when recording."""
    attrs = params[1:] if variadic else params[len(rules) :]
    for rule in rules:
        if callable(rule):
            known = inspect.signature(rule).parameters
            if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
                attrs = tuple(a for a in attrs if a in known)
    return attrs


TABLE: dict[Any, Op | Callable[..., Any]] = {}
"""The table: a NumPy function -> its row, or the function that derives it from other rows."""

AS_ONE: ContextVar[Callable[[Any, tuple[Any, ...], dict[str, Any]], Op | None] | None] = ContextVar("AS_ONE", default=None)
"""Gives a call of a derived function a row of its own, for a reader who asks what was called and not what that is made of."""


def _parameters(fn: Callable[..., Any]) -> tuple[str, ...]:
    fn = inspect.unwrap(fn)
    if isinstance(fn, np.ufunc):
        return tuple(f"x{i + 1}" for i in range(fn.nin))
    return tuple(inspect.signature(fn).parameters)


def _add(fn: Callable[..., Any], kind: Kind, rules: Sequence[Any], signature: str, also: Iterable[Any], **more: Any) -> Op:
    name = getattr(fn, "__name__", str(fn))
    row = more.pop("row", Op)
    domains = more.pop("domains", (real,))
    if isinstance(domains, Domain):
        domains = (domains,)
    if len(domains) == 1:
        domains = tuple(domains) * max(len(rules), 1)
    op: Op = row(name, fn, kind, rules, params=tuple(signature.split()) or None, domains=domains, **more)
    if isinstance(fn, Primitive):
        fn.op = op
    for key in (fn, *also):
        TABLE[key] = op
    return op


def elementwise(
    fn: Callable[..., Any],
    *partials: Any,
    on: Domain | tuple[Domain, ...] = real,
    tex: str = "",
    note: str = "",
    signature: str = "",
    selects: bool = False,
    gates: bool = False,
    of_numbers: Callable[..., Any] | None = None,
    also: Iterable[Any] = (),
) -> Op:
    """Add a row for a function of each element alone: one partial derivative an argument."""
    more = {"domains": on, "tex": tex, "note": note, "selects": selects, "gates": gates, "of_numbers": of_numbers}
    return _add(fn, "elementwise", partials, signature, also, **more)


def linear(
    fn: Callable[..., Any],
    transpose: Any,
    *cases: Case,
    on: Domain | tuple[Domain, ...] = real,
    tex: str = "",
    note: str = "",
    signature: str = "",
    variadic: bool = False,
    selects: bool = True,
    direct: Callable[..., Any] | None = None,
    also: Iterable[Any] = (),
) -> Op:
    """Add a row for a linear function of its first argument; it is its own tangent."""
    more = {"domains": on, "cases": cases, "tex": tex, "note": note, "variadic": variadic, "selects": selects, "direct": direct}
    return _add(fn, "linear", (transpose,), signature, also, **more)


def multilinear(
    fn: Callable[..., Any],
    *vjps: Any,
    cases: Sequence[Case] = (),
    on: Domain | tuple[Domain, ...] = real,
    tex: str = "",
    note: str = "",
    signature: str = "",
    direct: Callable[..., Any] | None = None,
    also: Iterable[Any] = (),
) -> Op:
    """Add a row for a function that is linear in each of its array arguments (a product)."""
    return _add(fn, "multilinear", vjps, signature, also, domains=on, cases=cases, tex=tex, note=note, direct=direct)


def general(
    fn: Callable[..., Any],
    *vjps: Any,
    jvp: Rule | None = None,
    cases: Sequence[Case] = (),
    on: Domain | tuple[Domain, ...] = real,
    tex: str = "",
    note: str = "",
    signature: str = "",
    variadic: bool = False,
    selects: bool = True,
    by_element: bool = False,
    direct: Callable[..., Any] | None = None,
    also: Iterable[Any] = (),
) -> Op:
    """Add a row by its vjp; `jvp`, if given, is called as ``jvp(tangents, y, *arrays, **attributes)``."""
    more = {"domains": on, "cases": cases, "tex": tex, "note": note, "variadic": variadic, "jvp": jvp, "selects": selects, "direct": direct}
    return _add(fn, "general", vjps, signature, also, by_element=by_element, **more)


def several(
    fn: Callable[..., Any],
    *vjps: Any,
    jvp: Rule | None = None,
    cases: Sequence[Case] = (),
    on: Domain | tuple[Domain, ...] = real,
    steps: Sequence[int] = (),
    joint: bool = False,
    tex: str = "",
    note: str = "",
    signature: str = "",
    also: Iterable[Any] = (),
) -> Op:
    """Add a row for a function that returns several arrays.

    A vjp is called as ``vjp(cotangents, results, *arrays, **attributes)``, with ``None`` among the cotangents where nothing
    flows; a `joint` one returns the cotangents of all arguments. `jvp`, if given, returns the tangents of all results. The
    results that `steps` numbers carry no gradient.
    """
    more = {"domains": on, "cases": cases, "tex": tex, "note": note, "jvp": jvp, "selects": False, "joint": joint, "steps": steps}
    return _add(fn, "general", vjps, signature, also, row=Several, **more)


def constant(
    *fns: Callable[..., Any],
    arrays: int = 1,
    signature: str = "",
    cases: Sequence[Case] = (),
    also: Iterable[Any] = (),
    tex: str = "",
) -> None:
    """Add functions whose result carries no gradient (comparisons, indices, shapes)."""
    for fn in fns:
        count = fn.nin if isinstance(fn, np.ufunc) else arrays
        _add(fn, "constant", (None,) * count, signature, also, cases=cases, tex=tex)


SAMPLES: dict[Any, Op] = {}
"""A derived function -> a row of its sample calls, which is not in the table: the tests hold it to what they demand of rows."""


def derived(
    *fns: Callable[..., Any], cases: Sequence[Case] = (), on: Domain | tuple[Domain, ...] = real
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `fns`, computed by the decorated plain-NumPy function in terms of other rows; `cases` are calls with one result."""

    def add(implementation: Callable[..., Any]) -> Callable[..., Any]:
        for fn in fns:
            TABLE[fn] = implementation
            if cases:
                domains = (on,) if isinstance(on, Domain) else on
                SAMPLES[fn] = Op(getattr(fn, "__name__", str(fn)), fn, "general", (), cases=cases, domains=domains)
        return implementation

    return add


class Primitive:
    """A function NumPy lacks, dispatched like NumPy's own: recorded on Tensors, computed on arrays.

    Attributes
    ----------
    implementation : callable
        The plain-NumPy computation.
    op : Op
        The row, set when the table is filled.
    """

    op: Op

    def __init__(self, implementation: Callable[..., Any]) -> None:
        self.implementation = implementation
        functools.update_wrapper(cast("Callable[..., Any]", self), implementation)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Record on Tensors, compute on arrays."""
        for a in args:
            if isinstance(a, Overriding):
                result = a.__record__(self, args, kwargs)
                if result is not NotImplemented:
                    return result
            elif type(a) in (list, tuple):
                for element in a:
                    if isinstance(element, Overriding):
                        result = element.__record__(self, args, kwargs)
                        if result is not NotImplemented:
                            return result
        if BATCHES and kwargs and (batched := batched_in(list(kwargs.values()))):
            return batched[0].__record__(self, args, kwargs)
        if DATA and kwargs and (found := recordable_in(list(kwargs.values()))) is not None:
            return found.__record__(self, args, kwargs)
        try:
            return self.implementation(*args, **kwargs)
        except RuntimeWarning as warning:
            return retold(warning, self.implementation, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<function {shown(self.__name__)}>"  # type: ignore[attr-defined]

    def __reduce__(self) -> str:  # pickled as functions are, by its name
        return str(self.__name__)  # type: ignore[attr-defined]


def is_numpys(*arrays: Any) -> bool:
    """Whether arrays are NumPy's own, or scalars, rather than another library's (a Dask array)."""
    return all(isinstance(a, (np.ndarray, np.generic, float, int, complex, list, tuple)) or a is None for a in arrays)


def beside(made: Array, x: Any) -> Array:
    """Return an array that a rule made (an identity matrix, a mask), where `x` is: on its device, which takes no other operands."""
    x = value_of(x)
    return made if is_numpys(x) or is_lazy(x) else np.asarray(made, like=x)


def eager(implementation: Callable[..., Any], *, host: bool = False) -> Primitive:
    """Make a primitive of a function that is refused on lazy arrays, whose library would compute it at once, or not at all.

    One for the `host` is refused on a device's arrays too.
    """
    where = "" if host else " (or a device's)"

    @functools.wraps(implementation)
    def on_numpys(*args: Any, **kwargs: Any) -> Any:
        for a in args:
            if is_lazy(a) or (host and not is_numpys(a)):
                raise errors.NoRowError(
                    f"{getattr(implementation, '__name__', 'this function')} works on NumPy's arrays only{where}, got a "
                    f"{type(a).__module__}.{type(a).__qualname__}; compute it first (x.compute() in Dask, x.get() in CuPy)"
                )
        return implementation(*args, **kwargs)

    return Primitive(on_numpys)


def primitive(implementation: Callable[..., Any]) -> Primitive:
    """Make a plain-NumPy function dispatch on Tensors, as NumPy's own functions do."""
    return Primitive(implementation)


# --- reading one of several results ---------------------------------------------------------------


def _read(results: Results, index: int) -> Array:
    return results[index]


def _unread(g: Array, _y: Array, results: Results, index: int) -> Results:
    return results.only(index, g)


RESULT = Op(
    "result", _read, "linear", (_unread,), jvp=lambda t, _y, _results, index: t[0][index], params=("results", "index"), selects=False
)
"""Reads one of the arrays that a call returned; its transpose puts the cotangent in its place among those of the others."""

STEP = Op("result", _read, "constant", (None,), params=("results", "index"))
"""Reads one that carries no gradient."""
