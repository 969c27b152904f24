"""Loops without Numba: the text that Numba would compile, run by Python, on random programs.

Run as a script, it judges as many as it is told to: ``python tests/compiling/loops.py 0 20000``; with ``compiled`` behind, by Numba.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_np as ag
from autograd_np import errors
from autograd_np.compiling.numba_code import Pieces, numba_code
from autograd_np.compiling.schedule import scheduled

sys.path.insert(0, str(Path(__file__).parents[1] / "derivations"))
from programs import program  # type: ignore[attr-defined]

PYTHONS: dict[str, Any] = {
    "np": np, "inf": np.inf, "nan": np.nan, "b1": bool, "f4": np.float32, "f8": np.float64, "exp": np.exp, "expm1": np.expm1, "log": np.log,
    "log1p": np.log1p, "logaddexp": np.logaddexp, "maximum": np.maximum, "minimum": np.minimum, "plus": np.add, "tanh": np.tanh,
    "njit": lambda *_, **__: lambda f: f,
}  # fmt: skip
"""What the text of loops means to Python: the same names, from NumPy."""


def pieces_of(compiled: ag.Compiled) -> Pieces:
    """Return what was compiled last as loops."""
    entry = compiled._of_last()
    return Pieces(scheduled(entry.schedule.program, entry.traced.groups), "step")


def interpreted(pieces: Pieces) -> Callable[..., Any]:
    """Return the step that Python runs."""
    names = dict(PYTHONS)
    exec("\n".join(f.text for f in pieces.functions), names)
    return pieces.code({f.name: names[f.name] for f in pieces.functions}).make()


def by_numba(pieces: Pieces) -> Callable[..., Any]:
    """Return the step that Numba compiles."""
    return numba_code(pieces).make()


def same(got: Any, wanted: Any, near: float = 1e-10) -> None:
    """Demand equal results, up to the order in which sums are added; infinities and NaN where they are."""
    assert len(got) == len(wanted)
    for a, b in zip(map(np.asarray, got), map(np.asarray, wanted), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if b.dtype.kind not in "fc":
            np.testing.assert_array_equal(a, b)
            continue
        known = np.isfinite(b)
        np.testing.assert_array_equal(a[~known], b[~known])
        allowed = max(near, 1e-4 if b.dtype == np.float32 else 0.0)
        size = max(float(np.max(np.abs(b[known]), initial=0.0)), 1e-2)
        assert np.all(np.abs(a[known] - b[known]) <= allowed * size), (a, b)


def judged(f: Callable[..., Any], inputs: list[Any], how: Callable[[Pieces], Callable[..., Any]], rng: np.random.Generator) -> str:
    """Hold loops against NumPy, on the inputs and on others; return how much of it is loops."""
    compiled = ag.compile(f, backend="numpy", check=False)
    compiled(*inputs)
    entry = compiled._of_last()
    pieces = pieces_of(compiled)
    if not pieces.functions or pieces.is_long:
        return "no loops"
    step, numpys = how(pieces), entry.code.make()
    for k in range(2):
        data = inputs if k == 0 else [(x + 0.3 * rng.normal(size=np.shape(x))).astype(x.dtype) for x in inputs]
        found = step(*data)
        wanted = numpys(*data)
        if found is None:
            assert any(np.any(np.isnan(x)) for x in map(np.asarray, wanted) if x.dtype.kind in "fc")
            continue
        same(found, wanted, 1e-4 if any(v.dtype == np.float32 for v in entry.schedule.program.values()) else 1e-10)
    return "mixed" if pieces.notes else "loops"


def judge(seed: int, how: Callable[[Pieces], Callable[..., Any]] = interpreted) -> str:
    """Judge a program, and its gradient if it has one."""
    f, inputs, source = program(seed)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rng = np.random.default_rng(seed)
        try:
            said = judged(f, inputs, how, rng)
            if np.ndim(f(*inputs)):
                return said
            return judged(ag.value_and_grad(f, tuple(range(len(inputs)))), inputs, how, rng)
        except errors.AutogradError as error:
            return f"refused: {str(error)[:60]}"
        except Exception as error:
            raise AssertionError(f"program {seed}: {type(error).__name__}: {error}\n{source}") from error


def main(start: int, stop: int, how: Callable[[Pieces], Callable[..., Any]]) -> None:
    """Judge programs and count what became of them."""
    counts: Counter[str] = Counter()
    wrong = []
    for seed in range(start, stop):
        try:
            counts[judge(seed, how)] += 1
        except Exception as error:  # noqa: BLE001 (all are counted)
            wrong.append(seed)
            print(f"{seed}: {error}"[:3000])
    print(counts.most_common(12), "wrong:", wrong)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), by_numba if "compiled" in sys.argv else interpreted)
