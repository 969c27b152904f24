"""``x.__array_namespace__()``: Tensors are arrays of the Array API standard, and what is written for it is differentiable."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import autograd_np.array_api as xp

ROOT = Path(__file__).resolve().parents[2]
XFAILS = Path(__file__).with_name("array_api_xfails.txt")

# --- the namespace --------------------------------------------------------------------------------


def test_a_tensor_knows_its_namespace() -> None:
    x = ag.Tensor([1.0, 2.0])
    assert x.__array_namespace__() is xp
    assert x.__array_namespace__(api_version="2024.12") is x.__array_namespace__(api_version="2021.12") is xp
    assert xp.__array_api_version__ == "2024.12"
    with pytest.raises(ValueError, match=r"got '2031\.12'"):
        x.__array_namespace__(api_version="2031.12")


def test_importing_the_engine_does_not_import_the_namespace() -> None:
    code = "import sys, autograd_np as ag; assert 'autograd_np.array_api' not in sys.modules; ag.Tensor(1.0).__array_namespace__()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=ROOT)


def test_names_of_numpy_that_are_not_in_the_standard_say_where_they_are() -> None:
    with pytest.raises(AttributeError, match=r"histogram is no name of the Array API standard 2024\.12.*autograd_np\.numpy"):
        _ = xp.histogram
    assert "histogram" not in dir(xp)
    assert {"asarray", "linalg", "fft", "permute_dims"} <= set(xp.__all__)
    for name in ("cumulative_sum", "unstack"):
        if not hasattr(np, name):  # NumPy 2.0
            with pytest.raises(AttributeError, match="came with a later NumPy"):
                getattr(xp, name)


CREATION = {
    "arange": (5,),
    "asarray": ([[1, 2], [3, 4]],),
    "empty": ((2, 3),),
    "eye": (3,),
    "full": ((2,), 7),
    "linspace": (0.0, 1.0, 5),
    "ones": (3,),
    "zeros": ((2, 2),),
}
DTYPES = ("bool", "int8", "int64", "uint16", "float32", "float64", "complex64", "complex128")


@pytest.mark.parametrize("name", CREATION)
def test_what_it_makes_is_a_tensor_of_every_dtype(name: str) -> None:
    make, real = getattr(xp, name), getattr(np, name)
    plain = make(*CREATION[name])
    assert isinstance(plain, ag.Tensor)
    assert plain.dtype == real(*CREATION[name]).dtype
    for dtype in DTYPES:
        if name == "arange" and dtype == "bool":
            continue
        made = make(*CREATION[name], dtype=getattr(xp, dtype), device="cpu")
        assert isinstance(made, ag.Tensor)
        assert (made.dtype, made.device) == (np.dtype(dtype), "cpu")
        assert not made.requires_grad
        if name != "empty":
            np.testing.assert_array_equal(made.data, real(*CREATION[name], dtype=dtype))
    with pytest.raises(ValueError, match="cuda"):
        make(*CREATION[name], device="cuda")


@pytest.mark.parametrize("name", ["empty_like", "full_like", "ones_like", "zeros_like"])
def test_what_is_made_like_a_tensor_is_a_constant(name: str) -> None:
    def f(x: Any) -> Any:
        made = getattr(xp, name)(x, *((2.0,) if name == "full_like" else ()), dtype=xp.int32, device=x.device)
        assert (made.shape, made.dtype, made.requires_grad) == ((2,), np.int32, False)
        return xp.sum(x)

    ag.grad(f)(xp.asarray([1.0, 2.0]))


def test_asarray() -> None:
    x = xp.asarray([1.0, 2.0])
    assert xp.asarray(x) is x
    assert xp.asarray(x, copy=False) is x
    copy = xp.asarray(x, copy=True)
    copy[0] = 5.0
    assert xp.asarray(x, dtype=xp.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray(x, dtype=xp.float32, copy=False)
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray([x, x], copy=False)
    with pytest.raises(ValueError, match="cuda"):
        xp.asarray(x, device="cuda")
    with pytest.raises(TypeError, match="needs numbers"):
        xp.asarray(["a"])
    with pytest.raises(ag.NoRowError, match="MaskedArray"):
        xp.asarray(np.ma.masked_array([1.0], [True]))
    x[0] = 3.0  # nothing was lent to NumPy
    np.testing.assert_array_equal(x.data, [3, 2])
    assert xp.asarray(xp.sum(x)).data.shape == ()


def test_a_number_becomes_an_array_that_can_be_written() -> None:
    def f(x: Any) -> Any:
        s = xp.asarray(xp.sum(x**2), copy=True)
        s[()] = s + x[0]
        return s

    np.testing.assert_array_equal(ag.grad(f)(xp.asarray([1.0, 2.0])), [3, 4])


def test_a_lazy_array_stays_lazy() -> None:
    da = pytest.importorskip("dask.array")
    x = xp.asarray(da.ones(4, chunks=2))
    assert isinstance(x.data, da.Array)
    assert isinstance((x + xp.ones(4)).data, da.Array)


def test_lists_of_tensors_keep_their_gradient() -> None:
    np.testing.assert_allclose(
        ag.grad(lambda x: xp.sum(xp.asarray([[x[0], 1], [x[1] * x[0], x[1]]]) ** 2))(xp.asarray([2.0, 3.0])), [40, 30]
    )


# --- Tensors stay Tensors -------------------------------------------------------------------------

X = np.array([[4.0, 1.0], [1.0, 3.0]])
ONE_ARRAY: dict[str, tuple[Any, ...]] = {
    "astype": (np.float32,), "broadcast_to": ((2, 2, 2),), "clip": (2.0,), "permute_dims": ((1, 0),), "repeat": (2,), "roll": (1,),
    "tile": ((2, 1),),
}  # fmt: skip
NO_MORE = """
    abs all any argmax argmin argsort broadcast_arrays count_nonzero cumulative_prod cumulative_sum diff exp expand_dims flip floor isnan
    matrix_transpose max mean meshgrid nonzero round searchsorted sign sort std tril unique_all unique_counts unique_inverse unique_values
    unstack var"""
ONE_ARRAY |= dict.fromkeys((n for n in NO_MORE.split() if hasattr(xp, n)), ())
LINALG = [n for n in dir(xp.linalg) if not n.startswith("_") and n != "matrix_power"]
FFT = [n for n in dir(xp.fft) if n.endswith(("fft", "fftn", "shift"))]
TWO = ("cross", "matmul", "outer", "solve", "tensordot", "vecdot")


def test_the_extensions_are_there() -> None:
    assert len(LINALG) == 22
    assert len(FFT) == 12


def _call(name: str, x: Any) -> Any:
    if name in LINALG:
        f = getattr(xp.linalg, name)
        vectors = xp.concat([x, x], axis=1)[:, :3] if name == "cross" else x[0] if name == "outer" else x
        return f(vectors, vectors) if name in TWO else f(x)
    if name in FFT:
        return getattr(xp.fft, name)(x)
    if name == "searchsorted":
        return xp.searchsorted(xp.asarray([1.0, 2.0]), x)
    extra = {"axis": 0} if name in ("cumulative_sum", "cumulative_prod", "expand_dims") else {}
    return getattr(xp, name)(x[0] if name == "meshgrid" else x, *ONE_ARRAY[name], **extra)


def _flat(r: Any) -> Any:
    if isinstance(r, (tuple, list)):
        for part in r:
            yield from _flat(part)
    else:
        yield r


@pytest.mark.parametrize("name", [*ONE_ARRAY, *LINALG, *FFT])
def test_results_are_tensors_whatever_they_hold(name: str) -> None:
    seen: list[Any] = []

    def f(x: Any) -> Any:
        seen.append(_call(name, x))
        return xp.sum(x)

    ag.grad(f)(X)
    for found in (seen[0], _call(name, xp.asarray(X))):
        parts = list(_flat(found))
        assert parts
        assert all(isinstance(part, ag.Tensor) for part in parts), found
        assert all(part.__array_namespace__() is xp for part in parts)


def test_operators_promote_as_the_standard_says() -> None:
    i8, f32, f64, c64 = (xp.ones(2, dtype=d) for d in (xp.int8, xp.float32, xp.float64, xp.complex64))
    for found, dtype in (
        (i8 + 1, "int8"), (1 - i8, "int8"), (f32 * 2, "float32"), (f32 / 2.0, "float32"), (2.0**f32, "float32"), (f32 + f64, "float64"),
        (f32 * 1j, "complex64"), (c64 + f64, "complex128"), (i8 == 1, "bool"), (i8 & 3, "int8"), (i8 << 2, "int8"), (~(f32 > 0), "bool"),
        (-i8, "int8"), (i8 // 2, "int8"), (f32 % 2, "float32"), (xp.sum(i8), "int64"), (xp.mean(f32), "float32"),
        (xp.where(i8 == 1, f32, 0.0), "float32"), (xp.maximum(f32, 0.0), "float32"), (xp.clip(i8, 0, 5), "int8"),
    ):  # fmt: skip
        assert isinstance(found, ag.Tensor)
        assert found.dtype == np.dtype(dtype)
    assert xp.result_type(i8, xp.int16, 1) == np.int16
    assert xp.isdtype(f32.dtype, "real floating")
    assert not xp.isdtype(f32.dtype, ("integral", "bool"))
    assert xp.can_cast(i8, xp.int16)
    for update, dtype in (("+", "int8"), ("<<", "int8"), ("*", "float32")):
        t = xp.ones(2, dtype=getattr(xp, dtype))
        t = {"+": t.__iadd__, "<<": t.__ilshift__, "*": t.__imul__}[update](2)
        assert t.dtype == np.dtype(dtype)


def test_integers_and_booleans_index_and_count() -> None:
    x = xp.asarray([3.0, 1.0, 2.0])
    order = xp.argsort(x)
    np.testing.assert_array_equal(x[order].data, [1, 2, 3])
    np.testing.assert_array_equal(x[x > 1.5].data, [3, 2])
    assert list(range(xp.argmax(x) + 3)) == [0, 1, 2]
    assert bool(xp.any(x > 2))
    assert [10, 20, 30][xp.argmin(x)] == 20
    np.testing.assert_array_equal(ag.grad(lambda x: xp.sum(xp.take(x, xp.argsort(x)) * xp.asarray([1.0, 2.0, 4.0])))(x), [4, 1, 2])


# --- where the standard's signature is not NumPy's ------------------------------------------------


def test_descending_order_is_stable_and_differentiable() -> None:
    x = xp.asarray([[2, 1, 2, 3], [0, 0, 0, 0]])
    np.testing.assert_array_equal(xp.argsort(x, descending=True).data, [[3, 0, 2, 1], [0, 1, 2, 3]])
    np.testing.assert_array_equal(xp.argsort(x, axis=0, descending=True).data, [[0, 0, 0, 0], [1, 1, 1, 1]])
    np.testing.assert_array_equal(xp.sort(x, descending=True).data, [[3, 2, 2, 1], [0, 0, 0, 0]])
    np.testing.assert_array_equal(xp.sort(x, axis=0).data, [[0, 0, 0, 0], [2, 1, 2, 3]])
    g = ag.grad(lambda x: xp.sum(xp.sort(x, descending=True) * xp.asarray([1.0, 2.0, 3.0])))(xp.asarray([0.1, 0.3, 0.2]))
    np.testing.assert_array_equal(g, [3, 1, 2])


def test_distinct_values_are_sorted() -> None:
    x = xp.asarray([3, 1, 0, 3, 2, 1])
    np.testing.assert_array_equal(xp.unique_values(x).data, [0, 1, 2, 3])
    np.testing.assert_array_equal(ag.grad(lambda x: xp.unique_values(x) @ xp.arange(3.0))(xp.asarray([2.0, 0.0, 2.0, 1.0])), [2, 0, 0, 1])


def test_limits_are_python_numbers() -> None:
    for kind in (xp.float32, xp.complex64, xp.ones(1, dtype=xp.float32), np.float32(1)):
        info = xp.finfo(kind)
        assert (info.bits, type(info.eps), info.dtype) == (32, float, np.float32)
    assert xp.finfo(xp.float64).smallest_normal == np.finfo(float).smallest_normal
    assert xp.iinfo(xp.ones(1, dtype=xp.int8)).max == xp.iinfo(xp.int8).max == 127


def test_frequencies_have_a_dtype() -> None:
    for name in ("fftfreq", "rfftfreq"):
        made = getattr(xp.fft, name)(6, d=0.5, dtype=xp.float32, device="cpu")
        assert made.dtype == np.float32
        np.testing.assert_allclose(made.data, getattr(np.fft, name)(6, 0.5), rtol=1e-6)


def test_grids_are_lists() -> None:
    grid = xp.meshgrid(xp.arange(3), xp.arange(2), indexing="ij")
    assert type(grid) is type(xp.broadcast_arrays(xp.arange(3), 1)) is list
    assert grid[0].shape == (3, 2)
    np.testing.assert_array_equal(ag.grad(lambda t: xp.sum(xp.clip(t, max=2.0)))(xp.asarray([1.0, 3.0])), [1, 0])


# --- devices, memory, inspection ------------------------------------------------------------------


def test_devices() -> None:
    x = xp.asarray([1.0])
    assert x.device == xp.sum(x).device == "cpu"
    assert x.to_device("cpu") is x
    np.testing.assert_array_equal(ag.grad(lambda x: xp.sum(x.to_device(x.device) ** 2))(x), [2.0])
    with pytest.raises(ValueError, match="'cuda'"):
        x.to_device("cuda")
    if not hasattr(np, "__array_namespace_info__"):
        pytest.skip("NumPy 2.0 does not describe itself")
    info = xp.__array_namespace_info__()
    assert info.default_device() in info.devices()
    assert info.default_dtypes(device="cpu")["real floating"] == xp.float64
    assert info.dtypes(kind="bool") == {"bool": np.dtype(bool)}
    assert info.capabilities()["boolean indexing"] is True


def test_memory_is_exchanged() -> None:
    x = xp.asarray([1.0, 2.0])
    assert tuple(x.__dlpack_device__()) == tuple(xp.sum(x).__dlpack_device__()) == (1, 0)
    shared = np.from_dlpack(x)
    np.testing.assert_array_equal(shared, [1, 2])
    with pytest.raises(ag.InPlaceError, match="would not follow"):
        x[0] = 5.0
    del shared
    x[0] = 5.0
    assert np.from_dlpack(xp.sum(x)) == 7.0
    y = xp.from_dlpack(np.arange(3.0))
    assert isinstance(y, ag.Tensor)
    np.testing.assert_array_equal(y.data, [0, 1, 2])


def test_memory_of_a_variable_is_not_given_away() -> None:
    def f(x: Any) -> Any:
        assert xp.from_dlpack(x) is x
        return xp.sum(xp.asarray(np.from_dlpack(x)) ** 2)

    with pytest.raises(ag.LeavesNumPyError, match="would lose its gradient"):
        ag.grad(f)(np.ones(2))


def test_functions_of_the_namespace_are_pickled_by_name() -> None:
    for f in (xp.zeros, xp.sort, xp.asarray, xp.unique_all, xp.sin):
        assert pickle.loads(pickle.dumps(f)) is f


# --- code that is written for the standard --------------------------------------------------------


def _whitened(x: Any) -> Any:
    """Return samples with unit covariance: code that knows no library."""
    xp = x.__array_namespace__()
    x = x - xp.mean(x, axis=0, keepdims=True)
    values, vectors = xp.linalg.eigh(xp.matmul(x.T, x) / x.shape[0])
    scale = xp.where(values > 1e-12, 1 / xp.sqrt(values), xp.zeros_like(values))
    return xp.matmul(x, vectors) * scale[None, :]


def test_code_for_the_standard_is_differentiable() -> None:
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))

    def loss(x: Any) -> Any:
        xp = x.__array_namespace__()
        return xp.sum(xp.abs(_whitened(x)) * xp.asarray(weights))

    np.testing.assert_allclose(_whitened(xp.asarray(x)).data, _whitened(x))
    g = ag.grad(loss)(x)
    numeric = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = 1e-6
        numeric[i] = (loss(x + e) - loss(x - e)) / 2e-6
    np.testing.assert_allclose(g, numeric, rtol=1e-6, atol=1e-7)


def test_the_example_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "array_api.md").read_text("utf-8"), re.DOTALL)
    exec(compile(block, "array_api.md", "exec"), {})
    assert f"# {capsys.readouterr().out}" == block.splitlines(keepends=True)[-1]


# --- the conformance suite ------------------------------------------------------------------------


def test_every_exception_to_the_suite_has_its_reason_on_the_page() -> None:
    lines = XFAILS.read_text("utf-8").splitlines()
    functions = {re.search(r"\[(?:__i?)?([a-z0-9_]+?)(?:__)?\(", line)[1] for line in lines if line.startswith("array_api")}  # type: ignore[index]
    page = (ROOT / "docs" / "array_api.md").read_text("utf-8")
    assert functions == {"floor_divide", "floordiv", "expm1", "tanh", "pow"}
    assert all(f"`{f}`" in page for f in functions - {"floordiv"})
    assert str(sum(line.startswith("array_api") for line in lines)) in page


def test_the_conformance_suite() -> None:
    """Run the public suite, where the variable ARRAY_API_TESTS names a clone of it."""
    suite = os.environ.get("ARRAY_API_TESTS")
    if not suite:
        pytest.skip("the conformance suite is not here: set ARRAY_API_TESTS to a clone of github.com/data-apis/array-api-tests")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "--rootdir=.",
        "-n2",
        "--max-examples=20",
    ]
    command += ["--disable-deadline", "--derandomize", f"--xfails-file={XFAILS}", "array_api_tests"]
    environment = {**os.environ, "ARRAY_API_TESTS_MODULE": "autograd_np.array_api", "ARRAY_API_TESTS_MAX_ARRAY_SIZE": "128"}
    done = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, timeout=900)
    tail = "\n".join(done.stdout.splitlines()[-40:])
    assert done.returncode == 0, tail + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", tail)
    assert passed is not None
    assert int(passed[1]) > 1200, tail
