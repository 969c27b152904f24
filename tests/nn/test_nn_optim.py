"""Optimisers against reference trajectories and against their formulas."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag
import nn

# Five steps of torch.optim (torch 2.13.0, float64) on the loss of `trajectory`; p row by row, then b.
TORCH = [
    (
        nn.SGD,
        {},
        [0.4983059031900876, -1.930092959852655, 0.21913180626490555, 4.335889726801635, 0.054431761524119146, 0.007185108700446607],
    ),
    (
        nn.SGD,
        {"momentum": 0.9, "dampening": 0.3},
        [0.10587885480489725, -1.8163321334940719, -0.010525539768169681, 5.132660433653491, -0.010227171877957186, -0.1623555719588956],
    ),
    (
        nn.SGD,
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.1},
        [-0.08628540278219539, -0.9281978959094114, -0.06323177949718943, 4.473529046114378, -0.017224867606528207, 2.7774501730200414],
    ),
    (
        nn.Adam,
        {},
        [0.7492904291465194, -1.7551930613806381, 0.24939238624095822, 3.248688799178382, -0.09665811503947769, 0.027592365404116914],
    ),
    (
        nn.Adam,
        {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1},
        [0.7472325676496163, -1.7484601702140998, 0.24786093055191247, 3.25168116444689, -0.08593081295986632, 0.022150791592023364],
    ),
    (
        nn.AdamW,
        {"betas": (0.8, 0.95), "weight_decay": 0.2},
        [0.7030663540272672, -1.659425512356199, 0.228188748194567, 3.1003901846584734, -0.08587976718877817, 0.02439946803028665],
    ),
]


def start():
    return nn.Parameter([[1.0, -2.0], [0.5, 3.0]]), nn.Parameter([0.1, -0.2])


def trajectory(optimizer, p, b, epochs):
    for t in epochs:
        optimizer.zero_grad()
        loss = np.sum(np.sin(p) * p * (1 + 0.3 * t)) + np.sum(b**3) + np.sum((p @ b) ** 2)
        loss.backward()
        optimizer.step()
    return [*p.data.ravel(), *b.data]


@pytest.mark.parametrize(("optimizer", "settings", "expected"), TORCH)
def test_trajectory_is_pytorchs(optimizer, settings, expected):
    p, b = start()
    np.testing.assert_allclose(trajectory(optimizer([p, b], lr=0.05, **settings), p, b, range(5)), expected, rtol=1e-12)


@pytest.mark.parametrize(("optimizer", "settings", "expected"), TORCH)
def test_a_saved_optimiser_continues_as_if_it_had_not_stopped(optimizer, settings, expected, tmp_path):
    p, b = start()
    first = optimizer([p, b], lr=0.05, **settings)
    trajectory(first, p, b, range(2))
    nn.save(first, tmp_path / "optimizer.safetensors")
    second = optimizer([p, b], lr=99.0)
    nn.load(tmp_path / "optimizer.safetensors", into=second)
    assert repr(second) == repr(first)
    np.testing.assert_allclose(trajectory(second, p, b, range(2, 5)), expected, rtol=1e-12)


def test_a_state_is_a_copy():
    p, b = start()
    optimizer = nn.Adam([p, b])
    trajectory(optimizer, p, b, range(1))
    state = optimizer.state_dict()
    state["exp_avg.0"][:] = 1e6
    assert np.max(abs(optimizer.state[0]["exp_avg"])) < 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("exp_avg.1"), r"missing: exp_avg\.1"),
        (lambda s: s.update({"exp_avg.0": np.zeros(3)}), r"exp_avg\.0: got shape \(3,\), expected \(2, 2\)"),
        (lambda s: s.update({"exp_avg.7": np.zeros(3)}), r"unexpected: exp_avg\.7"),
        (lambda s: s.pop("lr"), "missing: lr"),
        (lambda s: s.update(lr=-1.0), "lr=-1.0 must be"),
        (lambda s: s.update(betas=np.array([0.9, 2.0])), "betas"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    p, b = start()
    source = nn.Adam([p, b], lr=0.5)
    trajectory(source, p, b, range(2))
    state = source.state_dict()
    change(state)
    target = nn.Adam([p, b], lr=0.25)
    with pytest.raises(nn.StateDictError, match=message):
        target.load_state_dict(state)
    assert target.lr == 0.25
    assert target.state == [{}, {}]


def test_a_parameter_without_gradient_stays_and_has_no_step():
    p, b = start()
    optimizer = nn.Adam([p, b], lr=0.1)
    np.sum(p * p).backward()
    optimizer.step()
    np.testing.assert_array_equal(b.data, [0.1, -0.2])
    assert optimizer.state[1] == {}
    twin = nn.Adam([p, b])
    twin.load_state_dict(optimizer.state_dict())
    assert twin.state[1] == {}
    assert int(twin.state[0]["step"]) == 1


def test_a_step_without_any_gradient_is_an_error():
    with pytest.raises(ag.DifferentiationError, match=r"loss\.backward\(\) first"):
        nn.SGD(start()).step()


def test_a_step_leaves_the_recorded_graph_and_the_gradients_alone():
    p = nn.Parameter([1.0, 2.0])
    optimizer = nn.SGD([p], lr=0.1, momentum=0.9)
    loss = np.sum(p * p)
    loss.backward()
    kept = p.grad.copy()
    optimizer.step()
    np.testing.assert_array_equal(p.grad, kept)
    loss.backward()  # at the values it was recorded with
    np.testing.assert_array_equal(p.grad, 2 * kept)
    np.testing.assert_array_equal(optimizer.state[0]["momentum_buffer"], kept)


def test_settings_can_be_changed_between_steps():
    p = nn.Parameter([1.0])
    optimizer = nn.SGD([p], lr=1.0)
    optimizer.lr = 0.25
    p.grad = np.array([2.0])
    optimizer.step()
    np.testing.assert_array_equal(p.data, [0.5])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda p: nn.SGD([]), ValueError, "no parameters"),
        (lambda p: nn.SGD(p), TypeError, "one Tensor"),
        (lambda p: nn.SGD(nn.Linear(2, 1)), TypeError, r"got Linear; pass model\.parameters\(\)"),
        (lambda p: nn.SGD([p, p]), ValueError, "twice"),
        (lambda p: nn.clip_grad_norm_([p], -1.0), ValueError, "max_norm=-1"),
        (lambda p: nn.clip_grad_value_([p], np.nan), ValueError, "clip_value=nan"),
        (lambda p: nn.SGD([p * 2]), TypeError, "leaves"),
        (lambda p: nn.SGD([np.ones(2)]), TypeError, "leaves"),
        (lambda p: nn.SGD([p], lr=-1), ValueError, "lr=-1"),
        (lambda p: nn.SGD([p], lr=np.nan), ValueError, "lr=nan"),
        (lambda p: nn.SGD([p], nesterov=True), ValueError, "nesterov needs momentum"),
        (lambda p: nn.SGD([p], momentum=0.9, dampening=0.1, nesterov=True), ValueError, "nesterov needs momentum"),
        (lambda p: nn.Adam([p], betas=(1.0, 0.9)), ValueError, "betas"),
        (lambda p: nn.AdamW([p], weight_decay=-0.1), ValueError, "weight_decay"),
    ],
)
def test_wrong_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(nn.Parameter([1.0, 2.0]))
