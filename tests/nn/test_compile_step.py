"""`nn.compile_step`: the same trajectory as eager training, and running statistics, momentum and modes with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn

MODELS: dict[str, tuple[Callable[[], Any], Any, tuple[int, ...]]] = {
    "perceptron": (lambda: nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 3, rng=1)), nn.CrossEntropyLoss(), (6, 4)),
    "normed": (
        lambda: nn.Sequential(nn.Linear(4, 5, rng=0), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3, rng=1)),
        nn.CrossEntropyLoss(),
        (6, 4),
    ),
    "convolution": (
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3, rng=1)),
        nn.CrossEntropyLoss(),
        (3, 1, 5, 5),
    ),
}
OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: nn.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: nn.Adam(p, lr=0.05),
}


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("what", MODELS)
def test_a_compiled_step_goes_where_eager_goes(what: str, optimiser: str) -> None:
    make, loss, shape = MODELS[what]
    model, other = make(), make()
    mine, theirs = OPTIMISERS[optimiser](model.parameters()), OPTIMISERS[optimiser](other.parameters())
    step = nn.compile_step(model, loss, mine)
    rng = np.random.default_rng(0)
    for _ in range(4):
        x, y = rng.normal(size=shape), rng.integers(0, 3, shape[0])
        theirs.zero_grad()
        expected = loss(other(x), y)
        expected.backward()
        theirs.step()
        np.testing.assert_allclose(step(x, y), expected.data, 1e-9)
    assert step.note == ""
    for name, value in other.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], value, 1e-8, 1e-11, err_msg=name)


def test_a_model_that_draws_is_trained_as_it_stands_with_a_warning() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Dropout(0.5, rng=1), nn.Linear(4, 1, rng=2))
    step = nn.compile_step(model, nn.MSELoss(), nn.SGD(model.parameters(), lr=0.1))
    x, y = np.ones((5, 3)), np.ones((5, 1))
    with pytest.warns(ag.CompileWarning, match="random numbers"):
        first = float(step(x, y))
    assert "random" in step.note
    assert all(float(step(x, y)) < 10 * first for _ in range(3))


def test_a_change_of_mode_is_another_signature() -> None:
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 1, rng=2))
    step = nn.compile_step(model, nn.MSELoss(), nn.SGD(model.parameters(), lr=0.1))
    x, y = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 1))
    step(x, y)
    before = model[1].running_mean.copy()
    model.eval()
    step(x, y)
    np.testing.assert_array_equal(model[1].running_mean, before)
