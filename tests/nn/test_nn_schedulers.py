"""Schedulers against the closed form of each, what they refuse, and that they resume exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn
from nn.optim import lr_scheduler as s


def optimiser(lr=0.4, **settings):
    return nn.SGD([nn.Parameter([1.0])], lr=lr, **settings)


def rates(make, n, opt=None):
    opt = opt or optimiser()
    scheduler = make(opt)
    found = [opt.lr]
    for _ in range(n):
        scheduler.step()
        found.append(opt.lr)
    return found


CLOSED = [
    (lambda o: s.StepLR(o, 3, 0.5), lambda t: 0.5 ** (t // 3)),
    (lambda o: s.MultiStepLR(o, [2, 2, 7], 0.1), lambda t: 0.1 ** (2 * (t >= 2) + (t >= 7))),
    (lambda o: s.ExponentialLR(o, 0.9), lambda t: 0.9**t),
    (lambda o: s.ConstantLR(o, 0.25, 4), lambda t: 0.25 if t < 4 else 1.0),
    (lambda o: s.LinearLR(o, 0.2, 0.8, 10), lambda t: 0.2 + 0.6 * min(t, 10) / 10),
    (lambda o: s.PolynomialLR(o, 12, 2.0), lambda t: (1 - min(t, 12) / 12) ** 2),
    (lambda o: s.CosineAnnealingLR(o, 6), lambda t: (1 + math.cos(math.pi * t / 6)) / 2),
    (lambda o: s.CosineAnnealingWarmRestarts(o, 5), lambda t: (1 + math.cos(math.pi * (t % 5) / 5)) / 2),
    (lambda o: s.LambdaLR(o, lambda t: 1 / (1 + t)), lambda t: 1 / (1 + t)),
]


@pytest.mark.parametrize(("make", "factor"), CLOSED)
def test_the_closed_form(make, factor):
    np.testing.assert_allclose(rates(make, 30), [0.4 * factor(t) for t in range(31)], rtol=1e-12, atol=1e-16)


def test_one_cycle_goes_up_and_down_and_the_momentum_the_other_way():
    opt = optimiser(momentum=0.9)
    scheduler = s.OneCycleLR(
        opt, max_lr=1.0, total_steps=11, pct_start=6 / 11, anneal_strategy="linear", div_factor=10, final_div_factor=10
    )
    path = [(opt.lr, opt.momentum)]
    for _ in range(10):
        scheduler.step()
        path.append((opt.lr, opt.momentum))
    up, down = np.linspace([0.1, 0.95], [1.0, 0.85], 6), np.linspace([1.0, 0.85], [0.01, 0.95], 6)
    np.testing.assert_allclose(path, [*up, *down[1:]])
    scheduler.step()
    with pytest.raises(ValueError, match="made for 11 steps"):
        scheduler.step()


def test_a_plateau_has_to_last_longer_than_the_patience():
    opt = optimiser(1.0)
    scheduler = s.ReduceLROnPlateau(opt, patience=2, factor=0.5, cooldown=1)
    found = []
    for loss in [5, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1]:
        scheduler.step(loss)
        found.append(opt.lr)
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]


def warm_up(opt):
    return s.SequentialLR(opt, [s.LinearLR(opt, 0.25, total_iters=3), s.ExponentialLR(opt, 0.5)], [3])


def test_a_warm_up_and_then_another():
    np.testing.assert_allclose(rates(warm_up, 6, optimiser(1.0)), [0.25, 0.5, 0.75, 1.0, 0.5, 0.25, 0.125])


def test_two_schedulers_multiply():
    opt = optimiser(1.0)
    both = [s.ExponentialLR(opt, 0.5), s.StepLR(opt, 2, 0.1)]
    for _ in range(4):
        for scheduler in both:
            scheduler.step()
    assert opt.lr == pytest.approx(0.5**4 * 0.1**2)


def test_a_group_that_comes_later_is_scheduled_too():
    opt = optimiser(1.0)
    scheduler = s.LambdaLR(opt, lambda t: 0.5**t)
    opt.add_param_group({"params": [nn.Parameter(1.0)], "lr": 8.0})
    scheduler.step()
    assert scheduler.get_last_lr() == [0.5, 4.0]
    assert scheduler.base_lrs == [1.0, 8.0]


RESUMED = [
    *(make for make, _ in CLOSED),
    warm_up,
    lambda o: s.OneCycleLR(o, 0.5, total_steps=40),
    lambda o: s.ReduceLROnPlateau(o, patience=1, cooldown=2),
]


@pytest.mark.parametrize("make", RESUMED)
def test_resuming_is_exact(make, tmp_path):
    def go_on(opt, scheduler, epochs):
        found = []
        for t in epochs:
            scheduler.step(*([np.sin(t)] if isinstance(scheduler, s.ReduceLROnPlateau) else []))
            found.append((opt.lr, opt.momentum))
        return found

    whole = optimiser(momentum=0.9)
    expected = go_on(whole, make(whole), range(30))
    first = optimiser(momentum=0.9)
    scheduler = make(first)
    go_on(first, scheduler, range(11))
    nn.save(first, tmp_path / "optimiser.safetensors")
    nn.save(scheduler, tmp_path / "scheduler.safetensors")
    second = optimiser(momentum=0.9)
    other = make(second)
    nn.load(tmp_path / "optimiser.safetensors", into=second)
    nn.load(tmp_path / "scheduler.safetensors", into=other)
    assert go_on(second, other, range(11, 30)) == expected[11:]


def test_a_state_that_does_not_fit_changes_nothing():
    opt = optimiser()
    scheduler = warm_up(opt)
    scheduler.step()
    before = scheduler.state_dict()
    for change, message in [
        (lambda d: d.pop("schedulers.1.last_epoch"), r"missing: schedulers\.1\.last_epoch"),
        (lambda d: d.update(extra=1.0), "unexpected: extra"),
        (lambda d: d.update(base_lrs=np.ones(2)), r"base_lrs: got shape \(2,\), expected \(1,\)"),
    ]:
        state = {name: value + 1 for name, value in before.items()}
        change(state)
        with pytest.raises(nn.StateDictError, match=message):
            scheduler.load_state_dict(state)
        np.testing.assert_equal(scheduler.state_dict(), before)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: s.StepLR(None, 3), TypeError, "needs an Optimizer, got NoneType"),
        (lambda o: s.StepLR(o, 0), ValueError, "step_size=0"),
        (lambda o: s.ConstantLR(o, 0.0), ValueError, "factor=0.0"),
        (lambda o: s.LinearLR(o, 0.0), ValueError, "start_factor=0.0"),
        (lambda o: s.LinearLR(o, end_factor=2.0), ValueError, "end_factor=2.0"),
        (lambda o: s.CosineAnnealingLR(o, 0), ValueError, "T_max=0"),
        (lambda o: s.LambdaLR(o, [abs, abs]), ValueError, "a function for each of 1 groups, got 2"),
        (lambda o: s.OneCycleLR(o, 0.1), ValueError, "total_steps, or epochs"),
        (lambda o: s.OneCycleLR(o, [0.1, 0.2], 10), ValueError, "each of 1 groups, got 2"),
        (lambda o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="sin"), ValueError, "'cos' or 'linear'"),
        (lambda o: s.OneCycleLR(nn.Adagrad(o.params), 0.1, 10), ValueError, "cycle_momentum=False"),
        (lambda o: s.ReduceLROnPlateau(o, factor=1.0), ValueError, r"factor=1\.0"),
        (lambda o: s.ReduceLROnPlateau(o, "low"), ValueError, "'min' or 'max'"),
        (lambda o: s.ReduceLROnPlateau(o, min_lr=[0.1, 0.2]), ValueError, "each of 1 groups, got 2"),
        (lambda o: s.ReduceLROnPlateau(o).step(), TypeError, "goes by a measure"),
        (lambda o: s.SequentialLR(o, [s.StepLR(o, 1)], [3]), ValueError, "a milestone between"),
        (lambda o: s.SequentialLR(o, [s.StepLR(o, 1)] * 3, [3, 3]), ValueError, "grow"),
        (lambda o: s.SequentialLR(o, [s.StepLR(optimiser(), 1)], []), ValueError, "another optimiser"),
        (lambda o: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []), TypeError, "without a measure"),
    ],
)
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(optimiser())
