"""A function of the mirror against SciPy's own: value, both modes, and the second order, by differences of SciPy's values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from oracles import directional

import autograd_np as ag
from autograd_np.tensor import value_of


def _leaves(out: Any) -> list[Any]:
    return [leaf for part in out for leaf in _leaves(part)] if isinstance(out, list | tuple) else [out]


def _paired(ws: list[Any], outs: list[Any]) -> Any:
    """Return the real number whose gradient by each output is its w."""
    found = 0.0
    for w, y in zip(ws, outs, strict=True):
        if w is not None:
            found = found + np.sum(np.real(w) * np.real(y)) + (np.sum(np.imag(w) * np.imag(y)) if np.iscomplexobj(w) else 0.0)
    return found


def _drawn(rng: np.random.Generator, like: Any) -> Any:
    w = rng.normal(size=np.shape(like))
    return w + 1j * rng.normal(size=np.shape(like)) if np.iscomplexobj(like) else w


def agrees(
    call: Callable[..., Any],
    real: Callable[..., Any],
    *arrays: Any,
    seed: int = 0,
    second: bool = True,
    rtol: float = 1e-6,
    settle: Callable[[Any], Any] = lambda out: out,
    step: float = 0.02,
    value_rtol: float = 1e-10,
) -> None:
    """Hold `call` on Tensors to `real` on arrays; `settle` makes of the results what does not depend on a choice."""
    rng = np.random.default_rng(seed)
    plain = _leaves(call(*arrays))
    expected = _leaves(real(*arrays))
    for a, b in zip(plain, expected, strict=True):
        assert not isinstance(a, ag.Tensor)
        np.testing.assert_array_equal(a, b)
    found = _leaves(call(*(ag.Tensor(x, requires_grad=True) for x in arrays)))
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert np.shape(value_of(a)) == np.shape(b)
        assert np.asarray(value_of(a)).dtype.kind == np.asarray(b).dtype.kind or np.asarray(value_of(a)).dtype.kind == "c"
    settled = _leaves(settle(real(*arrays)))
    for a, b in zip(_leaves(settle(call(*(ag.Tensor(x, requires_grad=True) for x in arrays)))), settled, strict=True):
        np.testing.assert_allclose(value_of(a), b, rtol=value_rtol, atol=value_rtol)
    ws = [_drawn(rng, b) if np.asarray(b).dtype.kind in "fc" else None for b in settled]

    def loss(*xs: Any) -> Any:
        outs = _leaves(settle(call(*xs)))
        return _paired(
            [w if w is None or not np.iscomplexobj(y) or np.iscomplexobj(w) else w + 0j for w, y in zip(ws, outs, strict=True)], outs
        )

    def truth(*xs: Any) -> Any:
        return _paired(ws, _leaves(settle(real(*xs))))

    numbers = tuple(range(len(arrays)))
    moves = [_drawn(rng, x) for x in arrays]
    gradient = ag.grad(loss, numbers)(*arrays)
    for g, x in zip(gradient, arrays, strict=True):
        assert g.shape == x.shape
        assert g.dtype == x.dtype
    along = _paired(list(gradient), moves)
    wanted, error = directional(lambda t: truth(*(x + t * m for x, m in zip(arrays, moves, strict=True))), step=step)
    assert abs(along - wanted) <= rtol * max(1.0, abs(wanted)) + 10 * error, f"gradient: {along} against {wanted} ± {error}"
    pushed = ag.jvp(loss, arrays, tuple(moves))[1]
    assert abs(pushed - along) <= 1e-8 * max(1.0, abs(along)), f"forward mode: {pushed} against {along}"
    if not second:
        return
    others = [_drawn(rng, x) for x in arrays]

    def slope(*xs: Any) -> Any:
        return _paired(others, list(ag.grad(loss, numbers)(*xs)))

    curved = _paired(list(ag.grad(slope, numbers)(*arrays)), moves)
    wanted, error = directional(lambda t: slope(*(x + t * m for x, m in zip(arrays, moves, strict=True))), step=step)
    assert abs(curved - wanted) <= rtol * max(1.0, abs(wanted)) + 10 * error, f"second order: {curved} against {wanted} ± {error}"
    turned = _paired(others, list(ag.jvp(ag.grad(loss, numbers), arrays, tuple(moves))[1]))
    assert abs(turned - curved) <= 1e-7 * max(1.0, abs(curved)), f"forward over reverse: {turned} against {curved}"
