"""What a program does with warnings decides nothing of what compiled code gives."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.code import MODULE
from autograd_np.compiling.raising import raises
from autograd_np.compiling.ways import has_numba

FILTERS: dict[str, Any] = {
    "none": lambda: None,
    "ignore": lambda: warnings.simplefilter("ignore"),
    "always": lambda: warnings.simplefilter("always"),
    "of a module": lambda: warnings.filterwarnings("ignore", category=RuntimeWarning, module="autograd_np"),
    "reset": warnings.resetwarnings,
    "of something else": lambda: warnings.filterwarnings("ignore", category=DeprecationWarning),
    "elsewhere": lambda: warnings.filterwarnings("ignore", category=RuntimeWarning, module="numpy.random"),
}


@pytest.fixture(params=FILTERS)
def filters(request: Any) -> Iterator[str]:
    with warnings.catch_warnings():  # those of the tests make errors of what the function itself warns of, too
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=rf"(?!{MODULE})")
        FILTERS[request.param]()
        yield request.param


def log_sum(x: Any) -> Any:
    return np.log(np.sum(np.exp(x)))


@pytest.mark.parametrize("backend", ["numpy", *(["numba"] if has_numba() else [])])
def test_minus_infinity_everywhere_has_a_sum_whatever_is_filtered(filters: str, backend: str) -> None:
    f = ag.compile(log_sum, backend=backend)
    f(np.arange(3.0))
    found = [f(np.array(x)) for x in ([-np.inf, -np.inf, -np.inf], [np.inf, 1.0, 2.0], [-np.inf, 0.0, 0.0], [1e3, 1e3, -np.inf])]
    np.testing.assert_allclose(found, [-np.inf, np.inf, np.log(2.0), 1e3 + np.log(2.0)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("backend", ["numpy", *(["numba"] if has_numba() else [])])
def test_what_compares_sees_the_infinity_and_no_nan(backend: str, dtype: str) -> None:
    def f(x: Any) -> Any:
        y = np.log(np.sum(np.exp(x), axis=1))
        return np.isinf(y), y < -10, np.where(y > 10, 1.0, 2.0), np.isnan(y)

    compiled = ag.compile(f, backend=backend)
    compiled(np.zeros((2, 3), dtype))
    x = np.array([[-np.inf] * 3, [np.inf, 0.0, 1.0], [0.0, 1.0, 2.0], [np.nan, 0.0, 0.0]], dtype)
    for i in range(0, 4, 2):
        with np.errstate(all="ignore"):
            wanted = f(x[i : i + 2])
        for found, expected in zip(compiled(x[i : i + 2]), wanted, strict=True):
            np.testing.assert_array_equal(found, expected)


def test_zeros_win_over_infinities_whatever_is_filtered(filters: str) -> None:
    def loss(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.log(x), 0.0))

    f = ag.compile(ag.grad(loss))
    f(np.arange(1.0, 4.0))
    np.testing.assert_array_equal(f(np.array([0.0, -1.0, 2.0])), [0.0, 0.0, 0.5])


def test_nothing_is_warned_of_that_is_meant(filters: str) -> None:
    f = ag.compile(lambda x: np.log(x))
    f(np.ones(3))
    with warnings.catch_warnings(record=True) as told:
        assert f(np.array([0.0, 1.0, 2.0]))[0] == -np.inf
    assert [str(w.message) for w in told] == []


def test_what_is_written_into_is_what_the_function_writes(filters: str) -> None:
    def step(p: Any, x: Any) -> None:
        p -= log_sum(x)

    f = ag.compile(step, in_place=True)
    p, q = np.zeros(2), np.zeros(2)
    for x in ([0.0, 1.0, 2.0], [-np.inf, -np.inf, -np.inf]):
        with np.errstate(all="ignore"):  # there NumPy warns as it does without compiling
            f(p, np.array(x))
            step(q, np.array(x))
        np.testing.assert_allclose(p, q)
    assert np.all(p == np.inf)


def test_whether_its_warnings_are_raised_is_what_the_first_filter_says_that_takes_them() -> None:
    with warnings.catch_warnings():
        warnings.resetwarnings()
        assert not raises()
        warnings.filterwarnings("error", r"[a-z ]+ encountered in ", RuntimeWarning, rf"{MODULE.replace('.', '[.]')}$")
        assert raises()
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="matplotlib")
        assert raises()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "divide", category=RuntimeWarning)
            assert not raises()
        assert raises()
        warnings.simplefilter("ignore")
        assert not raises()
        warnings.simplefilter("error")
        assert raises()
    imported = "from autograd_np.compiling.raising import raises"
    for code, found in ((imported, 1), (f"with warnings.catch_warnings():\n    {imported}", 0)):
        told = subprocess.run([sys.executable, "-c", f"import warnings\n{code}\nprint(int(raises()))"], capture_output=True, check=True)
        assert int(told.stdout) == found


def test_raising_is_asked_for_around_the_call() -> None:
    f = ag.compile(lambda x: np.log(x))
    f(np.ones(3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="divide by zero"):
            f(np.zeros(3))
