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
from table import SAMPLED, rows, samples

REFUSED: dict[str, str] = {
    "unique": "computed from data outside of the record",
    "union1d": "computed from data outside of the record",
    "bincount": "computed from data outside of the record",
    "setitem": "needs a plain ndarray",
    "interp": "needs a plain ndarray",
    "geomspace": "under trace",
    "logm": "draws random numbers",
    "getitem": "shape depends on values",
    "nanquantile": "computed from data outside of the record",
    "nanpercentile": "computed from data outside of the record",
    "nanmedian": "computed from data outside of the record",
}
"""Rows of which some sample calls are refused, and what the error says."""

INCREASING = {"interp"}
"""Rows whose points have to increase, so that they may not change places."""


def leaves(x: Any) -> list[Any]:
    return [y for z in x for y in leaves(z)] if isinstance(x, (tuple, list)) else [np.asarray(x)]


def same(got: Any, wanted: Any, near: float) -> None:
    for a, b in zip(leaves(got), leaves(wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
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
