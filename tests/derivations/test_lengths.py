"""Sizes that no formula of other sizes gives, and sizes of nothing: what is printed works for all, and never by chance."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from executed import agrees, value_and_grad

import autograd_np as ag
from autograd_np.derivations.naming import numbers

RNG = np.random.default_rng(0)


def of_positive(x: Any) -> Any:
    return np.mean(x[x > 0] ** 2)


def of_found(x: Any) -> Any:
    k = np.flatnonzero(np.asarray(x > 0.3))
    return np.sum(x[k]) / len(k)


def every_third(x: Any) -> Any:
    return np.mean(x[1::3] ** 2)


def backwards(x: Any) -> Any:
    return np.mean(x[::-2] ** 3)


def spread_of_every_third(x: Any) -> Any:
    return np.var(x[1::3]) + np.sum(np.tanh(x)[1::3])


def every_other_named(x: Any) -> Any:
    h = x[::2] ** 2
    return np.mean(h)


@pytest.mark.parametrize("f", [of_positive, every_third, backwards, spread_of_every_third, every_other_named])
@pytest.mark.parametrize("size", [4, 7, 12])
def test_of_what_is_picked_out(f: Any, size: int) -> None:
    source = agrees(f, RNG.normal(size=7), at=(RNG.normal(size=size),))
    assert "ag.vjp" not in source


def test_of_a_mask_that_is_given() -> None:
    def f(x: Any, keep: Any) -> Any:
        return np.mean(x[keep])

    x = RNG.normal(size=9)
    source = ag.derive(f, x, x > 0).to_numpy()
    assert "x[keep].shape[0]" in source
    for keep in (x > np.sort(x)[-3], x < 10.0):
        _, (dx,) = value_and_grad(source, x, keep)
        np.testing.assert_allclose(dx, keep / np.sum(keep))


def test_of_places_that_are_found() -> None:
    x = np.array([1.0, -1.0, 0.5, 0.1, 2.0])
    source = ag.derive(of_found, x).to_numpy()
    assert "ag.vjp" not in source
    assert "/= k.shape[0]" in source


def test_rows_that_are_picked() -> None:
    def f(x: Any) -> Any:
        return np.mean(x[x[:, 0] > 0])

    agrees(f, RNG.normal(size=(6, 3)), at=(RNG.normal(size=(8, 5)),))


def test_multiples_and_float32() -> None:
    def f(x: Any, w: Any) -> Any:
        v = np.mean(w)
        return np.sum(v - x) + 0.1 * np.sum(w**2)

    x, w = (RNG.normal(size=s).astype(np.float32) for s in ((1, 4), (4, 4)))
    agrees(f, x, w, at=tuple(RNG.normal(size=s).astype(np.float32) for s in ((1, 6), (5, 3))))


def test_what_happens_to_be_one_everywhere_is_no_one() -> None:
    def f(y: Any) -> Any:
        z = np.abs(y[1:])
        return np.sum(np.where(z > 0.05, z, 0.2 * z)) + 0.1 * np.sum(y**2)

    agrees(f, np.array([-0.3, 0.4, 0.6]), at=(np.array([0.1, -0.4, 0.01, 0.6]),))


def test_a_scaled_assignment_beside_a_sum_keeps_its_scale() -> None:
    def f(x: Any) -> Any:
        y = np.tanh(x)
        s = np.sum(y)
        d = y / (1.5 + s**2)
        return np.sum(d[1:]) + 0.1 * np.sum(x**2)

    agrees(f, RNG.normal(size=(4, 3)), at=(RNG.normal(size=(6, 2)),))


def test_a_turned_array_is_turned_back() -> None:
    def f(x: Any) -> Any:
        y = np.tanh(x)
        return np.sum(y[::-1] * np.arange(len(x)))

    source = agrees(f, RNG.normal(size=5), at=(RNG.normal(size=8),))
    assert "[::-1]" in source.split("def backward")[1]
    assert "scatter_add" not in source


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_a_mean_over_nothing_is_divided_by_nothing() -> None:
    def f(y: Any) -> Any:
        h = y + (-y)[..., None]
        return np.sum(np.mean(h, axis=0)) + 0.1 * np.sum(y**2)

    agrees(f, np.zeros(0))


def test_what_is_infinite_meets_the_whole() -> None:
    def f(y: Any, w: Any) -> Any:
        b = np.tanh(y) * (w * (w > 0) / w.shape[0])
        return np.sum(b) + 0.1 * np.sum(y**2)

    source = ag.derive(f, np.array(0.3), np.zeros(0)).to_numpy()
    namespace: dict[str, Any] = {"__name__": "program"}
    exec(source, namespace)

    def slope(y: Any, w: Any) -> Any:
        gradients = namespace["value_and_grad"](y, w)[1]
        return sum(np.sum(g * g) for g in gradients.values())

    by_y, _ = ag.grad(slope, argnums=(0, 1))(np.array(0.3), np.zeros(0))
    assert np.isfinite(by_y)


def test_a_sum_over_the_only_axis_is_one_over_all() -> None:
    def f(x: Any) -> Any:
        return np.mean(np.var(x[1:], axis=0)) + np.sum(x[1:] ** 2)

    lines = agrees(f, RNG.normal(size=6), at=(RNG.normal(size=9),)).splitlines()
    assert not any("axis=0" in line for line in lines if line.startswith("    dx["))


def test_sums_of_numbers_and_sizes_in_float32() -> None:
    def f(w: Any, v: Any) -> Any:
        return np.sum(w**2 * (0.1 + np.float32(1.0) / w.size)) + np.sum(v * (0.5 + 2 * np.float32(w.size)))

    def inputs(*shape: int) -> tuple[Any, ...]:
        return tuple(RNG.normal(size=s).astype(np.float32) for s in (shape, 3))

    agrees(f, *inputs(4, 3), at=inputs(5, 6))


def test_whole_numbers_everywhere() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.full(x.shape, x.shape[1]) * (x > 0) * x)

    agrees(f, RNG.normal(size=(4, 3)), at=(RNG.normal(size=(5, 6)),))


@pytest.mark.parametrize("part", [np.s_[1:], np.s_[1:, :-1], np.s_[1:-1, 1:-1, 2:], np.s_[..., 1:]])
def test_of_how_many_a_part_has(part: Any) -> None:
    def f(x: Any, y: Any) -> Any:
        z = y[part]
        return np.sum(x * x) / z.size

    source = agrees(f, RNG.normal(size=3), RNG.normal(size=(3, 4, 5)), at=(RNG.normal(size=4), RNG.normal(size=(6, 3, 9))))
    assert "y.shape[0]" in source


def test_of_a_multiple_of_two_sizes() -> None:
    def f(x: Any, y: Any) -> Any:
        return np.sum(x * x) * (len(x) * len(y) + len(y) * len(x))

    agrees(f, RNG.normal(size=3), RNG.normal(size=(4, 5)), at=(RNG.normal(size=6), RNG.normal(size=(7, 2))))


def test_not_all_cuts_of_an_array_of_many_axes_are_tried() -> None:
    shapes = tuple(tuple(range(first, first + 14)) for first in (2, 5, 7))
    assert len(list(itertools.islice(numbers._cuts((10007, 20011, 30011), shapes), 1000))) < 1000  # there are millions
    assert numbers.of_sizes((10007, 20011, 30011), {"y": shapes}) is None
