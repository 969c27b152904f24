"""Check the engine's derivatives, or those of a user's own operation, against numeric ones."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors, transforms
from autograd_np.check import numeric
from autograd_np.check.tell.report import GradientReport, GradientRow
from autograd_np.transforms.arguments import selected
from autograd_np.transforms.forward import linearized
from autograd_np.trees import flatten
from autograd_np.typing import Array, PyTree

__all__ = ["check_gradients"]

RANK = {"fail": 0, "inconclusive": 1, "pass": 2}
ROUNDING = 1e-9  # of what was subtracted: a derivative that is known to be smaller is as good as zero
UNSEEN = 1e-13  # log(1 + exp(-100)) keeps every bit when its argument moves: a derivative this small cannot show
VALUE = 1e-9  # agreement of the function itself on Tensors and on arrays


def check_gradients(
    f: Callable[..., Any],
    *inputs: PyTree,
    order: int = 2,
    argnums: int | Sequence[int] | None = None,
    tolerance: float = 1e-7,
    name: str | None = None,
    elements: int = 100,
    seed: int = 0,
) -> GradientReport:
    """Compare the engine's derivatives of `f` with numeric ones, element by element.

    First order in reverse and in forward mode; second order as Hessian-vector products (forward over reverse, and
    reverse over reverse) against numeric derivatives of the engine's gradient. Everything is computed in float64.

    Parameters
    ----------
    f : callable
        Written in NumPy, or an operation of `define` or `custom_gradient`. A result that is no scalar is contracted with a
        random cotangent.
    *inputs : arrays or nested containers of arrays
        The point. Integers and whatever is not a float are passed on and not differentiated.
    order : {1, 2}
        The highest derivative to check.
    argnums : int or sequence of int, optional
        Which inputs to differentiate; by default all that hold floats or complex numbers only. Of complex numbers both
        parts are checked.
    tolerance : float
        Relative; beyond it, and beyond the error that the numeric value has itself, a derivative is wrong.
    name : str, optional
        Of the function, for the report.
    elements : int
        Of larger arrays so many are compared one by one, and all of them together in random directions.
    seed : int
        Of cotangents, directions and samples.

    Returns
    -------
    GradientReport
        ``.ok``, ``.verdict``, ``.rows`` (worst first), ``.raise_if_wrong()``. At a kink, and where rounding drowns the
        answer, the verdict is ``"inconclusive"``.

    Raises
    ------
    DifferentiationError
        If nothing among the inputs or in the result is a float, or `f` answers the same question differently each time.
    ValueError
        If `order` is not 1 or 2.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.check_gradients(np.log, np.array([1e-9, 1.0, 1e9])).ok
    True
    >>> wrong = ag.define(lambda x: np.sin(x), partials=[lambda y, x: -np.cos(x)], name="sine")
    >>> print(ag.check_gradients(wrong, np.array([0.0, 1.0]), order=1))  # doctest: +ELLIPSIS
    FAIL: derivatives of sine: 4 wrong
    ...
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradients got order={order!r}; it checks derivatives of order 1 or 2")
    started = time.perf_counter()
    problem = _Problem(f, inputs, argnums, name, seed)
    rows: list[GradientRow] = []
    notes: list[str] = []
    with np.errstate(all="ignore"):
        rows += problem.values()
        rows += _first_order(problem, tolerance, elements, notes)
        if order == 2:
            try:
                doubtful = {(r.name, r.index) for r in rows if r.verdict == "inconclusive"}
                rows += _second_order(problem, tolerance, elements, doubtful)
            except errors.AutogradError as error:
                notes.append(f"second order could not be checked: {error}; order=1 leaves it out")
                rows.append(GradientRow("(all)", None, "second order", np.nan, np.nan, np.inf, "inconclusive"))
    rows.sort(key=_badness)
    verdict = min((r.verdict for r in rows), key=RANK.__getitem__, default="inconclusive")
    return GradientReport(verdict, rows, problem.name, notes, time.perf_counter() - started)


