"""Optimisers take the path that PyTorch's take, over 100 steps and all their options."""

from __future__ import annotations

import numpy as np
import pytest
from trajectories import START, parameters, run, run_torch

import nn

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _numbers_of_the_state_in_float64():
    """PyTorch keeps NAdam's product of momenta in the default dtype, which is single precision."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


OPTIONS = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
        {"momentum": 0.8, "nesterov": True, "maximize": True},
    ],
    "Adam": [{}, {"betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1}, {"amsgrad": True}, {"amsgrad": True, "maximize": True}],
    "AdamW": [{}, {"weight_decay": 0.3, "amsgrad": True}, {"maximize": True}, {"weight_decay": 0.0}],
    "NAdam": [{}, {"momentum_decay": 0.05, "weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True}],
    "RMSprop": [
        {},
        {"centered": True},
        {"momentum": 0.9, "alpha": 0.8, "eps": 1e-3},
        {"momentum": 0.5, "centered": True, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.5}, {"weight_decay": 0.1, "eps": 1e-3, "maximize": True}],
}
CASES = [(name, options) for name, all_options in OPTIONS.items() for options in all_options]


def torch_parameters(dtype=np.float64):
    return [torch.tensor(v.astype(dtype), requires_grad=True) for v in START]


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-11), (np.float32, 2e-4)])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_path_of_100_steps(name, options, dtype, rtol):
    ours, theirs = parameters(dtype), torch_parameters(dtype)
    found = run(getattr(nn, name)(ours, lr=0.05, **options), ours, range(100))
    expected = run_torch(torch, getattr(torch.optim, name)(theirs, lr=0.05, **options), theirs, range(100))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", OPTIONS)
def test_defaults_are_pytorchs(name):
    ours, theirs = getattr(nn, name)(parameters()), getattr(torch.optim, name)(torch_parameters())
    defaults = theirs.param_groups[0]
    assert {key: ours.param_groups[0][key] for key in ours.settings} == {key: defaults[key] for key in ours.settings}


@pytest.mark.parametrize(("name", "options"), [(name, options[-1]) for name, options in OPTIONS.items()])
def test_groups_with_settings_of_their_own(name, options):
    def groups(ps):
        return [{"params": ps[:1], "lr": 0.2}, {"params": ps[1:], "weight_decay": 0.4}]

    ours, theirs = parameters(), torch_parameters()
    found = run(getattr(nn, name)(groups(ours), lr=0.05, **options), ours, range(30))
    expected = run_torch(torch, getattr(torch.optim, name)(groups(theirs), lr=0.05, **options), theirs, range(30))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("search", "lr", "history", "iterations"),
    [(None, 1.0, 4, 7), (None, 1.0, 100, 20), *(("strong_wolfe", lr, h, n) for lr, h, n in [(0.3, 4, 7), (1.0, 100, 20), (30.0, 3, 5)])],
)
def test_lbfgs_evaluates_where_pytorchs_does(search, lr, history, iterations):
    X = np.random.default_rng(2).normal(size=(20, 3))
    w0, b0 = np.random.default_rng(0).normal(size=(3, 2)), np.random.default_rng(1).normal(size=2)
    settings = {"lr": lr, "history_size": history, "max_iter": iterations, "line_search_fn": search}
    w, b = nn.Parameter(w0), nn.Parameter(b0)
    ours, losses = nn.LBFGS([w, b], **settings), []
    W, B, XT = torch.tensor(w0, requires_grad=True), torch.tensor(b0, requires_grad=True), torch.tensor(X)
    theirs, expected = torch.optim.LBFGS([W, B], **settings), []

    def closure():
        ours.zero_grad()
        loss = np.mean(np.log(1 + np.sum((np.tanh(X @ w) + b) ** 2, axis=1))) + np.sum(w**4) / 10
        loss.backward()
        losses.append(loss.item())
        return loss

    def theirs_closure():
        theirs.zero_grad()
        loss = torch.log(1 + ((torch.tanh(XT @ W) + B) ** 2).sum(1)).mean() + (W**4).sum() / 10
        loss.backward()
        expected.append(loss.item())
        return loss

    for _ in range(8):
        ours.step(closure)
        theirs.step(theirs_closure)
    assert len(losses) > 15
    np.testing.assert_allclose(losses, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(w.data, W.detach().numpy(), atol=1e-8)


SCHEDULERS = [
    ("StepLR", {"step_size": 7, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [3, 20, 20, 41], "gamma": 0.3}),
    ("ExponentialLR", {"gamma": 0.97}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 9}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.6, "total_iters": 30}),
    ("PolynomialLR", {"total_iters": 60, "power": 1.7}),
    ("CosineAnnealingLR", {"T_max": 17, "eta_min": 0.001}),
    ("CosineAnnealingLR", {"T_max": 100}),
    ("CosineAnnealingWarmRestarts", {"T_0": 8, "T_mult": 2, "eta_min": 0.002}),
    ("LambdaLR", {"lr_lambda": lambda t: 1 / (1 + t)}),
    ("LambdaLR", {"lr_lambda": [lambda t: 0.9**t, lambda t: 1 / (1 + t)]}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 100}),
    ("OneCycleLR", {"max_lr": [0.3, 0.1], "epochs": 10, "steps_per_epoch": 11, "anneal_strategy": "linear", "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 100, "three_phase": True, "div_factor": 10, "final_div_factor": 100}),
]


def compare(make, optimizer="SGD", settings=None, measures=None):
    """Run 100 steps of both, with two groups, and compare learning rates, momenta and values."""
    paths = []
    for library, schedulers, params in (
        (nn, nn.optim.lr_scheduler, parameters()),
        (torch.optim, torch.optim.lr_scheduler, torch_parameters()),
    ):
        groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.02}]
        opt = getattr(library, optimizer)(groups, lr=0.1, **(settings or {}))
        made, rates = make(schedulers, opt), []

        def after(t, made=made, rates=rates, opt=opt):
            for scheduler in made:
                scheduler.step(*([] if measures is None else [measures[t]]))
            rates.append([(g["lr"], g.get("momentum", g.get("betas"))) for g in opt.param_groups])

        run_of = run(opt, params, range(100), after) if library is nn else run_torch(torch, opt, params, range(100), after)
        assert made[-1].get_last_lr() == [g["lr"] for g in opt.param_groups]
        paths.append((np.array([[np.ravel([lr, *np.ravel(m)]) for lr, m in row] for row in rates], float), run_of))
    (rates, found), (expected_rates, expected) = paths
    np.testing.assert_allclose(rates, expected_rates, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    assert len(np.unique(rates[:, 0, 0])) > 1


@pytest.mark.parametrize(("name", "options"), SCHEDULERS)
@pytest.mark.parametrize(("optimizer", "settings"), [("SGD", {"momentum": 0.9}), ("Adam", {})])
@pytest.mark.filterwarnings("ignore::UserWarning")  # of torch
def test_schedulers(name, options, optimizer, settings):
    compare(lambda library, opt: [getattr(library, name)(opt, **options)], optimizer, settings)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_schedulers_chained_and_one_after_another():
    compare(lambda s, o: [s.LinearLR(o, 0.1, total_iters=5), s.ExponentialLR(o, 0.95), s.StepLR(o, 13)])

    def warm_up(s, o):
        parts = [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 40), s.ConstantLR(o, 0.5, 7), s.ExponentialLR(o, 0.9)]
        return [s.SequentialLR(o, parts, milestones=[5, 45, 60])]

    compare(warm_up)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max", "patience": 2, "factor": 0.5},
        {"patience": 1, "cooldown": 4, "threshold": 0.05, "min_lr": [0.001, 0.01]},
        {"threshold_mode": "abs", "threshold": 0.2, "patience": 3},
    ],
)
def test_plateaus(options):
    measures = [3 * 0.9 ** min(t, 30) + 0.2 * np.sin(5 * t) for t in range(100)]
    compare(lambda s, o: [s.ReduceLROnPlateau(o, **options)], measures=measures)


@pytest.mark.parametrize("name", sorted({name for name, _ in SCHEDULERS} - {"LambdaLR", "OneCycleLR"} | {"ReduceLROnPlateau"}))
def test_defaults_of_schedulers_are_pytorchs(name):
    import inspect

    ours = inspect.signature(getattr(nn.optim.lr_scheduler, name)).parameters
    theirs = inspect.signature(getattr(torch.optim.lr_scheduler, name)).parameters
    assert {n: p.default for n, p in ours.items()} == {n: theirs[n].default for n in ours}
    assert list(ours) == [n for n in theirs if n in ours]


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, np.inf])
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clipping_by_norm_and_value(p, limit):
    ours, theirs = parameters(), torch_parameters()
    for a, b, v in zip(ours, theirs, START, strict=True):
        a.grad, b.grad = 2 * v, torch.tensor(2 * v)
    found = nn.clip_grad_norm_(ours, limit, norm_type=p)
    np.testing.assert_allclose(found, torch.nn.utils.clip_grad_norm_(theirs, limit, norm_type=p).item(), rtol=1e-14)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12)
    nn.clip_grad_value_(ours, 0.1)
    torch.nn.utils.clip_grad_value_(theirs, 0.1)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-12)
