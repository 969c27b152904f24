"""Whatever arguments look like in memory, and whatever is captured becomes, a compiled function gives what the function gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_np as ag

LAYOUTS = {
    "plain": lambda a: a,
    "Fortran": np.asfortranarray,
    "turned": lambda a: np.ascontiguousarray(a.T).T,
    "every other": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "backwards": lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
    "same row": lambda a: np.broadcast_to(a[:1], a.shape),
    "part": lambda a: np.pad(a, 2)[2:-2, 2:-2],
}


def functions() -> dict[str, Any]:
    def loss(x: Any, y: Any) -> Any:
        return np.sum(np.tanh(x @ y.T) ** 2) + np.sum(x * y)

    return {
        "gradients": ag.value_and_grad(loss, (0, 1)),
        "arguments": lambda x, y: (x, y, x.T, x + y, [x, {"again": y}]),
        "aliases": lambda x, y: (z := np.exp(x), z, z.T, z[:1], np.reshape(z, -1), y * 2),
        "views": lambda x, y: (x[:1], y[:, ::-1], np.ravel(x), np.swapaxes(y, 0, 1), np.squeeze(x)),
        "sums": lambda x, y: (np.sum(x, axis=0), np.max(y, axis=1, keepdims=True), np.mean(x * x)),
    }


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        for k in expected:
            same(found[k], expected[k])
    elif isinstance(expected, (tuple, list)):
        assert type(found) is type(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b)
    else:
        assert (np.shape(found), found.dtype) == (np.shape(expected), expected.dtype)
        np.testing.assert_allclose(found, expected, rtol=2e-5 if expected.dtype == np.float32 else 1e-11, atol=1e-12)


def owned(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [y for x in tree for y in owned(x)] if isinstance(tree, (tuple, list)) else [tree]


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(functions())),
    rows=st.integers(0, 4),
    columns=st.integers(1, 5),
    layouts=st.lists(st.sampled_from(sorted(LAYOUTS)), min_size=4, max_size=4),
    dtype=st.sampled_from([np.float32, np.float64]),
    sharing=st.sampled_from(["apart", "same", "view", "overlap"]),
    reuses=st.booleans(),
    writable=st.booleans(),
)
def test_arguments_of_every_kind(
    name: str, rows: int, columns: int, layouts: list[str], dtype: Any, sharing: str, reuses: bool, writable: bool
) -> None:
    f = functions()[name]
    if rows == 0 and name == "sums":
        rows = 1
    compiled = ag.compile(f, backend="numpy", reuse_outputs=reuses)
    rng = np.random.default_rng(rows * 7 + columns)
    kept: list[tuple[Any, Any]] = []
    for turn in range(2):
        x = LAYOUTS[layouts[2 * turn]](rng.normal(size=(rows, columns)).astype(dtype)) if rows else np.empty((0, columns), dtype)
        y = LAYOUTS[layouts[2 * turn + 1]](rng.normal(size=(rows, columns)).astype(dtype)) if rows else np.empty((0, columns), dtype)
        if sharing == "same":
            y = x
        elif sharing == "view":
            y = x[:, ::-1]
        elif sharing == "overlap":
            base = rng.normal(size=(rows + 1, columns)).astype(dtype)
            x, y = base[1:], base[:-1]
        if not writable:
            for a in (x, y):
                a.flags.writeable = False
        before = x.copy(), y.copy()
        with np.errstate(all="ignore"):
            expected, found = f(x, y), compiled(x, y)
        same(found, expected)
        np.testing.assert_array_equal(x, before[0])
        np.testing.assert_array_equal(y, before[1])
        if not reuses:
            for earlier, value in kept:  # what was returned before stays as it was
                np.testing.assert_array_equal(earlier, value)
            kept += [(a, np.array(a)) for a in owned(found) if not any(np.may_share_memory(a, given) for given in (x, y))]
    assert compiled.signatures <= 2


class Holder:
    def __init__(self) -> None:
        self.a = np.arange(3.0)
        self.nested = {"b": [np.ones(3), (np.full(3, 2.0),)], "n": 2, "rate": 0.5}

    def __call__(self, x: Any) -> Any:
        return self.nested["n"] * x * self.a + self.nested["b"][0] * self.nested["b"][1][0] + self.nested["rate"]


CHANGES = {
    "written": lambda h: h.a.__setitem__(slice(None), 7.0),
    "replaced": lambda h: setattr(h, "a", np.array([4.0, 5.0, 6.0])),
    "resized": lambda h: setattr(h, "a", np.array([4.0])),
    "float32": lambda h: setattr(h, "a", np.array([4, 5, 6], np.float32)),
    "integers": lambda h: setattr(h, "a", np.array([4, 5, 6])),
    "strided": lambda h: setattr(h, "a", np.arange(6.0)[::2]),
    "of a list": lambda h: h.nested["b"].__setitem__(0, np.array([9.0, 9.0, 8.0])),
    "of a tuple": lambda h: h.nested["b"].__setitem__(1, (np.array([9.0, 9.0, 8.0]),)),
    "a count": lambda h: h.nested.__setitem__("n", 5),
    "a count to a float": lambda h: h.nested.__setitem__("n", 2.0),
    "a rate": lambda h: h.nested.__setitem__("rate", -0.0),
    "the same array twice": lambda h: setattr(h, "a", h.nested["b"][0]),
    "a scalar": lambda h: setattr(h, "a", np.array(3.0)),
}


@settings(max_examples=40, deadline=None)
@given(changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=5))
def test_what_is_captured_may_become_something_else(changes: list[str]) -> None:
    holder = Holder()
    x = np.array([1.0, -2.0, 3.0])
    compiled = ag.compile(holder, backend="numpy")
    same(compiled(x), holder(x))
    for change in changes:
        CHANGES[change](holder)
        same(compiled(x), holder(x))
        same(compiled(x.astype(np.float32)), holder(x.astype(np.float32)))


@pytest.mark.parametrize("first", [2, 2.0, np.float32(2), np.float64(2), True, np.array(2.0), np.array(2)])
@pytest.mark.parametrize("then", [2, 2.0, np.float32(2), np.float64(2), True, np.array(2.0), np.array(2)])
def test_a_number_that_becomes_another_kind(first: Any, then: Any) -> None:
    def f(x: Any, n: Any) -> Any:
        return x * n + n

    compiled = ag.compile(f, backend="numpy")
    x = np.ones(3, np.float32)
    for n in (first, then, first):
        found, expected = compiled(x, n), f(x, n)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
