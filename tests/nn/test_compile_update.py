"""The optimiser's step in `nn.compile_step`: of every rule and option the trajectory and the state of the step that is not compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd_np as ag
import nn
from nn.optim.compiled import CompiledUpdate
from tests.nn.trajectories import gradients, parameters

share = st.sampled_from([0.0, 0.3, 0.9])
small = st.sampled_from([0.0, 0.01])
maximize = {"maximize": st.booleans()}
RULES: dict[str, tuple[Any, st.SearchStrategy[dict[str, Any]]]] = {
    "SGD": (
        nn.SGD,
        st.one_of(
            st.fixed_dictionaries({"lr": share, "momentum": share, "dampening": share, "weight_decay": small, **maximize}),
            st.fixed_dictionaries({"lr": share, "momentum": st.just(0.9), "nesterov": st.just(True), "weight_decay": small, **maximize}),
        ),
    ),
    "Adam": (
        nn.Adam,
        st.fixed_dictionaries({"betas": st.tuples(share, share), "weight_decay": small, "amsgrad": st.booleans(), **maximize}),
    ),
    "AdamW": (nn.AdamW, st.fixed_dictionaries({"lr": small, "weight_decay": share, "amsgrad": st.booleans(), **maximize})),
    "NAdam": (
        nn.NAdam,
        st.fixed_dictionaries({"weight_decay": small, "decoupled_weight_decay": st.booleans(), "momentum_decay": small, **maximize}),
    ),
    "RMSprop": (
        nn.RMSprop,
        st.fixed_dictionaries({"alpha": share, "momentum": share, "centered": st.booleans(), "weight_decay": small, **maximize}),
    ),
    "Adagrad": (
        nn.Adagrad,
        st.fixed_dictionaries({"lr_decay": small, "initial_accumulator_value": share, "weight_decay": small, **maximize}),
    ),
}


def _walk(optimisers: Any, params: Any, move: Callable[[int, int], None], steps: Any, dtype: Any) -> None:
    """Give both the gradients of the same steps; now and then a parameter has none."""
    for t in steps:
        for which, own in enumerate(params):
            for i, (p, g) in enumerate(zip(own, gradients([p.data for p in own], t), strict=True)):
                p.grad = None if t % 3 == i else np.asarray(g, dtype)
            move(which, t)
        near = 2e-5 if dtype is np.float32 else 1e-12
        for p, q in zip(*params, strict=True):
            assert p.dtype == q.dtype
            np.testing.assert_allclose(p.data, q.data, near, near)
        mine, theirs = (o.state_dict() for o in optimisers)
        assert list(mine) == list(theirs)
        for name, x in theirs.items():
            assert np.asarray(x).dtype == np.asarray(mine[name]).dtype
            np.testing.assert_allclose(mine[name], x, near, near, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", RULES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_rule_goes_where_it_goes_uncompiled(name: str, dtype: Any, data: Any) -> None:
    make, options = RULES[name]
    chosen = data.draw(options)
    params = parameters(dtype), parameters(dtype)
    both = [make(p, **chosen) for p in params]
    update = CompiledUpdate(both[0])
    assert update.note == ""

    def move(which: int, t: int) -> None:
        if t == 4:
            both[which].param_groups[0]["lr"] *= 0.3  # as a scheduler does
        update.step() if which == 0 else both[1].step()

    _walk(both, params, move, range(6), dtype)


@pytest.mark.parametrize("name", RULES)
def test_a_training_goes_on_with_or_without_compiled_code_from_the_same_state(name: str) -> None:
    make, _ = RULES[name]
    params = parameters(), parameters()
    both = [make(p, lr=0.05) for p in params]
    updates = [CompiledUpdate(o) for o in both]
    # they change places in the middle, with states from before
    _walk(both, params, lambda which, _: updates[0].step() if which == 0 else both[1].step(), range(4), np.float64)
    for o in both:
        o.load_state_dict(o.state_dict())
    _walk(both, params, lambda which, _: updates[1].step() if which == 1 else both[0].step(), range(4, 8), np.float64)


def test_groups_have_settings_of_their_own_and_large_parameters_are_tiled() -> None:
    def made() -> Any:
        rng = np.random.default_rng(0)
        a, b, c = (nn.Parameter(rng.normal(size=s)) for s in ((300, 400), (400,), (7, 300)))
        groups = [{"params": [a]}, {"params": [b, c], "lr": 0.5, "momentum": 0.0, "maximize": True}]
        return [a, b, c], nn.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.01)

    (p, mine), (q, theirs) = made(), made()
    update = CompiledUpdate(mine)
    rng = np.random.default_rng(1)
    for t in range(4):
        for x, y in zip(p, q, strict=True):
            x.grad = y.grad = rng.normal(size=x.shape)
        schedule = 0.1 / (t + 1)
        for o in (mine, theirs):
            o.param_groups[0]["lr"] = schedule
        update.step()
        theirs.step()
        for x, y in zip(p, q, strict=True):
            np.testing.assert_allclose(x.data, y.data, 1e-12)


def test_arrays_that_nobody_else_has_are_written_where_they_lie_and_others_keep_what_they_show() -> None:
    model = nn.Linear(3, 2, rng=0)
    step = nn.compile_step(model, nn.MSELoss(), nn.Adam(model.parameters(), lr=0.1))
    x, y = np.random.default_rng(0).normal(size=(4, 3)), np.ones((4, 2))
    step(x, y)
    where = model.weight.data.__array_interface__["data"]
    step(x, y)
    assert model.weight.data.__array_interface__["data"] == where
    held, before = model.weight.data, model.weight.data.copy()
    recorded, view = np.sum(model.weight**2), model.bias[:1]
    step(x, y)
    np.testing.assert_array_equal(held, before)
    assert not np.array_equal(model.weight.data, before)
    np.testing.assert_array_equal(view.data, model.bias.data[:1])
    model.weight.grad = None
    recorded.backward()
    np.testing.assert_allclose(model.weight.grad, 2 * before)


def test_an_update_of_ones_own_is_computed_as_it_stands() -> None:
    class SignDescent(nn.Optimizer):
        settings = ("lr",)

        def _update(self, p: Any, g: Any, state: Any, group: Any) -> Any:
            return group["lr"] * np.sign(g)

    model = nn.Linear(2, 1, rng=0)
    step = nn.compile_step(model, nn.MSELoss(), SignDescent(model.parameters(), lr=0.5))
    before = model.weight.data
    step(np.ones((3, 2)), np.zeros((3, 1)))
    assert "SignDescent" in step.update_note
    np.testing.assert_allclose(np.abs(model.weight.data - before), 0.5)


def test_lbfgs_calls_the_compiled_gradients_and_says_that_its_search_is_its_own() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    y = x @ np.array([[1.0], [2.0], [3.0]])
    model, other = nn.Linear(3, 1, rng=0), nn.Linear(3, 1, rng=0)
    step = nn.compile_step(model, nn.MSELoss(), nn.LBFGS(model.parameters(), line_search_fn="strong_wolfe"))
    theirs = nn.LBFGS(other.parameters(), line_search_fn="strong_wolfe")

    def closure() -> Any:
        theirs.zero_grad()
        loss = nn.MSELoss()(other(x), y)
        loss.backward()
        return loss

    np.testing.assert_allclose(step(x, y), theirs.step(closure).data)
    assert "LBFGS" in step.update_note
    np.testing.assert_allclose(model.weight.data, other.weight.data, 1e-6)


def test_nothing_to_move_is_an_error() -> None:
    with pytest.raises(ag.DifferentiationError, match="no parameter has a gradient"):
        CompiledUpdate(nn.SGD(parameters())).step()


class _Tied(nn.Module):
    def __init__(self) -> None:
        self.a = nn.Linear(3, 3, rng=0)
        self.b = nn.Linear(3, 3, rng=1)
        self.b.weight = self.a.weight
        self.frozen = nn.Linear(3, 3, rng=2).requires_grad_(False)
        self.never = nn.Linear(3, 3, rng=3)

    def forward(self, x: Any) -> Any:
        return self.b(np.tanh(self.frozen(self.a(x))))


def test_tied_frozen_and_unused_parameters_and_those_that_thaw() -> None:
    model, other = _Tied(), _Tied()
    mine, theirs = (nn.AdamW(m.parameters(), lr=0.1, weight_decay=0.1) for m in (model, other))
    step = nn.compile_step(model, nn.MSELoss(), mine)
    rng = np.random.default_rng(0)
    for t in range(6):
        x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
        if t == 3:
            model.frozen.requires_grad_(True)
            other.frozen.requires_grad_(True)
        theirs.zero_grad()
        value = nn.MSELoss()(other(x), y)
        value.backward()
        theirs.step()
        np.testing.assert_allclose(step(x, y), value.data, 1e-9)
        for name, p in other.named_parameters():
            np.testing.assert_allclose(dict(model.named_parameters())[name].data, p.data, 1e-9, err_msg=name)
    assert model.never.weight.grad is None
    assert step.note == ""
    assert mine.state_dict().keys() == theirs.state_dict().keys()
