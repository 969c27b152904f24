"""Printed programs, executed: the text is the engine's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_np as ag


def executed(source: str) -> dict[str, Any]:
    """Return what a printed program defines."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "<derived>", "exec"), namespace)
    return namespace


def value_and_grad(source: str, *inputs: Any, upstream: Any = None, **captured: Any) -> tuple[Any, tuple[Any, ...]]:
    """Run ``value_and_grad`` of a printed program on the inputs in their order; return the value and the gradients in theirs.

    What the function had captured is given by name, if the program asks for it.
    """
    run = executed(source)["value_and_grad"]
    parameters = list(inspect.signature(run).parameters)
    run = functools.partial(run, **{k: v for k, v in captured.items() if k in parameters})
    parameters = [p for p in parameters if p not in captured]
    arguments = [*inputs, *([] if upstream is None or len(parameters) == len(inputs) else [upstream])]
    assert len(arguments) == len(parameters), f"asks for {parameters}"
    with np.errstate(all="ignore"):
        value, gradients = run(*arguments)
    return value, tuple(gradients.values())


def agrees(f: Callable[..., Any], *inputs: Any, rtol: float | None = None, at: Any = None) -> str:
    """Check that what is printed for `f` returns what `f` does, and the gradients that eager gives; return the text.

    Parameters
    ----------
    f : callable
        Returns one array of floats.
    *inputs : arrays
        All of floats.
    rtol : float, optional
        Relative to the largest element, which decides where terms cancel.
    at : tuple of arrays, optional
        Inputs of other values and sizes, on which the program is run as well.
    """
    source = ag.derive(f, *inputs).to_numpy()
    for arrays in (inputs, *([at] if at is not None else [])):
        check(source, f, arrays, rtol)
    return source


def check(source: str, f: Callable[..., Any], inputs: Any, rtol: float | None = None) -> None:
    """Compare a printed program with `f` and with eager."""
    with np.errstate(all="ignore"):
        out, pull = ag.vjp(f, *inputs)
        seed = np.asarray(np.random.default_rng(0).uniform(0.5, 1.5, np.shape(out)), out.dtype)
        if np.ndim(out) == 0:
            seed = np.ones_like(seed)
        expected = pull(seed)
    rtol = rtol or (1e-8 if all(np.asarray(x).dtype == np.float64 for x in inputs) else 2e-3)
    value, gradients = value_and_grad(source, *inputs, upstream=seed)
    same(value, out, rtol, "the value", source)
    assert len(gradients) == len(expected)
    for i, (a, b) in enumerate(zip(gradients, expected, strict=True)):
        same(a, b, rtol, f"gradient {i + 1}", source)


def same(found: Any, expected: Any, rtol: float | None, what: str, source: str) -> None:
    """Compare shape, dtype and values."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what} has the shape {found.shape}, not {expected.shape}\n{source}"
    assert found.dtype == expected.dtype, f"{what} is {found.dtype}, not {expected.dtype}\n{source}"
    rtol = rtol or 1e-8
    finite = np.abs(expected[np.isfinite(expected)])
    atol = rtol * float(np.max(finite, initial=0.0)) + 1e-4 * rtol
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=f"{what}\n{source}")
