"""The gradient by an array that was seen through windows: along every axis, one axis twice, from the end."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import autograd_np as ag
from autograd_np.derivations.rules.as_written import add_windows


@pytest.mark.parametrize(("window_shape", "axis"), [(2, 1), (2, -1), ((2, 3), None), ((2, 3), (0, 1)), ((3, 2), (-1, 0)), ((2, 2), (1, 1))])
def test_windows_are_added_at_their_places(window_shape: object, axis: object, rng: np.random.Generator) -> None:
    def loss(x, w):
        windows = sliding_window_view(x, window_shape, axis=axis)
        return np.sum(np.sin(windows) * w)

    x = rng.normal(size=(4, 5))
    w = rng.normal(size=sliding_window_view(x, window_shape, axis=axis).shape)
    source = ag.derive(loss, x, w, wrt="x").to_numpy()
    assert "autograd_np" not in source
    defined: dict[str, object] = {}
    exec(source, defined)
    _, gradients = defined["value_and_grad"](x, w)  # type: ignore[operator]
    np.testing.assert_allclose(gradients["dx"], ag.grad(loss)(x, w), rtol=1e-12)
    adding = lambda g: np.sum(x * add_windows(g, shape=x.shape, window_shape=window_shape, axis=axis))  # noqa: E731
    np.testing.assert_allclose(ag.grad(adding)(w), sliding_window_view(x, window_shape, axis=axis))
