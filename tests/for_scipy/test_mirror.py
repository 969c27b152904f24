"""`autograd_np.scipy` is SciPy, except for the names that are listed; and nothing imports SciPy that is not asked to."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.mirrored import MIRRORED, import_line

pytest.importorskip("scipy")


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True).stdout.strip()


@pytest.mark.parametrize("where", MIRRORED)
def test_the_names_that_are_told_are_those_that_are_there(where: str) -> None:
    mirror, real = importlib.import_module(f"autograd_np.{where}"), importlib.import_module(where)
    there = [name for name in MIRRORED[where].split() if hasattr(real, name)]  # an older SciPy lacks some
    assert there == sorted(mirror.GIVEN), f"write the names of autograd_np.{where}.GIVEN into autograd_np/mirrored.py"
    for name in dir(real):
        if not name.startswith("_"):
            same = getattr(mirror, name) is getattr(real, name) or f"{where}.{name}" in MIRRORED
            assert same == (name not in mirror.GIVEN and name not in getattr(mirror, "REFUSED", ())), name
    assert dir(mirror) == dir(real)


@pytest.mark.parametrize("where", MIRRORED)
def test_functions_can_be_pickled(where: str) -> None:
    for name, value in importlib.import_module(f"autograd_np.{where}").GIVEN.items():
        assert pickle.loads(pickle.dumps(value)) is value, name


def test_other_modules_and_names_are_scipys() -> None:
    import scipy

    from autograd_np import scipy as mirror

    assert mirror.fft is scipy.fft
    assert mirror.special is importlib.import_module("autograd_np.scipy.special")
    assert mirror.special.logsumexp is not scipy.special.logsumexp
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = mirror.special.no_such_name
    with pytest.raises(ImportError, match="no_such_name"):
        from autograd_np.scipy import no_such_name  # type: ignore[attr-defined]  # noqa: F401
    assert import_line("scipy.special") == import_line("numpy.exp") == import_line("") == ""


def test_a_ufunc_of_scipys_is_differentiable_as_it_stands() -> None:
    code = """
import sys, numpy as np, autograd_np as ag
assert "scipy" not in sys.modules
try:
    ag.grad(np.frompyfunc(abs, 1, 1))(1.0)
except ag.NoRowError:
    assert "scipy" not in sys.modules
from scipy.special import expit
print(ag.grad(expit)(0.0), ag.grad(ag.grad(expit))(0.0))
assert "scipy.stats" not in sys.modules and "scipy.signal" not in sys.modules
"""
    assert _run(code) == "0.25 0.0"


def test_without_scipy_the_mirror_says_what_to_install() -> None:
    code = """
import sys
sys.modules["scipy"] = None
import autograd_np as ag
try:
    import autograd_np.scipy.special
except ModuleNotFoundError as error:
    print(error)
"""
    assert "pip install 'autograd-np[scipy]'" in _run(code)


def test_an_option_that_is_not_covered_is_refused_by_name_and_on_arrays_it_is_scipys() -> None:
    from scipy import special as real

    from autograd_np.scipy import special

    x = np.array([[0.3, 1.2], [-0.4, 0.5]])
    for f in (special.logsumexp, special.softmax, special.log_softmax):
        for how in ({}, {"axis": 0}, {"axis": -1}, {"axis": (0, 1)}):
            expected = getattr(real, f.__name__)(x, **how)
            np.testing.assert_array_equal(f(x, **how), expected)
            found = f(ag.Tensor(x), **how)
            assert isinstance(found, ag.Tensor)
            np.testing.assert_allclose(found.data, expected, rtol=1e-14)
    t: Any = ag.Tensor(x, requires_grad=True)
    assert special.logsumexp(x, return_sign=True) == real.logsumexp(x, return_sign=True)
    with pytest.raises(ag.NoRowError, match=r"scipy\.special\.logsumexp does not cover the argument no_such=1"):
        special.logsumexp(t, no_such=1)
    with pytest.raises(ag.NoRowError, match=r"scipy\.special\.softmax does not cover the argument no_such=1"):
        special.softmax(t, no_such=1)
    assert special.logsumexp(t, return_sign=False).shape == ()
    assert special.logsumexp(a=t).requires_grad
