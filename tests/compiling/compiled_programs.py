"""Random programs, compiled, are what they are eagerly: values, gradients, second derivatives.

Run as a script, it judges as many as it is told to: ``python tests/compiling/compiled_programs.py 0 20000``.
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

sys.path.insert(0, str(Path(__file__).parents[1] / "derivations"))
from programs import program  # type: ignore[attr-defined]


def leaves(x: Any) -> list[Any]:
    """Return the arrays of a result."""
    return [y for z in x for y in leaves(z)] if isinstance(x, (tuple, list)) else [np.asarray(x)]


def other(x: Any, rng: np.random.Generator) -> Any:
    """Return other numbers of the same shape and dtype."""
    return (x + 0.3 * rng.normal(size=np.shape(x))).astype(x.dtype)


def agree(got: Any, wanted: Any, near: float, scale: float = 1.0) -> None:
    """Demand that two results are the same up to rounding, where the second is finite."""
    for a, b in zip(leaves(got), leaves(wanted), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        finite = np.isfinite(b)
        size = max(float(np.max(np.abs(b[finite]), initial=0.0)), scale)
        assert np.all(np.abs(a[finite] - b[finite]) <= near * size), (a, b)


def tried(f: Callable[..., Any], inputs: list[Any], rng: np.random.Generator) -> None:
    """Compile a function, and hold it against itself on two more sets of numbers."""
    compiled = ag.compile(f)
    near = 1e-3 if any(x.dtype == np.float32 for x in inputs) else 1e-8
    agree(compiled(*inputs), f(*inputs), near)
    for _ in range(2):
        numbers = [other(x, rng) for x in inputs]
        before = [x.copy() for x in numbers]
        agree(compiled(*numbers), f(*numbers), near)
        for x, y in zip(numbers, before, strict=True):
            np.testing.assert_array_equal(x, y)
    assert compiled.signatures == 1


def judge(seed: int) -> str:
    """Compile a program, its gradient, and for small ones a second derivative."""
    f, inputs, source = program(seed)
    rng = np.random.default_rng(seed)
    where = tuple(range(len(inputs)))
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tried(f, inputs, rng)
            if np.ndim(f(*inputs)):
                return "value"
            tried(ag.value_and_grad(f, where), inputs, rng)
            if seed % 3:
                return "gradient"
            g = ag.grad(f)
            if not np.all(np.isfinite(g(*inputs))):
                return "gradient"
            tried(ag.grad(lambda *x: np.sum(np.sin(ag.grad(f)(*x)))), inputs, rng)
        except errors.AutogradError as error:
            if isinstance(error, errors.CompileError) and "off by" in str(error):
                raise AssertionError(f"program {seed}: {error}\n{source}") from error
            return f"refused: {str(error)[:150]}"
        except AssertionError as error:
            raise AssertionError(f"program {seed}: {error}\n{source}") from error
    return "second order"


def main(start: int, stop: int) -> None:
    """Judge programs and count what became of them."""
    counts: Counter[str] = Counter()
    wrong = []
    for seed in range(start, stop):
        try:
            counts[judge(seed)] += 1
        except Exception as error:  # noqa: BLE001 (all are counted)
            wrong.append(seed)
            print(f"{seed}: {type(error).__name__}: {error}"[:1500])
    print(counts, "wrong:", wrong)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
