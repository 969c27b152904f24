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


class _Drawing(nn.Module):
    """Draws numbers, from generators of its own, in several ways."""

    def __init__(self) -> None:
        self.inner = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.3, batch_first=True, rng=0)
        self.noise = np.random.default_rng(5)
        self.out = nn.Linear(4, 1, rng=2)

    def forward(self, x: Any) -> Any:
        x = self.inner(x + self.noise.normal(0.0, 0.1, size=(4,)))
        return self.out(x)[:, 0] * self.noise.uniform(0.9, 1.1)


class _Careless(nn.Module):
    def __init__(self) -> None:
        self.out = nn.Linear(3, 1, rng=2)

    def forward(self, x: Any) -> Any:
        return self.out(nn.functional.dropout(x, 0.5))


def _pair(make: Callable[[], Any], optimiser: Callable[[Any], Any], loss: Any) -> tuple[Any, Any, Any]:
    model, other = make(), make()
    mine, theirs = optimiser(model.parameters()), optimiser(other.parameters())
    step = nn.compile_step(model, loss, mine)

    def eager(*batch: Any) -> Any:
        *inputs, target = batch
        theirs.zero_grad()
        value = loss(other(*inputs), target)
        value.backward()
        theirs.step()
        return value.data

    return step, eager, other


def _same_models(model: Any, other: Any, near: float = 1e-9) -> None:
    for name, value in other.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], value, near, near, err_msg=name)


def _dropping() -> Any:
    rng = np.random.default_rng(1)
    layers = nn.Linear(3, 4, rng=0), nn.Dropout(0.5, rng=rng), nn.ReLU(), nn.Dropout(0.25, rng=rng), nn.Linear(4, 1, rng=2)
    return nn.Sequential(*layers)


@pytest.mark.parametrize("what", ["dropout", "several"])
def test_what_a_model_draws_is_drawn_as_without_compiled_code(what: str) -> None:
    shape = (3,) if what == "dropout" else (3, 4)
    step, eager, other = _pair(_dropping if what == "dropout" else _Drawing, OPTIMISERS["SGD"], nn.MSELoss())
    rng = np.random.default_rng(0)
    for n in (5, 5, 2, 5, 2):
        x, y = rng.normal(size=(n, *shape)), rng.normal(size=(n, 1))
        np.testing.assert_allclose(step(x, y), eager(x, y), 1e-9)
        assert _states(step.model) == _states(other)
        _same_models(step.model, other)
    assert step.note == ""


def _states(x: Any) -> list[Any]:
    return [g.bit_generator.state for m in x.modules() for g in vars(m).values() if isinstance(g, np.random.Generator)]


def test_no_random_numbers_are_lost_where_a_step_fails_or_is_profiled() -> None:
    step, eager, _ = _pair(_dropping, OPTIMISERS["SGD"], nn.MSELoss())
    before = _states(step.model)
    with pytest.raises(nn.ShapeMismatchError, match="3 features"):
        step(np.ones((5, 7)), np.ones((5, 1)))
    assert _states(step.model) == before
    x, y = np.ones((5, 3)), np.ones((5, 1))
    np.testing.assert_allclose(step(x, y), eager(x, y), 1e-12)


def test_a_model_that_cannot_be_compiled_is_trained_as_it_stands_with_a_warning() -> None:
    model = _Careless()
    step = nn.compile_step(model, nn.MSELoss(), nn.SGD(model.parameters(), lr=0.1))
    x, y = np.ones((5, 3)), np.ones((5, 1))
    with pytest.warns(ag.CompileWarning, match="without compiled code"):
        first = float(step(x, y))
    assert step.note
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


def test_hooks_are_called_at_each_step_as_long_as_they_are_there() -> None:
    step, eager, other = _pair(_dropping, OPTIMISERS["SGD"], nn.MSELoss())
    x, y = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 1))
    seen: list[Any] = []
    for what in [None, "hook", "hook", None]:
        handle = step.model[0].register_forward_hook(lambda *_, what=what: seen.append(what)) if what else None
        np.testing.assert_allclose(step(x, y), eager(x, y), 1e-9)
        if handle is not None:
            handle.remove()
    assert seen == ["hook", "hook"]
    assert step.note == ""
    _same_models(step.model, other)


def test_a_layer_that_is_replaced_draws_from_its_own_generator() -> None:
    step, eager, other = _pair(_dropping, OPTIMISERS["SGD"], nn.MSELoss())
    x, y = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 1))
    for t in range(4):
        if t == 2:
            for model in (step.model, other):
                model[1] = nn.Dropout(0.5, rng=9)
                model[2] = nn.Tanh()
        np.testing.assert_allclose(step(x, y), eager(x, y), 1e-9)
    assert step.note == ""
    assert _states(step.model) == _states(other)


def test_a_batch_may_lie_in_a_file(tmp_path: Any) -> None:
    x, y = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 1))
    np.save(tmp_path / "x.npy", x)
    step, eager, _ = _pair(_dropping, OPTIMISERS["Adam"], nn.MSELoss())
    for _ in range(2):
        np.testing.assert_allclose(step(np.load(tmp_path / "x.npy", mmap_mode="r"), y), eager(x, y), 1e-9)
    assert step.note == ""
