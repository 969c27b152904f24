"""``import autograd_np.numpy as np``: NumPy under its own names, but for arrays that are made of Tensors."""

from __future__ import annotations

import gc
import itertools
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy  # noqa: ICN001
import pytest

import autograd_np as ag
import autograd_np.numpy as np
from autograd_np.node import OPEN, VARIABLES


@pytest.fixture(autouse=True)
def _nothing_recorded() -> Iterator[None]:
    if OPEN:  # a collection takes long in a process that has made thousands of tests
        gc.collect()
    assert not OPEN, "a level was left open"
    yield
    assert not OPEN, "a level was left open"


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Tensor of another test is alive."""
    monkeypatch.setattr("autograd_np.node.VARIABLES", set())
    monkeypatch.setattr("autograd_np.creating.VARIABLES", set())


def numeric(f: Any, x: Any) -> Any:
    h = 1e-6
    return numpy.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in numpy.eye(len(x))])


# --- the names ------------------------------------------------------------------------------------


def test_every_public_name_is_there_and_ufuncs_classes_and_modules_are_numpys() -> None:
    for name in numpy.__all__:
        real, mine = getattr(numpy, name), getattr(np, name)
        if isinstance(real, numpy.ufunc | type(numpy)) or not callable(real) or (isinstance(real, type) and name != "vectorize"):
            assert mine is real or name in ("r_", "c_", "polynomial", "lib"), name
        else:
            assert getattr(mine, "__name__", name) == getattr(real, "__name__", name)
            assert mine.__doc__ == real.__doc__ or name == "vectorize"
    assert set(np.__all__) == set(numpy.__all__)
    assert set(dir(numpy)) == set(dir(np))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = np.no_such_name


def test_submodules_can_be_imported_and_functions_pickled() -> None:
    import autograd_np.numpy.linalg
    import autograd_np.numpy.random as npr

    assert npr is numpy.random
    assert autograd_np.numpy.linalg is numpy.linalg
    assert pickle.loads(pickle.dumps(np.zeros)) is np.zeros
    assert pickle.loads(pickle.dumps(np.sum)) is np.sum


def test_it_is_imported_when_it_is_asked_for() -> None:
    code = "import sys, autograd_np; assert 'autograd_np.numpy' not in sys.modules; import autograd_np.numpy as np; assert np.pi > 3"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


MADE = [
    lambda m: m.zeros(3),
    lambda m: m.ones((2, 3), dtype=numpy.float32),
    lambda m: m.empty(2) * 0,
    lambda m: m.eye(3),
    lambda m: m.identity(2),
    lambda m: m.full((2, 2), 1.5),
    lambda m: m.full(3, 2),
    lambda m: m.full_like(numpy.ones(3), 2),
    lambda m: m.zeros_like([1.0, 2.0]),
    lambda m: m.linspace(0, 1, 5),
    lambda m: m.arange(0, 1, 0.25),
    lambda m: m.arange(4),
    lambda m: m.logspace(0, 1, 3),
    lambda m: m.geomspace(1, 8, 4),
    lambda m: m.array([[1.0, 2], [3, 4]]),
    lambda m: m.array([1, 2]),
    lambda m: m.array([1.0], dtype=int),
    lambda m: m.asarray([1.0, 2.0]),
    lambda m: m.array(2.0),
    lambda m: m.array([1 + 2j]),
    lambda m: m.array(["a"]),
    lambda m: m.array([1.0], ndmin=3),
    lambda m: m.copy(numpy.ones(2)),
    lambda m: m.fromfunction(lambda i, j: i + j, (2, 3)),
    lambda m: m.fromiter(iter([1.0, 2.0]), float),
    lambda m: m.fromiter(iter([1.0, 2.0]), float, 1),
    lambda m: m.tri(3),
    lambda m: m.zeros(3, bool),
    lambda m: m.r_[1.0, 2.0],
    lambda m: m.c_[[1.0], [2.0]],
    lambda m: m.vectorize(abs)([-1.0]),
    lambda m: m.sum([1.0, 2.0]),
    lambda m: m.concatenate([[1.0], [2.0]]),
    lambda m: m.asfortranarray([[1.0, 2.0]]),
]


@pytest.mark.parametrize("make", MADE)
def test_what_is_made_has_numpys_values_and_dtype(make: Any, quiet: None) -> None:
    expected = make(numpy)
    plain = make(np)
    assert type(plain) is type(expected)
    np.testing.assert_array_equal(plain, expected)
    seen = []

    def f(x: Any) -> Any:
        seen.append(make(np))
        return x

    ag.grad(f)(1.0)
    (made,) = seen
    assert made.dtype == expected.dtype == plain.dtype
    np.testing.assert_array_equal(made, expected)
    if expected.dtype.kind not in "fc":
        assert not isinstance(made, ag.Tensor), "numbers that carry no gradient stay arrays"


def test_plain_arrays_where_nothing_is_recorded(quiet: None) -> None:
    assert type(np.zeros(3)) is numpy.ndarray
    kept = numpy.zeros(3)

    def f(x: Any) -> Any:
        assert isinstance(np.zeros(3), ag.Tensor)
        assert np.asarray(kept) is kept, "an array is not copied, so writes to it must be seen"
        with ag.no_grad():
            assert type(np.zeros(3)) is numpy.ndarray
            assert isinstance(np.array([x, x]), ag.Tensor)
            assert isinstance(ag.grad(lambda y: np.sum(y * np.ones(2)))(2.0), numpy.ndarray)
        return x

    ag.grad(f)(1.0)
    assert type(np.zeros(3)) is numpy.ndarray


def test_leaves_that_are_alive_make_tensors() -> None:
    before = len(VARIABLES)
    w = ag.Tensor([1.0, 2.0], requires_grad=True)
    assert len(VARIABLES) == before + 1
    o = np.zeros(4)
    o[1:3] = w
    np.sum(o**2).backward()
    np.testing.assert_array_equal(w.grad, [2.0, 4.0])
    del w, o
    assert len(VARIABLES) == before


def test_what_is_asked_about_a_constant_is_answered_with_arrays() -> None:
    w = ag.Tensor([1.0, 2.0], requires_grad=True)
    x = np.array([3.0, 4.0])
    assert isinstance(x, ag.Tensor)
    value, g = ag.value_and_grad(lambda x: np.sum(x**2))(x)
    assert type(value) is numpy.float64
    assert type(g) is numpy.ndarray
    np.testing.assert_array_equal(g, [6, 8])
    assert type(ag.jvp(np.sin, x, x)[1]) is numpy.ndarray
    g[0] = 9.0
    np.testing.assert_array_equal(np.asarray(x), [3, 4])
    np.sum(w * x).backward()
    np.testing.assert_array_equal(w.grad, [3, 4])


def test_a_level_that_raises_does_not_stay_open() -> None:
    def f(x: Any) -> Any:
        raise KeyError(x)

    for transform in (ag.grad(f), ag.hessian(f), lambda x: ag.trace(f, x), lambda x: ag.jvp(f, x, x)):
        with pytest.raises(KeyError):
            transform(1.0)


# --- arrays made of Tensors -----------------------------------------------------------------------

OF_TENSORS = {
    "array": lambda t, u: np.array([t, u, 1.0]),
    "nested": lambda t, u: np.array([[t, 1.0], (u, t * u)]),
    "deep": lambda t, u: np.array([[[t], [u]], [[1], [t]]]),
    "arrays inside": lambda t, u: np.array([np.array([t, u]), [u, 3.0], numpy.ones(2)]),
    "dtype": lambda t, u: np.array([t, u], dtype=np.float32),
    "ndmin": lambda t, u: np.array([t, u], ndmin=2),
    "asarray": lambda t, u: np.asarray([t, u]),
    "of a tensor": lambda t, u: np.array(t) * np.asarray(u) * np.asanyarray(u) * np.ascontiguousarray(t),
    "full": lambda t, u: np.full((2, 3), t),
    "full of a row": lambda t, u: np.full((2, 2), [t, u]),
    "full_like": lambda t, u: np.full_like(numpy.ones(3), t) * u,
    "full_like of a tensor": lambda t, u: np.full_like(np.array([t, u]), u),
    "sum": lambda t, u: np.sum([t, u * u]),
    "mean": lambda t, u: np.mean([[t, u], [u, 1.0]], axis=0),
    "max": lambda t, u: np.max([t, u]),
    "dot": lambda t, u: np.dot([t, u], [u, 2.0]),
    "concatenate": lambda t, u: np.concatenate([[t, u], numpy.ones(2), [u]]),
    "stack": lambda t, u: np.stack([[t, u], [u, 1.0]]),
    "vstack": lambda t, u: np.vstack(([t, u], [u, 1.0])),
    "block": lambda t, u: np.block([[np.array([[t]]), np.array([[u]])], [np.ones((1, 1)), np.array([[t]])]]),
    "where": lambda t, u: np.where([True, False], [t, u], 0.0),
    "einsum": lambda t, u: np.einsum("i,i->", [t, u], [u, t]),
    "select": lambda t, u: np.select([np.array([True, False])], [[t, u]], default=0.0),
    "append": lambda t, u: np.append([t], [u, 1.0]),
    "r_": lambda t, u: np.r_[t, 2.0, [u, 1.0], 0:3],
    "c_": lambda t, u: np.c_[[t, u], [1.0, 2.0]],
    "fromiter": lambda t, u: np.fromiter((x * x for x in (t, u)), float),
    "fromfunction": lambda t, u: np.fromfunction(lambda i: i * t + u, (3,)),
    "vectorize": lambda t, u: np.vectorize(lambda x, y: x * y if x > 0 else y)([t, -t], u),
    "vectorize, two results": lambda t, u: np.vectorize(lambda x, k: (x * k, x), excluded={1})(np.array([t, u]), 3.0)[0],
    "norm": lambda t, u: np.linalg.norm(np.array([t, u])),
}


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("directive", [None, "0", "-1", "0,2", "1,2", "0,3", "-1,3,1", "-1,3,-2", "0,2,0", "1,3,0"])
@pytest.mark.parametrize("joiner", ["r_", "c_"])
def test_joined_as_numpy_joins(joiner: str, directive: str | None, shape: tuple[int, ...]) -> None:
    x = numpy.arange(1.0, numpy.prod(shape) + 1, dtype=numpy.float32).reshape(shape)
    for others in ([x], [], [x[:1], x], [[1.0, 2.0, 3.0]], [2.0], [2], [numpy.float64(2.0)], [slice(0, 3)], [slice(0, 1, 3j)]):
        first = [directive] if directive else []
        t: Any = ag.Tensor(x, requires_grad=True)
        try:
            expected = getattr(numpy, joiner)[(*first, x, *others)]
        except ValueError:
            with pytest.raises(ValueError, match="dimension"):
                getattr(np, joiner)[(*first, t, *others)]
            continue
        found = getattr(np, joiner)[(*first, t, *others)]
        numpy.testing.assert_array_equal(found.data, expected, strict=True)
    with pytest.raises(TypeError, match="makes a matrix"):
        getattr(np, joiner)["r", ag.Tensor(x, requires_grad=True)]


@pytest.mark.parametrize("f", OF_TENSORS.values(), ids=OF_TENSORS)
def test_an_array_of_tensors_is_differentiated(f: Any, quiet: None) -> None:
    def loss(x: Any) -> Any:
        y = f(x[0], x[1])
        assert isinstance(y, ag.Tensor) == isinstance(x, ag.Tensor)
        weights = numpy.arange(1.0, y.size + 1).reshape(y.shape)
        return np.sum(weights * y * y)

    point = numpy.array([0.7, 1.6])
    with ag.no_grad():
        expected = f(*(ag.Tensor(v) for v in point))
    plain = f(*point)
    numpy.testing.assert_allclose(expected.data if isinstance(expected, ag.Tensor) else expected, plain)
    assert expected.dtype == plain.dtype
    assert expected.shape == plain.shape
    if f is OF_TENSORS["dtype"]:
        numpy.testing.assert_allclose(ag.grad(loss)(point), [1.4, 6.4], rtol=1e-6)
        return
    ag.check_gradients(loss, point).raise_if_wrong()


SIGNATURES = {
    "(n),(n)->()": (lambda a, b: np.sum(a * b**2), [(4, 3), (3,)]),
    "(m,n),(n)->(m)": (lambda a, b: a @ np.exp(b), [(2, 1, 2, 3), (4, 3)]),
    "(n)->(n),()": (lambda a: (np.cumsum(a), np.prod(a)), [(2, 3)]),
    "(),(k)->(k, k)": (lambda s, a: s * np.outer(a, a), [(5,), (1, 2)]),
    "(i)->(j)": (lambda a: np.concatenate([a, a[:1]]), [(3,)]),
}


@pytest.mark.parametrize("signature", SIGNATURES)
def test_vectorize_with_a_signature(signature: str) -> None:
    f, shapes = SIGNATURES[signature]
    rng = numpy.random.default_rng(3)
    points = [rng.normal(size=s) for s in shapes]
    ours, numpys = np.vectorize(f, signature=signature), numpy.vectorize(f, signature=signature)
    found, expected = ours(*map(ag.Tensor, points)), numpys(*points)
    results = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
    for a, b in results:
        assert a.shape == b.shape
        numpy.testing.assert_allclose(a.data, b)

    def loss(*xs: Any) -> Any:
        out = ours(*xs)
        return sum(np.sum(np.sin(o)) for o in (out if isinstance(out, tuple) else (out,)))

    ag.check_gradients(loss, *points).raise_if_wrong()


def test_vectorize_with_a_signature_says_what_does_not_fit() -> None:
    f = np.vectorize(lambda a, b: a @ b, signature="(n),(n)->()")
    t = ag.Tensor(numpy.ones((2, 3)))
    with pytest.raises(ValueError, match="argument 1 has length 2 along n, where another has 3"):
        f(t, numpy.ones(2))
    with pytest.raises(ValueError, match="argument 1 of shape \\(\\) has not the axes"):
        f(t, 2.0)
    with pytest.raises(TypeError, match="is of 2 arrays, got 1"):
        f(t)
    with pytest.raises(ValueError, match="a result of shape"):
        np.vectorize(lambda a: a, signature="(n)->()")(t)
    weighted = np.vectorize(lambda a, power, scale=1.0: scale * np.sum(a**power), excluded={1, "scale"}, signature="(n)->()")
    numpy.testing.assert_allclose(weighted(t * 2, 3, scale=0.5).data, [12, 12])


def test_eager_tensors_too() -> None:
    t, u = ag.Tensor(2.0, requires_grad=True), ag.Tensor(3.0, requires_grad=True)
    np.sum(np.array([t, [1.0, 2.0]][:1]) * np.sum([t, u])).backward()
    assert (t.grad, u.grad) == (7.0, 2.0)


def test_writing_into_an_array_that_it_made() -> None:
    def f(x: Any) -> Any:
        o = np.zeros((3, 2))
        o[0] = x
        o[1, 1] = x[0] * x[1]
        o[2] += o[0] * 2
        row = o[1]
        row[0] = 5 * x[1]
        empty = np.empty_like(o)
        empty[...] = o
        return np.sum(empty**3)

    ag.check_gradients(f, numpy.array([0.5, -1.2])).raise_if_wrong()


def test_shapes_that_do_not_fit_are_named() -> None:
    def f(x: Any) -> Any:
        return np.array([x, x[:1]])

    with pytest.raises(ValueError, match=r"different shapes, \(1,\), \(2,\)"):
        ag.grad(f)(numpy.ones(2))


BASES = {"polynomial": "poly", "chebyshev": "cheb", "legendre": "leg", "hermite": "herm", "hermite_e": "herme", "laguerre": "lag"}


@pytest.mark.parametrize("name", BASES)
def test_polynomials_are_evaluated_by_coefficients_and_points(name: str) -> None:
    val = getattr(getattr(np.polynomial, name), f"{BASES[name]}val")
    real = getattr(getattr(numpy.polynomial, name), f"{BASES[name]}val")
    x, c = numpy.array([[0.3, -1.2], [0.7, 0.1]]), numpy.array([1.0, -0.5, 0.25, 2.0])
    many = numpy.arange(8.0).reshape(4, 2) / 8
    for args in ((x, c), (0.3, c), (x, c[:1]), (x, many), (x[0], many, False)):
        t = [ag.Tensor(a) if isinstance(a, numpy.ndarray) else a for a in args]
        numpy.testing.assert_allclose(val(t[0], *t[1:]).data, real(*args), rtol=1e-12)
        ag.check_gradients(lambda a, b, rest=args[2:]: val(a, b, *rest), *args[:2]).raise_if_wrong()
    ag.check_gradients(lambda a: real(a, c), x).raise_if_wrong()
    ag.check_gradients(lambda a: val(0.5, [a[0], 1.0, a[1]]), x[0]).raise_if_wrong()


def test_the_module_of_polynomials_is_numpys_for_the_rest() -> None:
    from autograd_np.numpy.polynomial import chebyshev  # type: ignore[import-not-found]

    assert chebyshev is np.polynomial.chebyshev
    assert np.polynomial.Polynomial is numpy.polynomial.Polynomial
    assert np.polynomial.polynomial.polyfit is numpy.polynomial.polynomial.polyfit


STRIDED = {
    "windows": lambda x: ((x.size - 2, 3), x.reshape(-1).strides * 2),
    "a diagonal": lambda x: ((min(x.shape),), (sum(x.strides),)),
    "a row, twice": lambda x: ((2, x.shape[-1]), (0, x.strides[-1])),
    "every other": lambda x: (((x.shape[0] + 1) // 2,), (2 * x.strides[0],)),
    "no shape": lambda x: (None, (0,) * x.ndim),
    "no strides": lambda x: (tuple(n - 1 for n in x.shape), None),
    "a number": lambda x: ((), ()),
    "nothing": lambda x: ((0, 2), (8, 8)),
}
ARRAYS = {
    "vector": numpy.arange(6.0), "reversed": numpy.arange(12.0)[::-2], "matrix": numpy.arange(12.0).reshape(3, 4),
    "transposed": numpy.arange(12.0).reshape(3, 4).T, "float32": numpy.arange(6, dtype=numpy.float32),
}  # fmt: skip


@pytest.mark.parametrize("which", ARRAYS)
@pytest.mark.parametrize("view", STRIDED)
def test_as_strided_of_an_arrays_own_elements(view: str, which: str) -> None:
    x, how = ARRAYS[which], STRIDED[view]
    if view == "windows" and (x.ndim > 1 or which == "reversed"):
        x = x.reshape(-1).copy()  # whose reshape is a view
    ours, numpys = np.lib.stride_tricks.as_strided, numpy.lib.stride_tricks.as_strided
    expected = numpys(x, *how(x))
    seen = []

    def loss(x: Any) -> Any:
        seen.append(ours(x, *how(x)))
        return np.sum(np.sin(seen[-1]) * numpy.arange(1.0, expected.size + 1).reshape(expected.shape))

    g = ag.grad(loss)(x)
    numpy.testing.assert_array_equal(seen[0].data, expected)
    assert (seen[0].dtype, g.dtype) == (expected.dtype, x.dtype)
    if x.dtype == numpy.float64:
        ag.check_gradients(loss, x).raise_if_wrong()


def test_as_strided_is_a_view_that_is_written_through() -> None:
    from autograd_np.numpy.lib.stride_tricks import as_strided, sliding_window_view  # type: ignore[import-not-found]

    assert sliding_window_view is numpy.lib.stride_tricks.sliding_window_view

    def f(x: Any) -> Any:
        y = x * 1.0
        band = as_strided(y, (3,), (y.strides[0] + y.strides[1],))
        band[1:] = band[:2] * 5.0
        y[0, 0] = x[2, 2]
        return np.sum(y**2) + np.sum(band**3)

    ag.check_gradients(f, numpy.arange(9.0).reshape(3, 3) / 7).raise_if_wrong()


def test_as_strided_reaches_no_further_than_its_array() -> None:
    as_strided = np.lib.stride_tricks.as_strided
    x = numpy.arange(12.0)[2:10]
    for shape, strides in (((9,), (8,)), ((2,), (-8,)), ((2,), (4,)), ((2, 8), (8, 8))):
        with pytest.raises(ValueError, match="reaches beyond the elements"):
            as_strided(x, shape, strides)
        with pytest.raises(ValueError, match="reaches beyond the elements"):
            ag.grad(lambda x, s=shape, t=strides: np.sum(as_strided(x, s, t)))(x)
    with pytest.raises(ValueError, match="a stride for each axis"):
        as_strided(ag.Tensor(x), (2, 2), (8,))


# --- plain NumPy says which line to change --------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda t: numpy.array([t, t]),
        lambda t: numpy.sum([t, t]),
        lambda t: numpy.full(3, t),
        lambda t: numpy.exp([t, t]),
    ],
)
def test_plain_numpy_names_the_line_to_change(f: Any) -> None:
    with pytest.raises(ag.AutogradError, match=r"`import autograd_np\.numpy as np`"):
        ag.grad(lambda t: np.sum(f(t)))(1.0)


def test_storing_into_a_plain_array_names_the_line_to_change() -> None:
    def f(t: Any) -> Any:
        o = numpy.zeros(3)
        o[0] = t
        return t

    for store in (ag.grad(f), lambda v: f(ag.Tensor(v, requires_grad=True))):
        with pytest.raises(ValueError, match="setting an array element") as refused:  # NumPy's words, with ours as the cause
            store(1.0)
        assert isinstance(refused.value.__cause__, ag.LeavesNumPyError)
        assert "`import autograd_np.numpy as np`" in str(refused.value.__cause__)


# --- models ---------------------------------------------------------------------------------------


def test_lotka_volterra_by_runge_kutta() -> None:
    def f(state: Any, p: Any) -> Any:
        x, y = state
        return np.array([p[0] * x - p[1] * x * y, -p[2] * y + p[3] * x * y])

    def loss(p: Any) -> Any:
        state, h = np.array([1.0, 0.5]), 0.1
        path = np.zeros((20, 2))
        for n in range(20):
            k1 = f(state, p)
            k2 = f(state + h / 2 * k1, p)
            k3 = f(state + h / 2 * k2, p)
            k4 = f(state + h * k3, p)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            path[n] = state
        return np.mean((path - 1.0) ** 2)

    p = numpy.array([1.1, 0.4, 0.4, 0.1])
    numpy.testing.assert_allclose(ag.grad(loss)(p), numeric(loss, p), rtol=1e-6)


def test_an_rnn_that_writes_its_states_into_zeros() -> None:
    rng = numpy.random.default_rng(0)
    xs = rng.normal(size=(6, 3))
    p = {"W": rng.normal(size=(4, 4)) / 2, "U": rng.normal(size=(4, 3)), "b": np.zeros(4)}

    def written(p: Any) -> Any:
        states = np.zeros((7, 4))
        for t, x in enumerate(xs):
            states[t + 1] = np.tanh(p["W"] @ states[t] + p["U"] @ x + p["b"])
        return np.sum(states[1:] ** 2)

    def collected(p: Any) -> Any:
        h, states = numpy.zeros(4), []
        for x in xs:
            h = numpy.tanh(p["W"] @ h + p["U"] @ x + p["b"])
            states.append(h)
        return numpy.sum(numpy.stack(states) ** 2)

    assert written(p) == pytest.approx(collected(p))
    for key, g in ag.grad(collected)(p).items():
        numpy.testing.assert_allclose(ag.grad(written)(p)[key], g, rtol=1e-12)


def test_code_written_for_hips_autograd() -> None:
    import autograd_np.numpy.random as npr

    def init(scale: float, sizes: list[int], rs: Any) -> Any:
        return [(scale * rs.randn(m, n), scale * rs.randn(n)) for m, n in itertools.pairwise(sizes)]

    def predict(params: Any, inputs: Any) -> Any:
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = np.tanh(outputs)
        return outputs - np.log(np.sum(np.exp(outputs), axis=1, keepdims=True))

    def objective(params: Any) -> Any:
        penalty = np.sum([np.sum(W**2) + np.sum(b**2) for W, b in params])
        return -np.mean(np.array([row[k] for row, k in zip(predict(params, X), labels, strict=True)])) + 1e-3 * penalty

    rs = npr.RandomState(0)
    X, labels = rs.randn(12, 3), rs.randint(0, 2, 12)
    params = init(0.5, [3, 4, 2], rs)
    before = objective(params)
    for _ in range(30):
        g = ag.grad(objective)(params)
        params = [(W - 0.5 * dW, b - 0.5 * db) for (W, b), (dW, db) in zip(params, g, strict=True)]
    assert objective(params) < 0.7 * before
    ag.check_gradients(objective, params, order=1).raise_if_wrong()


def test_check_backward_takes_it_for_numpy(tmp_path: Any) -> None:
    (tmp_path / "model_of_mine.py").write_text(
        "import autograd_np.numpy as np\n"
        "def forward(w, x):\n    a = np.zeros(2)\n    a[0] = w[0] * x[0]\n    a[1] = w[1] * x[1]\n    return np.sum(a ** 2)\n"
        "def backward(w, x):\n    dw = np.zeros(2)\n    dw[0] = 2 * w[0] * x[0] ** 2\n    dw[1] = 2 * w[1] * x[1] ** 2\n    return dw\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        import model_of_mine as m  # type: ignore[import-not-found]

        assert ag.check_backward(m.forward, m.backward, {"w": numpy.array([1.0, 2.0]), "x": numpy.array([0.5, 3.0])}).ok
    finally:
        sys.path.remove(str(tmp_path))
