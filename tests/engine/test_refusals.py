"""What is refused, or warned of, says who asked and where."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

LIBRARY = """
import numpy as np

def wrapped(f):
    import functools
    @functools.wraps(f)
    def inner(*args):
        return f(*args)
    return inner

def converted(f):
    import functools
    @functools.wraps(f)
    def inner(x):
        return f(_smooth(x))
    return inner

@converted
def early(x):
    return x

@wrapped
def smooth(x):
    return _smooth(x)

def _smooth(x):
    return np.asarray(x) * 2

class _Base:
    def __init__(self, x):
        self.x = _smooth(x)
    def added(self, x):
        return _smooth(x)

class Series(_Base):
    pass

class Normal:
    def logpdf(self, x):
        return _smooth(x)

def through_numpy(x):
    return np.testing.assert_allclose(x, 0)

def exponential(x):
    import math
    return math.exp(x)

norm = Normal()
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder = tmp_path / "site-packages" / "fakelib"
    folder.mkdir(parents=True)
    (folder / "_impl.py").write_text(LIBRARY)
    (folder / "__init__.py").write_text("from fakelib import stats\n")
    (folder / "stats.py").write_text("from fakelib._impl import *\nfrom fakelib._impl import norm\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    import fakelib  # type: ignore[import-not-found]

    yield fakelib
    for name in [m for m in sys.modules if m.partition(".")[0] == "fakelib"]:
        del sys.modules[name]


def here(of: Any) -> str:
    return f"{__file__}:{of.__code__.co_firstlineno}"


def test_the_library_that_asked_for_an_array_is_named(library: Any) -> None:
    x = ag.Tensor([1.0, 2.0], requires_grad=True, name="x")
    number = ag.Tensor(1.0, requires_grad=True)
    for call, name in (
        (lambda t: library.stats.smooth(t), r"fakelib\.stats\.smooth"),
        (lambda t: library.stats.early(t), r"fakelib\.stats\.early"),
        (lambda t: library.stats.norm.logpdf(t), r"fakelib\.stats\.norm\.logpdf"),
        (lambda t: library.stats.Series(t), r"fakelib\.stats\.Series"),  # as pandas.Series
        (lambda t: library.stats.Series(0.0).added(t), r"fakelib\.stats\.Series\.added"),
        (lambda t: library.stats.through_numpy(t), r"fakelib\.stats\.through_numpy"),
        (lambda t: np.testing.assert_allclose(t, 0), r"(numpy|np)\.testing\.assert_allclose"),
    ):
        with pytest.raises(ag.LeavesNumPyError, match=rf"{name} at {here(call)}.*'x'.*ag\.define"):
            call(x)
        with pytest.raises(ag.LeavesNumPyError, match=rf"{name} at {here(call)}"):
            ag.grad(lambda t, call=call: np.sum(call(t)))(np.ones(2))
    with pytest.raises(ag.LeavesNumPyError, match=r"float\(\) of a Tensor, for fakelib\.stats\.exponential at"):
        ag.grad(lambda t: library.stats.exponential(t))(1.0)
    assert library.stats.exponential(number) == math.e


def test_the_users_own_expression_is_named() -> None:
    x, a = ag.Tensor([1.0, 2.0], requires_grad=True), np.zeros(2)
    with pytest.raises(ag.LeavesNumPyError, match=rf"`np\.array\(\[x\[0\], 1\.0\]\)` at {__file__}:\d+"):
        np.array([x[0], 1.0])
    with pytest.raises(ag.LeavesNumPyError, match=r"`a\[:\] = x` at "):
        a[:] = x
    with pytest.raises((ag.LeavesNumPyError, ValueError)) as caught:
        a[0] = x[0]
    error = caught.value.__cause__ or caught.value
    assert "`a[0] = x[0]` at " in str(error)
    with pytest.raises(ag.LeavesNumPyError, match=r"`math\.exp\(t\)` at "):
        ag.grad(lambda t: math.exp(t))(1.0)
    namespace: dict[str, Any] = {"np": np, "x": x}
    with pytest.raises(ag.LeavesNumPyError, match=r"^a call at <typed>:1 needs"):
        exec(compile("np.asarray(x)", "<typed>", "exec"), namespace)


def test_scipy_by_name() -> None:
    special = pytest.importorskip("scipy.special")
    stats = pytest.importorskip("scipy.stats")
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.stats\.norm\.logpdf at"):
        stats.norm.logpdf(x)
    with pytest.raises(ag.NoRowError, match=r"^scipy\.special\.struve has no row"):
        special.struve(1.0, x)
    for f in (special.softmax, special.logsumexp):  # a Tensor has a method `softmax`, which is another
        with pytest.raises(
            ag.LeavesNumPyError, match=rf"^scipy\.special\.{f.__name__} at .*`from autograd_np\.scipy\.special import {f.__name__}`"
        ):
            f(x)


def test_ufuncs_are_named_by_their_module() -> None:
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    twice = np.frompyfunc(lambda v: 2 * v, 1, 1)
    with pytest.raises(ag.NoRowError, match=r"^<lambda> \(vectorized\) has no row"):
        twice(x)
    for call, name in (
        (lambda: np.isnat(x), r"np\.isnat"),
        (lambda: np.subtract.reduce(x), r"np\.subtract\.reduce"),
    ):
        with pytest.raises(ag.NoRowError, match=name):
            call()


@pytest.mark.parametrize("number", [Decimal("1.5"), Fraction(1, 2)])
def test_numbers_numpy_does_not_compute_with(number: Any) -> None:
    t = ag.Tensor([2.0], requires_grad=True)
    for act in (lambda: t * number, lambda: number * t, lambda: t + number, lambda: np.multiply(t, number), lambda: number - t):
        with pytest.raises(TypeError, match=rf"{type(number).__name__}"):
            act()
    with pytest.raises(TypeError, match=r"write float\("):
        _ = t * number
    np.testing.assert_array_equal((t * float(number)).data, [2 * float(number)])


def test_a_memoryview_is_refused() -> None:
    with pytest.raises(TypeError, match="bytes-like object is required, not 'Tensor'"):
        memoryview(ag.Tensor(2.0, requires_grad=True))


SCRIPT = """
import numpy as np
import autograd_np as ag
x = ag.Tensor([0.0, 1.0], requires_grad=True)
np.log(x)          # line 5
x / 0.0            # line 6
np.exp(x * 1e4)    # line 7
ag.grad(lambda t: np.sum(
    np.log(t)))(np.zeros(2))  # line 9
np.power(x, -1.0)  # line 10
with np.errstate(divide="ignore"):
    np.log(x)
np.asarray(ag.Tensor([1e300]), dtype=np.float32)  # line 13
np.sum(ag.Tensor([1e308, 1e308], requires_grad=True))  # line 14
ag.softmax(np.array([1e308, -1e308]))  # line 15
np.divmod(ag.Tensor([1.0], requires_grad=True), 0.0)  # line 16
def weighs(a):
    return np.linalg.eigvalsh(a)[0]  # line 18
for _ in range(3):
    ag.grad(weighs)(np.eye(2))  # line 20
"""


def test_numpys_warnings_point_at_the_users_line(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    told = [line.removeprefix(f"{path}:") for line in done.stderr.splitlines() if "Warning" in line]
    assert told == [
        "5: RuntimeWarning: divide by zero encountered in log",
        "6: RuntimeWarning: divide by zero encountered in divide",
        "6: RuntimeWarning: invalid value encountered in divide",
        "7: RuntimeWarning: overflow encountered in exp",
        "9: RuntimeWarning: divide by zero encountered in log",
        "10: RuntimeWarning: divide by zero encountered in power",
        "13: RuntimeWarning: overflow encountered in cast",
        "14: RuntimeWarning: overflow encountered in reduce",
        "15: RuntimeWarning: overflow encountered in subtract",
        "16: RuntimeWarning: divide by zero encountered in divmod",
        "16: RuntimeWarning: invalid value encountered in divmod",
        "20: GaugeWarning: a function weighs equal eigenvalues differently, and has no derivative there",
    ]
    raised = subprocess.run([sys.executable, "-W", "error", str(path)], capture_output=True, text=True, check=False)
    assert "RuntimeWarning: divide by zero encountered in log" in raised.stderr
    quiet = subprocess.run([sys.executable, "-W", "ignore", str(path)], capture_output=True, text=True, check=True)
    assert quiet.stderr == ""


def test_a_warning_of_the_users_function_is_theirs() -> None:
    calls = []

    def forward(x: Any) -> Any:
        calls.append(1)
        warnings.warn("mine encountered in this", RuntimeWarning, stacklevel=1)
        return x * 2

    op = ag.define(forward, partials=[lambda y, x: 2.0])
    with pytest.raises(RuntimeWarning, match="mine"):
        op(ag.Tensor(1.0, requires_grad=True))
    assert calls == [1]


def test_the_warning_of_a_column_against_a_row_points_at_the_users_line() -> None:
    x, y = np.ones((3, 1)), np.ones(3)
    for run in (
        lambda: ag.grad(lambda p: np.mean((p - y) ** 2))(x),
        lambda: np.mean((ag.Tensor(x, requires_grad=True) - y) ** 2).backward(),
        lambda: ag.jacobian(lambda p: np.mean((p - y) ** 2, keepdims=True))(x),
    ):
        with pytest.warns(ag.ShapeWarning) as told:
            run()
        assert {w.filename for w in told} == {__file__}


def test_a_list_of_tensors_is_refused_where_numpy_would_make_an_array_of_it() -> None:
    @ag.custom_gradient
    def halved(x: Any) -> Any:
        return x, lambda g: g / 2

    t = ag.Tensor(0.5, requires_grad=True)
    scaled = ag.define(lambda a, b: a * b, partials=[lambda y, a, b: b, lambda y, a, b: a])
    calls = [np.exp, ag.sigmoid, ag.relu, ag.softplus, ag.log_sigmoid, ag.softmax, ag.log_softmax, ag.logsumexp, halved]
    calls += [lambda x: scaled(1.0, x), lambda x: scaled(x, 1.0), lambda x: ag.softmax(x, axis=0)]
    for call in calls:
        for several in ([t, t], (t, 1.0), [1.0, t]):
            with pytest.raises(ag.LeavesNumPyError, match=r"np\.stack") as refused:
                call(several)
            assert __file__ in str(refused.value)
