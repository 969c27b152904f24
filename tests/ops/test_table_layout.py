"""What a result shows of memory: its layout, whether it is a view, and whether it is a number, are NumPy's; writes depend on them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from table import ROWS, arrays_of, rows, samples

import autograd_np as ag
from autograd_np.op import Op


def _with_gaps(x: np.ndarray) -> np.ndarray:
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "gaps": _with_gaps,
    "backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "permuted": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
}


def _steps(a: np.ndarray) -> list[int]:
    return [s // a.itemsize for n, s in zip(a.shape, a.strides, strict=True) if n > 1]


def _agrees(call: Callable[..., Any], *xs: np.ndarray, what: str = "") -> None:
    """Compare the result on Tensors that hold these very arrays, as in a transform."""
    found: list[Any] = []

    def keeping(*tensors: Any) -> Any:
        found[:] = [call(*tensors)]
        return sum(np.sum(t) for t in tensors)

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = call(*xs)
            ag.vjp(keeping, *xs)
        except (ag.AutogradError, ValueError, TypeError):  # of NumPy, for this shape; other tests demand what has to work
            return
    several = isinstance(expected, tuple | list)
    for got, want in zip(found[0], expected, strict=True) if several else [(found[0], expected)]:
        array = arrays_of(got)
        if not isinstance(want, np.ndarray | np.generic):
            continue
        assert type(array) is type(want), what
        if isinstance(want, np.ndarray) and want.size:
            assert _steps(array) == _steps(want), what
            assert [np.shares_memory(array, x) for x in xs] == [np.shares_memory(want, x) for x in xs], what
            assert array.flags.writeable == want.flags.writeable, what


@rows([op for op in ROWS if op.kind != "constant"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_row_lays_its_result_out_as_numpy_does(op: Op, layout: str) -> None:
    for s in samples(op):
        if s.floats:
            _agrees(s.call, *(LAYOUTS[layout](x) if x.ndim else x for x in s.floats), what=str(s))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "insert": lambda x: np.insert(x, 1, 2.0, axis=0),
    "insert several": lambda x: np.insert(x, [0, 2], 2.0, axis=-1),
    "insert flat": lambda x: np.insert(x, 1, 2.0),
    "delete": lambda x: np.delete(x, 1, axis=0),
    "delete flat": lambda x: np.delete(x, 1),
    "delete several": lambda x: np.delete(x, [0, 1], axis=-1),
    "delete slice": lambda x: np.delete(x, slice(0, 2), axis=1),
    "append": lambda x: np.append(x, x, axis=1),
    "vstack": lambda x: np.vstack([x, x]),
    "hstack": lambda x: np.hstack([x, x]),
    "dstack": lambda x: np.dstack([x, x]),
    "column_stack": lambda x: np.column_stack([x, x]),
    "block": lambda x: np.block([[x, x]]),
    "block of one": np.block,
    "choose": lambda x: np.choose(np.ones(x.shape, int), [x, x]),
    "select": lambda x: np.select([x > 1], [x], 0),
    "select of three": lambda x: np.select([x > 1, x < 2], [x, x * 2], x),
    "compress": lambda x: np.compress([True, False, True], x, axis=1),
    "extract": lambda x: np.extract(x > 1, x),
    "partition": lambda x: np.partition(x, 1, axis=0),
    "diff": lambda x: np.diff(x, axis=0),
    "diff twice": lambda x: np.diff(x, n=2),
    "diff not at all": lambda x: np.diff(x, n=0),
    "gradient": np.gradient,
    "gradient along": lambda x: np.gradient(x, axis=1),
    "gradient at": lambda x: np.gradient(x, np.arange(3.0), axis=1),
    "rollaxis": lambda x: np.rollaxis(x, 1),
    "broadcast_arrays": lambda x: np.broadcast_arrays(x, x * 2),
    "fliplr": np.fliplr,
    "atleast_3d": np.atleast_3d,
    "atleast_2d": lambda x: np.atleast_2d(x[0, 0]),
    "array_split": lambda x: np.array_split(x, 2, axis=1),
    "hsplit": lambda x: np.hsplit(x, [1]),
    "astype": lambda x: x.astype("f4"),
    "astype F": lambda x: x.astype("f8", order="F"),
    "astype itself": lambda x: x.astype("f8", copy=False),
    "copy": lambda x: x.copy(),
    "copy K": lambda x: x.copy("K"),
    "np.copy": np.copy,
    "flatten": lambda x: x.flatten("F"),
    "ravel": lambda x: x.ravel(),
    "reshape": lambda x: x.reshape(2, -1, order="F"),
    "T": lambda x: x.T,
    "mT": lambda x: x.mT,
    "real": lambda x: x.real,
    "np.real": np.real,
    "conj": lambda x: x.conj(),
    "conjugate": lambda x: x.conjugate(),
    "np.conj": np.conj,
    "clip": lambda x: x.clip(0.5, 1),
    "nan_to_num": np.nan_to_num,
    "where": lambda x: np.where(x[:, :1] > 1, x, x * 2),
    "zeros_like": np.zeros_like,
    "full_like": lambda x: np.full_like(x, 2.0),
    "take": lambda x: np.take(x, [0, 1], axis=1),
    "x[[0, 1]]": lambda x: x[:, [0, 1]],
    "x[mask]": lambda x: x[x > 1],
    "x[::-1, [0, 2]]": lambda x: x[::-1, [0, 2]],
    "tile": lambda x: np.tile(x, 2),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "roll": lambda x: np.roll(x, 1, axis=0),
    "rot90": lambda x: np.rot90(x, 0),
    "tril": np.tril,
    "ptp": lambda x: np.ptp(x, axis=0),
    "median": lambda x: np.median(x, axis=1),
    "average": lambda x: np.average(x, axis=0, weights=x),
    "nanmean": lambda x: np.nanmean(x, axis=1),
    "nanvar": lambda x: np.nanvar(x, axis=0),
    "nanmax": lambda x: np.nanmax(x, axis=0),
    "nancumsum": lambda x: np.nancumsum(x, axis=0),
    "add.outer": lambda x: np.add.outer(x, x),
    "cumulative": lambda x: np.cumsum(x, axis=1),
    "add.reduce": lambda x: np.add.reduce(x, axis=1),
    "kron": lambda x: np.kron(x, x),
    "outer": lambda x: np.outer(x, x),
    "matrix_power": lambda x: np.linalg.matrix_power(x[..., :2, :2], 0),
    "trace": np.trace,
    "matrix_power 1": lambda x: np.linalg.matrix_power(x[..., :2, :2], 1),
    "diagonal": np.diagonal,
    "modf": np.modf,
    "power": lambda x: x**2,
    "divmod": lambda x: divmod(x, 0.3),
    "x[...]": lambda x: x[...],
    "list(x)": list,
    "x.take": lambda x: x.take([0], 1),
    "x + F": lambda x: x + np.asfortranarray(np.ones(x.shape)),
    "x += 1": lambda x: (x * 1).__iadd__(1),
    "softmax": lambda x: ag.softmax(x, axis=0),
    "number: median": np.median,
    "number: average": np.average,
    "number: nanvar": np.nanvar,
    "number: nanstd": np.nanstd,
    "number: ptp": np.ptp,
    "number: nanmax": np.nanmax,
    "number: nanmin": np.nanmin,
    "number: nan_to_num": lambda x: np.nan_to_num(np.sum(x)),
    "number: nansum": np.nansum,
    "number: logsumexp": ag.logsumexp,
    "number: vdot": lambda x: np.vdot(x, x),
    "number: norm": np.linalg.norm,
    "number: a copy": lambda x: np.sum(x).copy(),
    "array: np.copy": lambda x: np.copy(np.sum(x)),
    "array: where": lambda x: np.where(True, np.sum(x), 0),
    "array: reshape": lambda x: np.sum(x).reshape(()),
    "array: select": lambda x: np.select([np.True_], [np.sum(x)]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_function_lays_its_result_out_as_numpy_does(name: str, layout: str) -> None:
    for x in (np.arange(1.0, 25.0).reshape(2, 3, 4) / 10, np.arange(1.0, 13.0).reshape(3, 4) / 7, np.arange(9.0).reshape(3, 3)):
        _agrees(FUNCTIONS[name], LAYOUTS[layout](x), what=name)


def test_a_write_through_what_a_function_returned() -> None:
    """The layout decides whether `ravel` is a view, and a number decides what ``+=`` reaches."""

    def through(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def g(x: Any) -> Any:
            y = f(x)
            other = y
            if y.ndim:
                y.ravel()[0] *= 3
            y *= 2
            return np.sum(y**2) + np.sum(other**3)

        return g

    x = np.asfortranarray(np.arange(1.0, 13.0).reshape(3, 4) / 7 + 0.05)  # away from the conditions of select
    for name in (
        "insert",
        "delete",
        "select",
        "partition",
        "block of one",
        "gradient along",
        "number: median",
        "number: nanstd",
        "number: nan_to_num",
    ):
        f = through(FUNCTIONS[name])
        value, g = ag.value_and_grad(f)(x)
        np.testing.assert_allclose(value, f(x), rtol=1e-12)
        moved = sum(np.sum(c * f(x + h * 1e-3 * x)) for c, h in ((-1 / 2, -1), (1 / 2, 1)))
        np.testing.assert_allclose(np.sum(g * x), moved / 1e-3, rtol=1e-4)
