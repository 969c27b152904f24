"""Every row of the table: its derived pass is printed, executed, and equal to eager."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from executed import agrees

from autograd_np import errors

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
from table import SAMPLED, rows, samples

CANNOT_BE_CALLED = "has no name by which a program could call it"
"""Rows that are derivatives of others (by the order of a Bessel function), and have no name of their own."""

REFUSED = {
    "solved": "an operation has an argument of type",
    "sparse_product": "an operation has an argument of type",
    "solve_factored": "an operation has an argument of type",
    "geomspace": "under trace",
}
"""Rows of which some sample calls are refused, and what the error says."""


@rows(SAMPLED)
def test_a_derived_pass_is_what_eager_computes(op: Any) -> None:
    found = [s for s in samples(op) if s.floats and all(x.dtype.kind == "f" for x in s.floats)]
    for i, sample in enumerate(found):
        for dtype in (np.float64, np.float32)[: 2 if i == 0 else 1]:
            floats = [np.asarray(x, dtype) for x in sample.floats]

            def f(*x: Any, sample: Any = sample) -> Any:
                return sample.call(*x)

            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                is_real = np.asarray(f(*floats)).dtype.kind == "f"
                try:
                    agrees(f, *floats)
                except errors.AutogradError as error:
                    told = str(error)
                else:
                    told = ""
            if is_real:
                assert told == "" or CANNOT_BE_CALLED in told or REFUSED.get(op.name, CANNOT_BE_CALLED) in told
            else:
                assert "real floating results" in told or "does not depend" in told