class _Problem:
    """`f` as a function of a list of float64 arrays to one flat array, on arrays and on Tensors.

    A complex input is two of them, its real and its imaginary part; so is a complex result.
    """

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], argnums: Any, name: str | None, seed: int) -> None:
        self.f, self.inputs = f, inputs
        self.name = str(name or getattr(f, "__name__", type(f).__name__))
        self.rng = np.random.default_rng(seed)
        where = f"check_gradients({self.name})"
        if argnums is None:
            self.numbers = tuple(n for n, tree in enumerate(inputs) if _all_floats(tree))
        else:
            self.numbers = selected(argnums, len(inputs), where)
        self.trees = [flatten(inputs[n]) for n in self.numbers]
        self.points: list[Array] = []
        for n, (leaves, _) in zip(self.numbers, self.trees, strict=True):
            for x in leaves:
                if not _is_float(x) and not _is_complex(x):
                    raise errors.DifferentiationError(f"{where}: input {n} holds {_kind(x)}; only floats have derivatives")
                self.points += [np.array(part, dtype=float) for part in ((np.real(x), np.imag(x)) if _is_complex(x) else (x,))]
        if not self.points:
            raise errors.DifferentiationError(f"{where} got no floating input to differentiate by; convert with np.asarray(x, float)")
        leaves = [x for part, _ in self.trees for x in part]
        self.names = []
        for x, leaf in zip(leaves, _leaf_names(f, inputs, self.numbers), strict=True):
            self.names += [f"{leaf}.real", f"{leaf}.imag"] if _is_complex(x) else [leaf]
        results = self._outputs(*self._fresh())
        self.kept = [i for i, y in enumerate(results) if _is_float(y) or _is_complex(y)]
        if not self.kept:
            raise errors.DifferentiationError(
                f"{where}: the result holds no floats, it holds {', '.join(map(_kind, results)) or 'nothing'}"
            )
        self.shapes = [np.shape(y) for y in self.tensors(*self._fresh())]
        self.base = self.plain(*self.points)
        if not np.array_equal(self.base, self.plain(*self.points), equal_nan=True):
            raise errors.DifferentiationError(
                f"{where}: two calls with the same inputs gave different results; seed its random numbers inside"
            )
        sizes = [int(np.prod(s, dtype=int)) for s in self.shapes]
        total = sum(sizes)
        self.cotangent = np.ones(1) if total == 1 else self.rng.choice([-1.0, 1.0], total) * self.rng.uniform(0.5, 1.5, total)
        self.sizes: dict[tuple[str, Any], float] = {}  # of f's changing values, by a unit of each element: rounding's measure
        self.seeds = [c.reshape(s) for c, s in zip(np.split(self.cotangent, np.cumsum(sizes)[:-1]), self.shapes, strict=True)]

    def _fresh(self) -> list[Array]:
        return [x.copy() for x in self.points]

    def _outputs(self, *leaves: Any) -> list[Any]:
        left = iter(leaves)
        args = [np.array(a) if isinstance(a, np.ndarray) else a for a in self.inputs]
        for n, (old, unflatten) in zip(self.numbers, self.trees, strict=True):
            args[n] = unflatten([next(left) + 1j * next(left) if _is_complex(x) else next(left) for x in old])
        return flatten(self.f(*args))[0]

    def tensors(self, *leaves: Any) -> list[Any]:
        results = self._outputs(*leaves)
        kept = [results[i] for i in self.kept]
        return [part for y in kept for part in ((np.real(y), np.imag(y)) if _is_complex(y) else (y,))]

    def plain(self, *leaves: Array) -> Array:
        """Return all outputs as one flat array; also of complex leaves."""
        results = [np.ravel(np.asarray(y)) for y in self.tensors(*(x.copy() for x in leaves))]
        return results[0] if len(results) == 1 else np.concatenate(results)

    def scalar(self, *leaves: Any) -> Any:
        """Contract the outputs with the cotangent: what the second order differentiates."""
        total: Any = 0.0
        for seed, y in zip(self.seeds, self.tensors(*leaves), strict=True):
            total = total + np.sum(seed * y)
        return total

    def size(self, place: tuple[str, Any]) -> float:
        """Return what `sizes` knows of an element; the largest where the result did not change by a bit, as rounding may still matter."""
        return self.sizes.get(place, 0.0) or max(self.sizes.values(), default=0.0)

    # all leaves as one vector

    def pack(self, leaves: Sequence[Array]) -> Array:
        return np.concatenate([np.ravel(x) for x in leaves])

    def unpack(self, vector: Array) -> list[Array]:
        ends = np.cumsum([x.size for x in self.points])[:-1]
        return [part.reshape(x.shape).copy() for part, x in zip(np.split(vector, ends), self.points, strict=True)]

    def direction(self) -> Array:
        """Return a random direction of signed powers of two, each of the magnitude of its element."""
        parts = []
        for x in self.points:
            magnitude = abs(x[x != 0])
            size = np.where(x == 0, np.median(magnitude) if magnitude.size else 1.0, abs(x))
            exponent = np.frexp(np.where(np.isfinite(size), size, 1.0))[1] + self.rng.integers(-2, 1, x.shape)
            parts.append(self.rng.choice([-1.0, 1.0], x.shape) * np.ldexp(1.0, exponent))
        return self.pack(parts)

    def values(self) -> list[GradientRow]:
        """Return a row for each output that differs between Tensors and arrays: the operation is then not the same function."""
        found, _ = transforms.vjp(self.tensors, *self._fresh())
        actual = np.concatenate([np.ravel(y) for y in found])
        same = np.isclose(actual, self.base, rtol=VALUE, atol=0.0, equal_nan=True)
        return [
            GradientRow(f"output {i}", None, "value", float(self.base[i]), float(actual[i]), 0.0, "fail") for i in np.flatnonzero(~same)
        ]


