"""From a wrong array and the right one to the mistake: hypotheses on values, the simplest first.

Each hypothesis must hold to rounding on every test point. `edits` has the hypotheses on the text of a line.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.edit import Edit
from autograd_np.check.explain.factors import Factor, factors_of
from autograd_np.check.judge.compare import close, constant_ratio
from autograd_np.typing import Array

__all__ = ["Diagnosis", "Sample", "diagnosis_of", "explain"]


@dataclass
class Diagnosis:
    """A claimed mistake; `rank` says how simple the explanation is."""

    rank: float
    kind: str
    message: str
    factor: float | None = None


def diagnosis_of(edit: Edit) -> Diagnosis:
    """Return the mistake that an edit undoes."""
    return Diagnosis(edit.rank, edit.kind, edit.message, edit.factor)


@dataclass
class Sample:
    """One test point of a wrong line.

    Attributes
    ----------
    actual, expected : arrays
        What the line computed, and the right value.
    terms : list of (name, array)
        What each use of the variable contributes to the right value.
    variables : mapping
        Arrays a derivative may contain.
    sizes : mapping
        Numbers a scale may be made of.
    slack : array
        What rounding can make of the right value.
    others : mapping
        Gradients of other variables of the same shape: nearer the loss under ``"after X"``, farther from it under
        ``"before X"``, else ``"beside X"``.
    divided : collection of str
        The variables that the text of the line divides by.
    """

    actual: Array
    expected: Array
    terms: Sequence[tuple[str, Array]]
    variables: Mapping[str, Any]
    sizes: Mapping[str, float]
    slack: Any
    others: Mapping[str, Array] = field(default_factory=dict)
    divided: Collection[str] = ()


def explain(samples: Sequence[Sample], variable: str, tolerance: float) -> Diagnosis | None:
    """Return the simplest hypothesis that explains every sample, or ``None``."""
    if any(not np.all(np.isfinite(s.actual)) for s in samples):
        return Diagnosis(0, "not-finite", f"`{variable}` is not finite: it has NaN or infinite elements")
    best: Diagnosis | None = None
    for hypothesis in (_shape, _scale, _transpose, _terms, _factor, _other_gradient, _two_factors, _term_scale, _projection):
        found = hypothesis(samples, variable, tolerance)
        if found is not None and (best is None or found.rank < best.rank):
            best = found
        if best is not None and best.rank <= 5:
            break
    return best


def _every(samples: Sequence[Sample], test: Any) -> bool:
    return all(test(s) for s in samples)


def _shape(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    got, want = samples[0].actual.shape, samples[0].expected.shape
    if got == want:
        return None
    if len(want) == 2 and _every(samples, lambda s: close(s.actual.T, s.expected, tol, s.slack)):
        return Diagnosis(0, "transpose", f"`{v}` is the transpose of the gradient: shape {got}, expected {want}")
    if samples[0].actual.size == samples[0].expected.size and _every(
        samples, lambda s: close(s.actual.reshape(want), s.expected, tol, s.slack)
    ):
        return Diagnosis(0, "shape", f"`{v}` has the right numbers in shape {got}; the gradient has shape {want} (keepdims?)")
    axes = range(len(got))
    for n in range(1, len(got) + 1):
        for which in itertools.combinations(axes, n):
            if _every(samples, lambda s, w=which: _sums_to(s.actual, s.expected, w, tol, s.slack)):
                return Diagnosis(
                    0,
                    "wrong-reduction",
                    f"`{v}` has shape {got}; it must be summed over axis {', '.join(map(str, which))} to the shape {want}",
                )
    return Diagnosis(12, "unknown", f"`{v}` has shape {got}, the gradient has shape {want}")


def _sums_to(a: Array, b: Array, axes: tuple[int, ...], tol: float, slack: Any) -> bool:
    total = a.sum(axis=axes)
    return bool(total.size == b.size and close(total.reshape(b.shape), b, tol, slack))


def _scale(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    ratios = [constant_ratio(s.actual, s.expected, tol, s.slack) for s in samples]
    if any(c is None for c in ratios):
        if _every(samples, lambda s: not np.any(s.actual) and np.any(s.expected)):
            return Diagnosis(10, "unknown", f"`{v}` is zero")
        return None
    known = [c for c in ratios if c is not None]
    c = known[0]
    if all(abs(k - c) <= 1e-6 * abs(c) for k in known):
        if abs(c - 1) < 1e-6:
            return None
        if abs(c + 1) < 1e-6:
            return Diagnosis(1, "sign", f"the sign of `{v}` is wrong", -1.0)
        return Diagnosis(2, "scale", _scale_words(v, c, samples[0].sizes), c)
    ratio_of_two = _named_ratio(samples, known)
    if ratio_of_two is not None:
        return Diagnosis(3, "scale", f"`{v}` is scaled by {ratio_of_two}", c)
    for name in samples[0].sizes:  # a scale that varies from point to point: a scalar variable
        for power, words in ((1, f"the factor `{name}` does not belong"), (-1, f"the factor `{name}` is missing")):
            if all(abs(k - s.sizes[name] ** power) <= 1e-6 * abs(k) for k, s in zip(known, samples, strict=True) if s.sizes.get(name)):
                return Diagnosis(3, "scale", f"`{v}`: {words}", c)
    return None


def _named_ratio(samples: Sequence[Sample], ratios: Sequence[float]) -> str | None:
    """Return ``a / b`` for two scalars whose quotient is the ratio at every point."""
    names = list(samples[0].sizes)
    for a, b in itertools.permutations(names, 2):
        if all(
            s.sizes.get(a) and s.sizes.get(b) and abs(r - s.sizes[a] / s.sizes[b]) <= 1e-7 * abs(r)
            for r, s in zip(ratios, samples, strict=True)
        ):
            return f"`{a}` / `{b}`: divided by `{b}` where it should be `{a}`"
    return None


def _scale_words(v: str, c: float, sizes: Mapping[str, float]) -> str:
    sign = " and its sign is wrong" if c < 0 else ""
    size = abs(c)
    words = f"{size:.6g} × too large" if size > 1 else f"{1 / size:.6g} × too small"
    for name, n in sizes.items():
        shown = f" ({name} = {n:g})" if not name[0].isdigit() else ""
        if n not in (0, 1) and abs(size - n) < 1e-6 * n:
            return f"`{v}` is {words}{sign}: 1/{name} is missing{shown}"
        if n not in (0, 1) and abs(size * n - 1) < 1e-6:
            return (
                f"`{v}` is {words}{sign}: it is divided by {name} once too often{shown}"
                if n > 1
                else f"`{v}` is {words}{sign}: the factor {name} is too much"
            )
    for name, n in sizes.items():
        if n > 1 and abs(size - n**0.5) < 1e-6 * size:
            return f"`{v}` is {words}{sign}: 1/√{name} is missing"
        if n > 1 and abs(size * n**0.5 - 1) < 1e-6:
            return f"`{v}` is {words}{sign}: it is divided by √{name} once too often"
    return f"`{v}` is {words}{sign}"


def _transpose(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    shape = samples[0].expected.shape
    if len(shape) == 2 and shape[0] == shape[1] > 1 and _every(samples, lambda s: close(s.actual.T, s.expected, tol, s.slack)):
        return Diagnosis(3, "transpose", f"`{v}` is the transpose of the gradient")
    return None


def _terms(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    count = len(samples[0].terms)
    if count < 2 or count > 8 or any(len(s.terms) != count or s.actual.shape != s.expected.shape for s in samples):
        return None
    names = [name for name, _ in samples[0].terms]
    for n in range(1, count):
        for which in itertools.combinations(range(count), n):
            said = " and ".join(dict.fromkeys(f"`{names[i]}`" for i in which))

            def differs(s: Sample, times: float, which: tuple[int, ...] = which) -> bool:
                part = sum(s.terms[i][1] for i in which)
                return bool(
                    np.max(np.abs(part), initial=0.0) > 1e-10 * float(np.max(np.abs(s.expected), initial=0.0))
                    and close(s.actual, s.expected + times * part, tol, s.slack)
                )

            if _every(samples, lambda s: differs(s, -1)):
                return Diagnosis(4, "missing-term", f"the contribution through {said} is missing from `{v}`")
            if _every(samples, lambda s: differs(s, 1)):
                return Diagnosis(4, "double-count", f"the contribution through {said} is counted twice in `{v}`")
            if _every(samples, lambda s: differs(s, -2)):
                return Diagnosis(4, "sign", f"the contribution through {said} has the wrong sign in `{v}`")
    return None


def _term_scale(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    count = len(samples[0].terms)
    if count < 2 or any(len(s.terms) != count or s.actual.shape != s.expected.shape for s in samples):
        return None
    for i, (name, _) in enumerate(samples[0].terms):
        ratios = [constant_ratio(s.actual - s.expected, s.terms[i][1], tol * 100, s.slack) for s in samples]
        known = [r for r in ratios if r is not None]
        if len(known) == len(ratios) and all(abs(r - known[0]) < 1e-6 * abs(r) for r in known):
            if abs(known[0] + 1) < 1e-6:
                return Diagnosis(6.5, "missing-term", f"the contribution through `{name}` is missing from `{v}`")
            return Diagnosis(6.5, "scale", f"in `{v}` the contribution through `{name}` is multiplied by {1 + known[0]:.6g}", 1 + known[0])
    return None


def _other_gradient(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    """Compare with the gradients of neighbours: a step of the chain rule is missing, or there is one too many."""
    for label in samples[0].others:
        if all(label in s.others and close(s.actual, s.others[label], tol, s.slack) for s in samples):
            side, _, name = label.partition(" ")
            if side == "after":
                return Diagnosis(
                    5.5, "missing-factor", f"`{v}` is still the gradient of `{name}`: the derivative of the step to `{name}` is missing"
                )
            if side == "beside":
                return Diagnosis(8.5, "wrong-point", f"`{v}` is the gradient of `{name}`")
            return Diagnosis(5.5, "extra-factor", f"`{v}` is already the gradient of `{name}`: one step of the chain rule too many")
    return None


def _projection(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    """Normalisations take away a mean or a weighted sum; one may have been forgotten (or taken away in vain)."""
    ndim = samples[0].expected.ndim
    if ndim == 0 or any(s.actual.shape != s.expected.shape for s in samples):
        return None
    names = [n for n, x in samples[0].variables.items() if np.shape(x) == samples[0].expected.shape]
    for axis in range(ndim):
        for name in [None, *names]:
            for kind, sign in (("missing-term", -1), ("extra-term", 1)):
                if all(_projected(s, name, axis, sign, tol) for s in samples):
                    what = (
                        f"the mean over axis {axis}"
                        if name is None
                        else f"the sum over axis {axis} that `{name}` brings (its normalisation)"
                    )
                    return Diagnosis(7, kind, f"in `{v}` {what} is {'not taken away' if sign < 0 else 'taken away once too often'}")
    return None


def _projected(s: Sample, name: str | None, axis: int, sign: int, tol: float) -> bool:
    source, wanted = (s.actual, s.expected) if sign < 0 else (s.expected, s.actual)
    if name is None:
        return close(source - source.mean(axis=axis, keepdims=True), wanted, tol, s.slack)
    p = np.asarray(s.variables.get(name, np.nan), float)
    if p.shape != source.shape:
        return False
    return close(source - p * source.sum(axis=axis, keepdims=True), wanted, tol, s.slack) or close(
        source - p * (p * source).mean(axis=axis, keepdims=True), wanted, tol, s.slack
    )


def _varied(f: Factor) -> bool:
    return bool(np.size(f.value) > 1 and np.ptp(np.asarray(f.value)) > 1e-12)


def _by_name(s: Sample) -> dict[str, Factor]:
    return {f.name: f for f in factors_of(s.variables, s.expected.shape) if _varied(f) or s.expected.size == 1}


def _factor(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    if any(s.actual.shape != s.expected.shape for s in samples):
        return None
    tables = [_by_name(s) for s in samples]
    divided = samples[0].divided
    found: list[Diagnosis] = []
    for name, f in tables[0].items():
        if not all(name in t for t in tables):
            continue
        plain_divisor = f.function == "" and divided and f.of not in divided  # a root or a power may be what differs
        rank = 7.3 if plain_divisor else 5 if f.function in _DERIVATIVES else 6.5 if f.function == "1-" else 7.5
        if all(close(s.actual * t[name].value, s.expected, tol, s.slack) for s, t in zip(samples, tables, strict=True)):
            if f.of in divided:
                found.append(Diagnosis(rank, "extra-factor", f"`{v}` is divided by {_nice(f)} once too often"))
            else:
                found.append(Diagnosis(rank, "missing-factor", f"`{v}` lacks the factor {_nice(f)}"))
        elif all(close(s.actual, s.expected * t[name].value, tol, s.slack) for s, t in zip(samples, tables, strict=True)):
            if f.of in divided:
                found.append(Diagnosis(rank, "missing-factor", f"`{v}` lacks the factor 1 / {_nice(f)}"))
            else:
                found.append(Diagnosis(rank, "extra-factor", f"`{v}` has the factor {_nice(f)} once too often"))
    return min(found, key=lambda d: d.rank, default=None)


_DERIVATIVES = ("", "σ'", "tanh'", "relu'")


def _nice(f: Factor) -> str:
    return f"`{f.name}`"


def _two_factors(samples: Sequence[Sample], v: str, tol: float) -> Diagnosis | None:
    """Find f, h with actual / f = expected / h: the right product with f in the place of h."""
    first = samples[0]
    if first.actual.shape != first.expected.shape or first.expected.size < 2:
        return None
    tables = [_by_name(s) for s in samples]
    names = [n for n in tables[0] if all(n in t for t in tables)]
    if not names or len(names) > 400:
        return None
    probe = np.random.default_rng(1).normal(size=first.expected.shape)
    left = np.array([np.sum(first.actual * tables[0][n].value * probe) for n in names])
    right = np.array([np.sum(first.expected * tables[0][n].value * probe) for n in names])
    order = np.argsort(right)
    found: list[tuple[str, str]] = []
    for i, x in enumerate(left):
        span = max(abs(x) * tol * 10, 1e-13 * float(np.max(np.abs(first.expected), initial=0.0)))
        lo, hi = np.searchsorted(right[order], [x - span, x + span])
        found += [(names[i], names[j]) for j in order[lo:hi] if names[j] != names[i]]
    good = [
        (tables[0][a], tables[0][b])
        for a, b in found[:200]
        if all(close(s.actual * t[a].value, s.expected * t[b].value, tol, s.slack) for s, t in zip(samples, tables, strict=True))
    ]
    if not good:
        return None
    needed, used = min(good, key=lambda p: (p[0].function != p[1].function, len(p[0].name) + len(p[1].name)))
    if needed.function == used.function and needed.function:
        return Diagnosis(7.4, "wrong-point", f"in `{v}` the derivative is taken at `{used.of}`, should be `{needed.of}`")
    return Diagnosis(7.4, "wrong-point", f"`{v}` has the factor `{used.name}` where it needs `{needed.name}`")
