"""Every row of the table under ag.vmap, against an explicit loop: values, both orders of vmap and derivatives, vmap in vmap."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from table import DERIVED, ROWS, SAMPLED, Sample, arrays_of, rng_of, rows, samples, seed_of

import autograd_np as ag
from autograd_np.op import SAMPLES, Op

LOOPS = {
    "convolve", "correlate", "poly", "polymul", "lstsq", "polyfit", "unique", "union1d", "_unique_places", "_value_places", "trim_zeros",
    "argwhere", "flatnonzero", "lexsort", "histogram_bin_edges", "nanmedian", "nanquantile", "nanpercentile", "geomspace",
    "searchsorted", "digitize", "isin", "interp",  # what is looked up in differs
    "tril", "triu",  # of vectors
    "fftn",  # with an axis named twice
    "solved",
}  # fmt: skip
"""Rows and derived functions of which some sample goes through the examples one by one, and says so."""


def different(s: Sample, count: int) -> list[list[np.ndarray]]:
    """Return for each floating argument as many arrays: its numbers in other orders, or times a factor where order matters."""
    rng = rng_of(s.op)
    found = []
    for n, x in zip(s.wrt, s.floats, strict=True):
        fixed = s.op.domains[min(n, len(s.op.domains) - 1)].hermitian or s.op.name in ("interp", "searchsorted", "digitize")  # sorted
        found.append(
            [
                x * (1 + 0.1 * i) if fixed else (rng.permutation(x.ravel()) * (1 + 0.01 * i)).reshape(x.shape).astype(x.dtype)
                for i in range(count)
            ]
        )
    return found


def choices(count: int) -> Iterator[tuple[bool, ...]]:
    """Yield which arguments hold examples: all, and each alone."""
    yield (True,) * count
    if count > 1:
        for i in range(count):
            yield tuple(j == i for j in range(count))


def mapped(call: Any, axes: tuple[Any, ...], op: Op, *args: Any) -> Any:
    """Apply `vmap`; only rows that are known to loop may do so."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = ag.vmap(call, in_axes=axes)(*args)
    loops = [w for w in told if w.category is ag.LoopWarning]
    of_scipy = str(getattr(op.fn, "__module__", "")).startswith("autograd_np.ops.for_scipy")
    assert not loops or op.name in LOOPS or of_scipy, (
        f"{op.name} loops: give it a rule in batching/, or its name to LOOPS. {loops[0].message}"
    )
    return found


def close(actual: Any, expected: list[Any], what: str, s: Sample) -> None:
    np.testing.assert_allclose(actual, np.stack([arrays_of(e) for e in expected]), rtol=1e-9, atol=1e-11, err_msg=f"{what} of {s}")


def arranged(s: Sample, count: int) -> Iterator[tuple[tuple[Any, ...], list[Any], list[list[Any]]]]:
    """Yield in_axes, stacked arguments, and the arguments of each example."""
    stacks = different(s, count)
    for chosen in choices(len(stacks)):
        given = [np.stack(xs) if c else x for xs, c, x in zip(stacks, chosen, s.floats, strict=True)]
        each = [[xs[i] if c else x for xs, c, x in zip(stacks, chosen, s.floats, strict=True)] for i in range(count)]
        yield tuple(0 if c else None for c in chosen), given, each


@rows([*ROWS, *SAMPLES.values()])
def test_the_values_are_those_of_a_loop(op: Op) -> None:
    for s in samples(op):
        if not s.floats:
            continue
        for axes, given, each in arranged(s, 3):
            expected = [s.call(*xs) for xs in each]
            actual = mapped(s.call, axes, op, *given)
            assert np.shape(actual)[1:] == np.shape(expected[0]), s
            assert np.asarray(actual).dtype == np.result_type(*(np.asarray(e).dtype for e in expected)), s
            assert not isinstance(actual, ag.Tensor)
            close(actual, expected, "value", s)


@rows(SAMPLED)
def test_a_gradient_for_each_example(op: Op) -> None:
    for s in samples(op):
        w = seed_of(s, np.asarray(s.call(*s.floats)))

        def pulled(*xs: Any, s: Sample = s, w: Any = w) -> Any:
            return ag.vjp(s.call, *xs)[1](w)

        for axes, given, each in arranged(s, 2):
            expected = [pulled(*xs) for xs in each]
            actual = mapped(pulled, axes, op, *given)
            for n, g in enumerate(actual):
                close(g, [e[n] for e in expected], f"gradient by argument {s.wrt[n]}", s)


@rows(SAMPLED)
def test_the_gradient_through_all_examples(op: Op) -> None:
    for s in samples(op):
        for axes, given, each in arranged(s, 2):
            w = seed_of(s, np.asarray(s.call(*s.floats)))
            _, pullback = ag.vjp(lambda *xs, s=s, axes=axes: mapped(s.call, axes, op, *xs), *given)
            found = pullback(np.stack([w, 2 * w]))
            alone = [ag.vjp(s.call, *xs)[1](k * w) for k, xs in zip((1, 2), each, strict=True)]
            for n, axis in enumerate(axes):
                expected = [a[n] for a in alone]
                if axis is None:
                    close(found[n][None], [sum(expected)], "gradient by what is shared", s)
                else:
                    close(found[n], expected, "gradient through all examples", s)


@rows(SAMPLED)
def test_tangents_and_vmap_in_vmap(op: Op) -> None:
    for s in samples(op):
        stacks = [np.stack([np.stack(pair) for pair in (xs[:2], xs[2:])]) for xs in different(s, 4)]
        tangents = [x[::-1] for x in stacks]
        count = len(stacks)

        def push(*both: Any, s: Sample = s, count: int = count) -> Any:
            return ag.jvp(s.call, both[:count], both[count:])

        inner = lambda *xs, push=push: mapped(push, (0,) * len(xs), op, *xs)  # noqa: E731
        value, moved = mapped(inner, (0,) * (2 * count), op, *stacks, *tangents)
        for i, j in np.ndindex(2, 2):
            expected = push(*(x[i, j] for x in stacks), *(t[i, j] for t in tangents))
            close(value[i, j][None], [expected[0]], "value in two vmaps", s)
            close(moved[i, j][None], [expected[1]], "tangent in two vmaps", s)


def test_what_loops_is_a_row() -> None:
    names = {op.name for op in [*ROWS, *SAMPLES.values()]} | {getattr(fn, "__name__", "") for fn in DERIVED}
    assert names >= LOOPS