def _first_order(problem: _Problem, tolerance: float, elements: int, notes: list[str]) -> list[GradientRow]:
    reverse = problem.unpack(_reverse(problem))
    _, push = linearized(problem.tensors, problem._fresh(), f"check_gradients({problem.name})")

    def forward(tangents: list[Array]) -> float:
        return float(sum(np.sum(c * t) for c, t in zip(problem.seeds, push(tangents), strict=True)))

    table = []
    sampled = False
    for k, (x, name) in enumerate(zip(problem.points, problem.names, strict=True)):
        chosen = list(np.ndindex(*x.shape))
        if len(chosen) > elements:
            picked = problem.rng.choice(len(chosen), elements, replace=False)
            notes.append(f"{name}: {elements} of {len(chosen)} elements compared one by one, all of them in random directions")
            chosen, sampled = [chosen[i] for i in np.sort(picked)], True
        found = numeric.elementwise(problem.plain, problem.points, k, chosen, problem.cotangent)
        for index, expected, error, scale in zip(chosen, *found, strict=True):
            problem.sizes[name, index] = float(scale / max(abs(x[index]), 1.0))
            table.append((k, name, index, expected, error))
    rows = []
    for k, name, index, expected, error in table:
        floor = ROUNDING * problem.size((name, index))
        tangents = [np.zeros_like(p) for p in problem.points]
        tangents[k][index] = 1.0
        for mode, actual in (("reverse", reverse[k][index]), ("forward", forward(tangents))):
            rows.append(_row(name, index, mode, expected, actual, error, floor, tolerance))
    if sampled:
        point = problem.pack(problem.points)
        for _ in range(2):
            d = problem.direction()
            found = numeric.directional(lambda v: problem.plain(*problem.unpack(v)), point, d, problem.cotangent)
            terms = d * problem.pack(reverse)
            floor = ROUNDING * max(float(found.scale[0]), float(np.sum(abs(terms))))
            for mode, actual in (("reverse", np.sum(terms)), ("forward", forward(problem.unpack(d)))):
                rows.append(_row("(all)", None, mode, found.value[0], actual, found.error[0], floor, tolerance))
    return rows


def _reverse(problem: _Problem) -> Array:
    _, pullback = transforms.vjp(problem.tensors, *problem._fresh())
    return problem.pack(pullback(list(problem.seeds)))


