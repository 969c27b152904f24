"""Optimisers against their formulas, written out plainly, and what holds for all: groups, states, resuming, what a step leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from trajectories import START, gradients, parameters, run

import autograd_np as ag
import nn


def sgd(p, g, s, t, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    s["v"] = g if t == 1 else momentum * s["v"] + (1 - dampening) * g
    return p - lr * ((g + momentum * s["v"] if nesterov else s["v"]) if momentum else g)


def adam(p, g, s, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False):
    return p - lr * adam_direction(p, g + weight_decay * p, s, t, betas, eps, amsgrad)


def adam_direction(p, g, s, t, betas, eps, amsgrad):
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    s["top"] = np.maximum(s.get("top", 0), s["v"])
    v = s["top"] if amsgrad else s["v"]
    return s["m"] / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)


def adamw(p, g, s, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01, amsgrad=False):
    return (1 - lr * weight_decay) * p - lr * adam_direction(p, g, s, t, betas, eps, amsgrad)


def nadam(p, g, s, t, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3, decoupled_weight_decay=False):
    p, g = (p * (1 - lr * weight_decay), g) if decoupled_weight_decay else (p, g + weight_decay * p)
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    mus = [betas[0] * (1 - 0.96 ** (k * momentum_decay) / 2) for k in range(1, t + 2)]
    so_far, next_too = np.prod(mus[:-1]), np.prod(mus)
    ahead = (1 - mus[-2]) / (1 - so_far) * g + mus[-1] / (1 - next_too) * s["m"]
    return p - lr * ahead / (np.sqrt(s["v"] / (1 - betas[1] ** t)) + eps)


def rmsprop(p, g, s, t, lr, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):
    g = g + weight_decay * p
    s["v"] = alpha * s.get("v", 0) + (1 - alpha) * g**2
    s["a"] = alpha * s.get("a", 0) + (1 - alpha) * g
    s["b"] = momentum * s.get("b", 0) + g / (np.sqrt(s["v"] - s["a"] ** 2 if centered else s["v"]) + eps)
    return p - lr * s["b"]


def adagrad(p, g, s, t, lr, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10):
    g = g + weight_decay * p
    s["sum"] = s.get("sum", initial_accumulator_value) + g**2
    return p - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s["sum"]) + eps)


CASES = [
    (nn.SGD, sgd, {}),
    (nn.SGD, sgd, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (nn.SGD, sgd, {"momentum": 0.8, "nesterov": True}),
    (nn.Adam, adam, {}),
    (nn.Adam, adam, {"betas": (0.7, 0.9), "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True}),
    (nn.AdamW, adamw, {}),
    (nn.AdamW, adamw, {"weight_decay": 0.3, "amsgrad": True}),
    (nn.NAdam, nadam, {"weight_decay": 0.1}),
    (nn.NAdam, nadam, {"momentum_decay": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    (nn.RMSprop, rmsprop, {"weight_decay": 0.1}),
    (nn.RMSprop, rmsprop, {"momentum": 0.5, "centered": True, "alpha": 0.8}),
    (nn.Adagrad, adagrad, {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    (nn.Adagrad, adagrad, {"eps": 1e-3}),
]
ALL = pytest.mark.parametrize(("optimizer", "rule", "options"), CASES)


@ALL
@pytest.mark.parametrize("maximize", [False, True])
def test_100_steps_of_the_formula(optimizer, rule, options, maximize):
    params = parameters()
    found = run(optimizer(params, lr=0.05, **options, maximize=maximize), params, range(100))
    values, states = list(START), [{} for _ in START]
    for t in range(100):
        moves = zip(values, gradients(values, t), states, strict=True)
        values = [rule(p, -g if maximize else g, s, t + 1, 0.05, **options) for p, g, s in moves]
        np.testing.assert_allclose(found[t], np.concatenate([np.ravel(v) for v in values]), rtol=1e-11, atol=1e-11)


@ALL
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_resuming_is_exact(optimizer, rule, options, dtype, tmp_path):
    """Two groups, saved in files after 40 steps, go on bit for bit as if they had not been."""

    def made(params):
        return optimizer([{"params": params[:2]}, {"params": params[2:], "lr": 0.2}], lr=0.05, **options)

    whole = parameters(dtype)
    expected = run(made(whole), whole, range(80))
    first = parameters(dtype)
    half = made(first)
    run(half, first, range(40))
    nn.save(half, tmp_path / "optimiser.safetensors")
    second = [nn.Parameter(p.data) for p in first]
    other = made(second)
    nn.load(tmp_path / "optimiser.safetensors", into=other)
    np.testing.assert_array_equal(run(other, second, range(40, 80)), expected[40:])
    assert repr(other) == repr(half)


@ALL
def test_a_step_writes_into_nothing_that_was_handed_out(optimizer, rule, options):
    params = parameters()
    opt = optimizer(params, lr=0.05, **options)
    run(opt, params, range(2))
    values, grads = [p.data for p in params], [p.grad for p in params]
    copies = [v.copy() for v in values], [g.copy() for g in grads]
    opt.step()
    np.testing.assert_equal((values, grads), copies)
    for p, v in zip(params, values, strict=True):
        assert not np.array_equal(p.data, v)
    states = opt.state_dict()
    kept = {k: v.copy() for k, v in states.items()}
    opt.step()
    np.testing.assert_equal(states, kept)


def test_groups():
    a, b, c = parameters()
    opt = nn.SGD([{"params": [a]}, {"params": b, "lr": 0.5, "name": "second"}], lr=0.1, momentum=0.9)
    opt.add_param_group({"params": [c], "momentum": 0.0})
    assert [(g["lr"], g["momentum"]) for g in opt.param_groups] == [(0.1, 0.9), (0.5, 0.9), (0.1, 0.0)]
    assert [id(p) for p in opt.params] == [id(a), id(b), id(c)]
    assert {"groups.0.lr", "groups.1.lr", "groups.2.momentum"} <= set(opt.state_dict())
    assert repr(opt).startswith("SGD(group 0: lr=0.1")
    with pytest.raises(AttributeError, match=r"3 groups.*param_groups\[i\]\['lr'\]"):
        _ = opt.lr
    with pytest.raises(AttributeError, match="3 groups"):
        opt.lr = 0.3


def test_an_optimiser_of_ones_own_needs_an_update_alone():
    class SignDescent(nn.Optimizer):
        settings = ("lr",)

        def _update(self, p, g, state, group):
            return group["lr"] * np.sign(g)

    p = nn.Parameter([1.0, -2.0])
    p.grad = np.array([3.0, -0.1])
    opt = SignDescent([p], lr=0.5)
    opt.step()
    np.testing.assert_array_equal(p.data, [0.5, -1.5])
    assert opt.state_dict() == {"lr": 0.5}
    with pytest.raises(nn.StateDictError, match="expected a dict"):
        opt.load_state_dict([("lr", 1.0)])


def test_the_only_group_is_seen_in_attributes_and_the_other_way_round():
    opt = nn.Adam(parameters(), lr=0.1)
    opt.param_groups[0]["lr"] = 0.2
    assert opt.lr == 0.2
    opt.betas = (0.5, 0.6)
    assert opt.param_groups[0]["betas"] == (0.5, 0.6)
    with pytest.raises(AttributeError, match="momentum"):
        _ = opt.momentum


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: nn.SGD([{"params": [p], "momentun": 0.9}]), ValueError, "no setting 'momentun'; it has lr, momentum"),
        (lambda p: nn.SGD([{"lr": 0.1}]), TypeError, '"params"'),
        (lambda p: nn.SGD([{"params": [p]}, [p]]), TypeError, "a group of parameters is a dict"),
        (lambda p: nn.SGD([{"params": [p]}, {"params": [p]}]), ValueError, "twice"),
        (lambda p: nn.SGD([{"params": []}]), ValueError, "no parameters"),
        (lambda p: nn.SGD([p]).add_param_group({"params": [p * 2]}), TypeError, "leaves"),
        (lambda p: nn.SGD([{"params": [p], "lr": -1.0}]), ValueError, "lr=-1.0"),
        (lambda p: nn.RMSprop([p], alpha=-1), ValueError, "alpha=-1"),
        (lambda p: nn.Adagrad([p], lr_decay=-1), ValueError, "lr_decay=-1"),
        (lambda p: nn.NAdam([p], betas=(0.9, 1.0)), ValueError, "betas"),
        (lambda p: nn.LBFGS([p], line_search_fn="armijo"), ValueError, "'strong_wolfe' or None"),
        (lambda p: nn.LBFGS([p], max_iter=0), ValueError, "max_iter=0"),
        (lambda p: nn.LBFGS([{"params": [p]}, {"params": [nn.Parameter(1.0)]}]), ValueError, "single group"),
        (lambda p: nn.LBFGS([p]).step(), TypeError, r"optimiser\.step\(closure\)"),
        (lambda p: nn.LBFGS([p]).step(lambda: 1.0), ag.DifferentiationError, "after the closure"),
    ],
)
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(nn.Parameter([1.0, 2.0]))


def test_a_closure_gives_the_loss_of_before_the_step():
    p = nn.Parameter([2.0])
    opt = nn.SGD([p], lr=0.25)

    def closure():
        opt.zero_grad()
        loss = np.sum(p * p)
        loss.backward()
        return loss

    assert [opt.step(closure).item() for _ in range(3)] == [4.0, 1.0, 0.25]


def rosenbrock(optimizer, p):
    def closure():
        optimizer.zero_grad()
        x, y = p[0], p[1]
        loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        if optimizer.maximize:
            loss = -loss
        loss.backward()
        return loss

    return closure


@pytest.mark.parametrize("maximize", [False, True])
def test_lbfgs_finds_the_minimum_of_rosenbrocks_function(maximize):
    p = nn.Parameter([-1.2, 1.0])
    opt = nn.LBFGS([p], line_search_fn="strong_wolfe", max_iter=100, max_eval=200, tolerance_change=1e-16, maximize=maximize)
    opt.step(rosenbrock(opt, p))
    np.testing.assert_allclose(p.data, [1.0, 1.0], atol=1e-6)
    assert opt.last["func_evals"] < 80


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_solves_a_quadratic_in_as_many_steps_as_it_has_eigenvalues(search):
    """With exact curvature in its history, L-BFGS ends on a quadratic of n eigenvalues after about n steps."""
    a = np.diag([1.0, 3.0, 10.0])
    p = nn.Parameter([1.0, 1.0, 1.0])
    opt = nn.LBFGS([p], line_search_fn=search, max_iter=30, tolerance_change=0.0)

    def closure():
        opt.zero_grad()
        loss = p @ a @ p / 2
        loss.backward()
        return loss

    opt.step(closure)
    np.testing.assert_allclose(p.data, 0, atol=1e-7)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_lbfgs_resumes_exactly(steps, tmp_path):
    def made(start):
        p = nn.Parameter(start)
        return p, nn.LBFGS([p], line_search_fn="strong_wolfe", max_iter=3, history_size=2)

    p, first = made([-1.2, 1.0])
    for _ in range(steps):
        first.step(rosenbrock(first, p))
    nn.save(first, tmp_path / "lbfgs.safetensors")
    q, second = made(p.data)
    nn.load(tmp_path / "lbfgs.safetensors", into=second)
    for _ in range(4):
        assert first.step(rosenbrock(first, p)).item() == second.step(rosenbrock(second, q)).item()
    np.testing.assert_array_equal(p.data, q.data)
    with pytest.raises(nn.StateDictError, match="unexpected: momentum"):
        second.load_state_dict({**first.state_dict(), "momentum": 1.0})


def test_clipping():
    p, q, without = nn.Parameter([3.0]), nn.Parameter([[4.0]]), nn.Parameter(1.0)
    p.grad, q.grad = np.array([3.0]), np.array([[4.0]])
    held = p.grad
    assert nn.clip_grad_norm_([p, q, without], 10.0) == 5.0
    assert p.grad is held
    assert nn.utils.clip_grad_norm_([p, q, without], 1.0) == 5.0
    np.testing.assert_allclose([p.grad[0], q.grad[0, 0]], [0.6, 0.8], rtol=1e-6)
    np.testing.assert_array_equal(held, [3.0])
    nn.clip_grad_value_(q, 0.5)
    np.testing.assert_array_equal(q.grad, [[0.5]])
    assert nn.clip_grad_norm_([without], 1.0) == 0.0


def test_clipping_gradients_whose_squares_overflow():
    p = nn.Parameter(np.zeros(2, np.float32))
    p.grad = np.array([3e30, 4e30], np.float32)
    np.testing.assert_allclose(nn.clip_grad_norm_(p, 1.0), 5e30, rtol=1e-6)
    np.testing.assert_allclose(p.grad, [0.6, 0.8], rtol=1e-6)
    p.grad = np.array([np.inf, 1.0], np.float32)
    with pytest.raises(ag.DifferentiationError, match="norm inf"):
        nn.clip_grad_norm_(p, 1.0, error_if_nonfinite=True)
