"""Every row of the table, compiled, is what it is eagerly: its value and its gradient, also for numbers that it was not traced with."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np import errors

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
from table import CALLED, ROWS, SAMPLED, rows, samples

from autograd_np.op import SAMPLES

READS = "reads the values of a Tensor"
REFUSED: dict[str, str] = {
    "unique": "shape depends on values",
    "union1d": "shape depends on values",
    "bincount": READS,
    "histogram_bin_edges": READS,
    "trim_zeros": READS,
    "setitem": READS,
    "interp": READS,
    "geomspace": "under trace",
    "logm": "draws random numbers",
    "getitem": "shape depends on values",
    "nanquantile": READS,
    "nanpercentile": READS,
    "nanmedian": READS,
}
"""Rows of which some sample calls are refused, and what the error says."""

WHYS = (READS, "shape depends on values", "under trace", "draws", "something else each time")
"""What is said of calls that are refused."""

INCREASING = {"interp"}
"""Rows whose points have to increase, so that they may not change places."""


def leaves(x: Any) -> list[Any]:
    return [y for z in x for y in leaves(z)] if isinstance(x, (tuple, list)) else [np.asarray(x)]


def same(got: Any, wanted: Any, near: float) -> None:
    for a, b in zip(leaves(got), leaves(wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if b.dtype == bool:
            assert np.array_equal(a, b)
            continue
        finite = np.isfinite(b)
        size = float(np.max(np.abs(b[finite]), initial=1.0))
        assert np.all(np.abs(a[finite] - b[finite]) <= near * size), (a, b)


@rows(SAMPLED)
def test_a_compiled_row_is_what_eager_computes(op: Any) -> None:
    for i, sample in enumerate(s for s in samples(op) if s.floats):
        for dtype in (None, np.float32)[: 2 if i == 0 else 1]:
            floats = [x if dtype is None or x.dtype.kind != "f" else x.astype(dtype) for x in map(np.asarray, sample.floats)]
            near = 1e-3 if dtype is np.float32 else 1e-8

            def f(*x: Any, sample: Any = sample) -> Any:
                return sample.call(*x)

            def g(*x: Any, f: Any = f) -> Any:
                out, pull = ag.vjp(f, *x)
                return pull(np.ones_like(out))

            other = [np.roll(x, 1) if x.ndim < 2 and op.name not in INCREASING else x * x.dtype.type(1.001) for x in floats]
            for what in (f, g):
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        expected = what(*floats), what(*other)
                    except Exception:  # noqa: BLE001
                        continue  # not differentiable, or not at these numbers
                    compiled = ag.compile(what)
                    try:
                        first = compiled(*floats)
                    except errors.AutogradError as error:
                        if op.name not in REFUSED or REFUSED[op.name] not in str(error):
                            raise
                        pytest.skip(str(error)[:100])
                    same(first, expected[0], near)
                    same(compiled(*other), expected[1], near)


def drawn(op: Any, x: Any, i: int, rng: Any) -> Any:
    """Return quite other numbers of an argument's domain; what is increasing stays so."""
    domain = op.domains[min(i, len(op.domains) - 1)]
    if x.dtype.kind not in "fc" or domain.hermitian or domain.complex or domain.dtype != "float" or op.name in INCREASING:
        return rng.permutation(x.ravel()).reshape(x.shape) if x.dtype.kind in "biu" and op.name not in INCREASING else x * 1.3
    return np.asarray(domain.sample(rng, x.shape)).astype(x.dtype)


@rows([*ROWS, *SAMPLES.values()])
def test_no_number_of_the_first_call_is_in_a_compiled_row(op: Any) -> None:
    for sample in samples(op):
        places = [i for i, x in enumerate(sample.arrays) if isinstance(x, np.ndarray)]

        def f(*x: Any, sample: Any = sample, places: Any = places) -> Any:
            arrays = list(sample.arrays)
            for i, a in zip(places, x, strict=True):
                arrays[i] = a
            fn = CALLED[sample.op]
            found = fn(arrays, **sample.attrs) if sample.op.variadic else fn(*arrays, **sample.attrs)
            return found if sample.part is None else found[sample.part]

        given = [sample.arrays[i] for i in places]
        others = [drawn(op, x, i, np.random.default_rng(7)) for i, x in zip(places, given, strict=True)]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = f(*others)
            except Exception:  # noqa: BLE001
                continue  # not at these numbers
            compiled = ag.compile(f, backend="numpy")
            try:
                compiled(*given)
            except errors.AutogradError as error:
                text = str(error)
                assert "test_compiled_rows.py:" in text, text
                assert any(
                    why in text
                    for why in (READS, "shape depends on values", "under trace", "draws", "something else each time", "no array")
                )
                continue
            same(compiled(*others), expected, 1e-7)