def _second_order(problem: _Problem, tolerance: float, elements: int, doubtful: set[Any]) -> list[GradientRow]:
    """Compare Hessian-vector products with numeric derivatives of the gradient, along two random directions.

    The derivative of a gradient that is itself in doubt proves nothing.
    """
    point = problem.pack(problem.points)
    numbers = tuple(range(len(problem.points)))
    gradient = transforms.grad(problem.scalar, numbers)
    places = [(name, index) for x, name in zip(problem.points, problem.names, strict=True) for index in np.ndindex(*x.shape)]
    chosen = range(len(places)) if len(places) <= elements else np.sort(problem.rng.choice(len(places), elements, replace=False))
    sizes = np.array([problem.size(place) for place in places])
    rows = []
    for _ in range(2):
        d = problem.direction()
        vectors = problem.unpack(d)
        expected = numeric.directional(lambda v: problem.pack(gradient(*problem.unpack(v))), point, d, scale=sizes, piecewise=True)

        def slope(*leaves: Any, vectors: list[Array] = vectors) -> Any:
            return sum(np.sum(v * g) for v, g in zip(vectors, gradient(*leaves), strict=True))

        products = {
            "forward over reverse": problem.pack(transforms.hvp(problem.scalar, tuple(problem._fresh()), tuple(vectors))),
            "reverse over reverse": problem.pack(transforms.grad(slope, numbers)(*problem._fresh())),
        }
        for i in chosen:
            floor = ROUNDING * expected.scale[i]
            for mode, actual in products.items():
                error = np.inf if places[i] in doubtful else expected.error[i]
                rows.append(_row(*places[i], mode, expected.value[i], actual[i], error, floor, tolerance))
    return rows


# --- verdicts -------------------------------------------------------------------------------------


def _row(name: str, index: Any, mode: str, expected: Any, actual: Any, error: Any, floor: Any, tolerance: float) -> GradientRow:
    expected, actual, error = float(expected), float(actual), float(error)
    verdict = _judge(expected, actual, error, float(floor), tolerance)
    return GradientRow(name, index, mode, expected, actual, error, verdict)


def _judge(expected: float, actual: float, error: float, floor: float, tolerance: float) -> str:
    """Decide about one derivative; `floor` is what rounding may do to a derivative that is zero."""
    if not np.isfinite(expected) or not np.isfinite(error):
        return "inconclusive"
    if expected == error == 0 and abs(actual) <= UNSEEN:
        return "pass"
    if not np.isfinite(actual):
        return "fail"
    allowed = tolerance * max(abs(expected), abs(actual))
    if abs(actual - expected) > allowed + 4 * error + 1e-4 * floor:
        return "fail"
    return "pass" if error <= max(allowed, floor) else "inconclusive"


def _badness(row: GradientRow) -> tuple[int, float]:
    largest = max(abs(row.expected), abs(row.actual))
    off = abs(row.actual - row.expected) / largest if largest > 0 else 0.0
    return RANK[row.verdict], -off if np.isfinite(off) else -np.inf


# --- inputs ---------------------------------------------------------------------------------------


def _is_float(x: Any) -> bool:
    return x.dtype.kind == "f" if hasattr(x, "dtype") else type(x) is float


def _is_complex(x: Any) -> bool:
    return x.dtype.kind == "c" if hasattr(x, "dtype") else type(x) is complex


def _kind(x: Any) -> str:
    return str(getattr(x, "dtype", type(x).__name__))


def _all_floats(tree: PyTree) -> bool:
    leaves, _ = flatten(tree)
    return bool(leaves) and all(_is_float(x) or _is_complex(x) for x in leaves)


def _leaf_names(f: Callable[..., Any], inputs: Sequence[Any], chosen: Sequence[int]) -> list[str]:
    """Name every differentiated leaf: ``W``, ``params['W']``, ``layers[0]['b']``."""
    import optree

    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # ufuncs and other C functions on NumPy 2.0
        parameters = []
    known = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = []
    for n in chosen:
        base = known[n] if n < len(known) else f"x{n + 1}"
        names += [base + "".join(f"[{key!r}]" for key in path) for path in optree.tree_paths(inputs[n])]
    return names
