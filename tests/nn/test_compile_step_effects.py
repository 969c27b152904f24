"""`nn.compile_step` where model and loss do more than compute from arguments: it goes where eager goes, or falls back and says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 1))


class _Run:
    """The same training by compiled steps, and as it stands."""

    def __init__(self, make: Callable[[], Any], loss_of: Callable[[Any], Any] = lambda _: nn.MSELoss(), more: Any = lambda _: []) -> None:
        self.models = make(), make()
        self.losses = [loss_of(m) for m in self.models]
        self.more = [more(m) for m in self.losses]
        self.optimisers = [nn.Adam([*m.parameters(), *extra], lr=0.05) for m, extra in zip(self.models, self.more, strict=True)]
        self.step = nn.compile_step(self.models[0], self.losses[0], self.optimisers[0], backend="numpy")

    def eager(self, x: Any, y: Any) -> float:
        self.optimisers[1].zero_grad()
        value = self.losses[1](self.models[1](x), y)
        value.backward()
        self.optimisers[1].step()
        return float(value.data)

    def both(self, x: Any = X, y: Any = Y) -> None:
        """Take a step, and compare losses, gradients and parameters."""
        np.testing.assert_allclose(float(self.step(x, y)), self.eager(x, y), 1e-9)
        groups = [[*m.parameters(), *extra] for m, extra in zip(self.models, self.more, strict=True)]
        for p, q in zip(*groups, strict=True):
            np.testing.assert_allclose(p.data, q.data, 1e-9, 1e-12)
            assert (p.grad is None) == (q.grad is None)
            if q.grad is not None:
                np.testing.assert_allclose(p.grad, q.grad, 1e-8, 1e-12)

    def compiled(self, steps: int = 4) -> None:
        for _ in range(steps):
            self.both()
        assert self.step.note == ""

    def falls_back(self, match: str, steps: int = 4) -> None:
        with pytest.warns(ag.CompileWarning, match=match):
            self.both()
        assert self.step.note
        for _ in range(steps - 1):
            self.both()


def _linear() -> Any:
    return nn.Linear(3, 1, rng=0)


class _Holding(nn.Module):
    def __init__(self, model: Any) -> None:
        self.model = model

    def forward(self, p: Any, t: Any) -> Any:
        return np.mean((p - t) ** 2) + 0.1 * np.sum(self.model.weight**2)


class _Weighted(nn.Module):
    """A loss with a parameter of its own."""

    def __init__(self) -> None:
        self.log_scale = nn.Parameter(np.zeros(1))

    def forward(self, p: Any, t: Any) -> Any:
        return np.mean((p - t) ** 2 * np.exp(-self.log_scale)) + np.sum(self.log_scale)


def _bound(model: Any) -> Any:
    class Owner:
        def loss(self, p: Any, t: Any) -> Any:
            return np.mean((p - t) ** 2) + 0.1 * np.sum(model.bias**2)

    return Owner().loss


LOSSES: dict[str, Callable[[Any], Any]] = {
    "closure": lambda m: lambda p, t: np.mean((p - t) ** 2) + 0.1 * np.sum(m.weight**2),
    "module": _Holding,
    "bound method": _bound,
    "calls the model": lambda m: lambda p, t: np.mean((p - t) ** 2) + 0.1 * np.mean(m(t * np.ones((1, 3))) ** 2),
    "penalty of a gradient": lambda m: (
        lambda p, t: np.mean((p - t) ** 2) + np.sum(ag.grad(lambda x: np.sum(np.sin(m(x))))(t + np.ones(3)) ** 2)
    ),
}


@pytest.mark.parametrize("what", LOSSES)
def test_a_loss_may_read_the_parameters(what: str) -> None:
    _Run(_linear, LOSSES[what]).compiled()


def test_a_loss_may_have_parameters_of_its_own() -> None:
    _Run(_linear, lambda _: _Weighted(), lambda loss: loss.parameters()).compiled()


class _Extra:
    def __init__(self) -> None:
        self.extra = nn.Parameter(np.ones(1))

    def __call__(self, p: Any, t: Any) -> Any:
        return np.mean((p * self.extra - t) ** 2)


def test_a_parameter_that_only_optimiser_and_loss_have_is_trained() -> None:
    run = _Run(_linear, lambda _: _Extra(), lambda loss: [loss.extra])
    run.compiled()
    assert run.losses[0].extra.data[0] != 1.0


def test_a_parameter_that_the_optimiser_does_not_move_adds_its_gradients_up() -> None:
    run = _Run(_linear, lambda _: _Weighted())
    run.compiled()
    mine, theirs = (loss.log_scale for loss in run.losses)
    np.testing.assert_allclose(mine.grad, theirs.grad, 1e-9)
    np.testing.assert_array_equal(mine.data, 0.0)


def test_a_tensor_that_nobody_knows_or_that_was_computed_before_is_not_left_out() -> None:
    def stale(model: Any) -> Any:
        penalty = 0.1 * np.sum(model.weight**2)
        return lambda p, t: np.mean((p - t) ** 2) + penalty

    def normed() -> Any:
        return nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 1, rng=1))

    _Run(_linear, stale).falls_back("requires a gradient")
    held = [ag.Tensor(np.ones(1), requires_grad=True) for _ in range(2)]
    left = iter(held)

    def scaled(_: Any) -> Any:
        t = next(left)
        return lambda p, y: np.mean((t * p - y) ** 2)

    run = _Run(normed, scaled)
    run.falls_back("requires a gradient")
    np.testing.assert_allclose(held[0].grad, held[1].grad, 1e-9)
    mine, theirs = (m[1].running_mean for m in run.models)
    np.testing.assert_allclose(mine, theirs, 1e-9)  # moved once by the first step


class _Counting(nn.Module):
    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.n = 0

    def forward(self, x: Any) -> Any:
        self.n += 1
        return self.l(x) * min(1.0, self.n / 3)


class _Cooling(nn.Module):
    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.temperature = 1.0

    def forward(self, x: Any) -> Any:
        self.temperature *= 0.9
        return self.l(x) * self.temperature


class _Listing(nn.Module):
    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.seen: list[Any] = []

    def forward(self, x: Any) -> Any:
        h = self.l(x)
        self.seen.append(h)
        return h


class _Branching(nn.Module):
    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.n = 0

    def forward(self, x: Any) -> Any:
        self.n += 1
        h = self.l(x)
        return h if np.sum(h) > 0 else 2.0 * h


@pytest.mark.parametrize(
    ("make", "match"), [(_Counting, "assigns int"), (_Cooling, "assigns float"), (_Listing, "length of the list"), (_Branching, "branch")]
)
def test_what_would_not_happen_again_is_not_compiled_and_happens_once_a_step(make: Any, match: str) -> None:
    run = _Run(make)
    run.falls_back(match)
    for name in ("n", "temperature"):
        assert getattr(run.models[0], name, None) == getattr(run.models[1], name, None)
    assert len(getattr(run.models[0], "seen", [])) == len(getattr(run.models[1], "seen", []))


class _Keeping(nn.Module):
    """Keeps arrays: by assignment, in a container, and as a running mean that is read."""

    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.last = None
        self.pair: Any = ()
        self.register_buffer("mean", np.zeros(1))

    def forward(self, x: Any) -> Any:
        h = self.l(x)
        self.last = h
        self.pair = (h, 2.0 * h)
        self.mean = 0.9 * self.mean + 0.1 * np.mean(h)
        return h - self.mean


def test_arrays_that_are_assigned_are_assigned_again() -> None:
    run = _Run(_Keeping)
    kept = []
    for n in (8, 8, 8, 3, 8, 3):
        run.both(X[:n], Y[:n])
        mine, theirs = run.models
        assert isinstance(mine.last, np.ndarray)
        np.testing.assert_allclose(mine.last, theirs.last.data, 1e-9)
        np.testing.assert_allclose(mine.pair[1], theirs.pair[1].data, 1e-9)
        np.testing.assert_allclose(mine.mean, theirs.mean, 1e-9)
        kept.append((mine.last, theirs.last.data))
    for mine, theirs in kept:  # the next step does not write into them
        np.testing.assert_allclose(mine, theirs, 1e-9)
    assert run.step.note == ""


class _Stateful(nn.Module):
    """Goes on from the state that the step before left."""

    def __init__(self, cut: Callable[[Any], Any]) -> None:
        self.l = nn.Linear(3, 4, rng=0)
        self.out = nn.Linear(4, 1, rng=1)
        self.cut = cut
        self.h: Any = np.zeros((8, 4))
        self.both = (np.zeros((8, 4)), np.zeros((8, 4)))

    def forward(self, x: Any) -> Any:
        h = np.tanh(self.l(x) + 0.5 * self.h + 0.1 * self.both[1])
        self.h, self.both = self.cut(h), (self.cut(h), self.cut(2.0 * h))
        return self.out(h)


def _whole(x: Any) -> Any:
    return x


@pytest.mark.parametrize("cut", [ag.stop_gradient, lambda x: x.detach()], ids=["stop_gradient", "detach"])
def test_a_detached_state_is_carried_on(cut: Any) -> None:
    run = _Run(lambda: _Stateful(cut))
    run.compiled()
    np.testing.assert_allclose(run.models[0].h, run.models[1].h.data, 1e-9)


def test_a_state_through_which_gradients_flow_into_earlier_steps_is_not_compiled() -> None:
    _Run(lambda: _Stateful(_whole)).falls_back("read from the step before")


class _Acting(nn.Module):
    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.act: Any = _tanh

    def forward(self, x: Any) -> Any:
        return self.act(self.l(x))


def _tanh(x: Any) -> Any:
    return np.tanh(x)


def _sin(x: Any) -> Any:
    return np.sin(x)


def test_another_activation_and_other_modes_are_followed() -> None:
    run = _Run(_Acting)
    for act in (_tanh, _sin, nn.Tanh(), np.tanh, np.sin, _sin, _tanh):
        for m in run.models:
            m.act = act
        run.both()
    for mode in (False, True):
        for m in run.models:
            m.train(mode)
        run.both()
    assert run.step.note == ""


def test_hooks_of_a_loss_are_called_and_what_it_draws_is_drawn() -> None:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            self.drop = nn.Dropout(0.5, rng=4)

        def forward(self, p: Any, t: Any) -> Any:
            return np.mean(self.drop((p - t) ** 2))

    run = _Run(_linear, lambda _: Dropping())
    run.compiled()
    seen: list[Any] = []
    handle = run.losses[0].register_forward_hook(lambda *_: seen.append(1))
    run.compiled(2)
    handle.remove()
    run.compiled(2)
    assert seen == [1, 1]


def test_another_loss_and_another_optimiser_may_be_given() -> None:
    run = _Run(_linear)
    run.compiled(2)
    run.losses = [nn.L1Loss(), nn.L1Loss()]
    run.step.loss = run.losses[0]
    run.compiled(2)
    run.optimisers = [nn.SGD(m.parameters(), lr=0.3) for m in run.models]
    run.step.optimiser = run.optimisers[0]
    run.compiled(2)


class _Noisy(nn.Module):
    def __init__(self) -> None:
        self.l = nn.Linear(3, 1, rng=0)
        self.rng = np.random.default_rng(3)
        self.scale = 0.1

    def forward(self, x: Any) -> Any:
        return self.l(x) + self.rng.normal(0.0, self.scale, size=(1,))


def test_draws_follow_a_setting_there_and_back() -> None:
    run = _Run(_Noisy)
    for scale in (0.1, 2.0, 0.1, 2.0):
        for m in run.models:
            m.scale = scale
        run.both()
    assert run.step.note == ""


def test_what_the_loss_refuses_it_refuses_as_eager_does() -> None:
    model = _linear()
    step = nn.compile_step(model, lambda p, t: (np.mean((p - t) ** 2), p), nn.SGD(model.parameters(), lr=0.1))
    with pytest.raises(AttributeError, match="backward"):
        step(X, Y)
    step.loss = lambda _, t: np.mean(t)
    with pytest.raises((AttributeError, ag.DifferentiationError)):
        step(X, Y)
    step.loss = nn.MSELoss()
    step(X, Y)
    assert step.note == ""


def test_a_parameter_that_forward_writes_or_replaces_is_so_as_in_eager_code() -> None:
    class Clipping(nn.Module):
        def __init__(self) -> None:
            self.l = nn.Linear(3, 1, rng=0)

        def forward(self, x: Any) -> Any:
            with ag.no_grad():
                self.l.weight[...] = np.clip(self.l.weight.data, -0.1, 0.1)
            return self.l(x)

    _Run(Clipping).falls_back("")


def test_training_with_a_penalty_and_a_count_is_that_without_compiled_code() -> None:
    class Warming(nn.Module):
        def __init__(self) -> None:
            self.l = nn.Linear(3, 1, rng=0)
            self.n = 0

        def forward(self, x: Any) -> Any:
            if self.training:
                self.n += 1
            return self.l(x) * min(1.0, self.n / 300)

    def trained(make: Any, loss_of: Any, *, compiled: bool) -> Any:
        m = make()
        optimiser = nn.SGD(m.parameters(), lr=0.05)
        return nn.fit(m, (X, Y), loss_of(m), optimiser, 120, seed=0, progress=False, batch_size=8, compile=compiled)["loss"]

    mse = lambda _: nn.MSELoss()  # noqa: E731
    with pytest.warns(ag.CompileWarning, match="assigns int"):
        found = trained(Warming, mse, compiled=True)
    np.testing.assert_array_equal(found, trained(Warming, mse, compiled=False))
    penalised = [trained(_linear, LOSSES["closure"], compiled=c) for c in (True, False)]
    np.testing.assert_allclose(*penalised, 1e-9)
