"""Buffers: arrays that are part of a Module's state and no Parameters."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd_np as ag
import nn


class Centre(nn.Module):
    """Subtracts a running mean, and counts its calls."""

    def __init__(self, n=2, dtype=np.float64):
        self.shift = nn.Parameter(np.zeros(n, dtype))
        self.register_buffer("mean", np.zeros(n, dtype))
        self.register_buffer("calls", np.array(0))
        self.register_buffer("scratch", np.ones(n), persistent=False)
        self.register_buffer("nothing", None)

    def forward(self, x):
        if self.training:
            self.mean = 0.5 * self.mean + 0.5 * np.mean(x, axis=0)
            self.calls = self.calls + 1
        return (x - self.mean) * self.scratch + self.shift


def model():
    return nn.Sequential(nn.Linear(2, 2, rng=0), Centre(), nn.Linear(2, 1, rng=1))


def test_buffers_stand_in_the_state_after_the_parameters_of_their_module():
    assert list(model().state_dict()) == ["0.weight", "0.bias", "1.shift", "1.mean", "1.calls", "2.weight", "2.bias"]
    assert [name for name, _ in model().named_buffers()] == ["1.mean", "1.calls", "1.scratch"]
    assert [b.shape for b in model().buffers()] == [(2,), (), (2,)]
    assert [name for name, _ in model().named_parameters()] == ["0.weight", "0.bias", "1.shift", "2.weight", "2.bias"]


def test_a_state_goes_round_by_dicts_and_files(tmp_path):
    first, second, third = model(), model(), model()
    first(np.arange(6.0).reshape(3, 2))
    second.load_state_dict(first.state_dict())
    nn.save(first, tmp_path / "model.safetensors")
    nn.load(tmp_path / "model.safetensors", into=third)
    for other in (second, third):
        np.testing.assert_array_equal(other[1].mean, first[1].mean)
        assert other[1].calls == 1
        assert other[1].calls.dtype == first[1].calls.dtype
        assert other[1].mean is not first[1].mean


def test_a_state_that_does_not_fit_changes_no_buffer():
    m = model()
    m(np.ones((1, 2)))
    before = m.state_dict()
    with pytest.raises(nn.StateDictError, match=r"1\.mean: got shape \(3,\), expected \(2,\)"):
        m.load_state_dict({**before, "1.calls": np.array(7), "1.mean": np.zeros(3)})
    with pytest.raises(nn.StateDictError, match=r"unexpected: 1\.scratch"):
        m.load_state_dict({**before, "1.scratch": np.zeros(2)})
    np.testing.assert_equal(m.state_dict(), before)


@pytest.mark.parametrize("value", [[1, 2], 3.0, ag.Tensor([1.0, 2.0]), ag.Tensor([1.0, 2.0], requires_grad=True) * 2, np.float32(1)])
def test_what_is_assigned_to_a_buffer_becomes_an_array(value):
    m = Centre()
    m.mean = value
    assert type(m.mean) is np.ndarray
    np.testing.assert_array_equal(m.mean, value.numpy() if isinstance(value, ag.Tensor) else value)


def test_a_buffer_may_be_emptied_filled_deleted_and_become_a_parameter():
    m = Centre()
    m.mean = None
    assert "mean" not in m.state_dict()
    m.mean = np.ones(2)
    assert "mean" in m.state_dict()
    del m.mean
    assert "mean" not in dict(m.named_buffers())
    m.calls = nn.Parameter(1.0)
    assert list(m.state_dict()) == ["shift", "calls"]
    assert Centre()._buffers == Centre()._buffers != m._buffers


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("a.b", 1.0, ValueError, "without a dot"),
        ("", 1.0, ValueError, "name of an attribute"),
        (3, 1.0, ValueError, "name of an attribute"),
        ("shift", 1.0, ValueError, "already has an attribute 'shift'"),
        ("forward", 1.0, ValueError, "already has an attribute 'forward'"),
        ("text", "abc", TypeError, "array of numbers"),
    ],
)
def test_names_that_are_none_or_taken_and_values_that_are_no_numbers_are_refused(name, value, error, message):
    with pytest.raises(error, match=message):
        Centre().register_buffer(name, value)


def test_copies_and_pickles_have_buffers_of_their_own():
    m = model()
    m(np.ones((2, 2)))
    for other in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        np.testing.assert_equal(other.state_dict(), m.state_dict())
        other(np.zeros((2, 2)))
        assert (other[1].calls, m[1].calls) == (2, 1)
        assert [name for name, _ in other.named_buffers()] == ["1.mean", "1.calls", "1.scratch"]


def test_a_module_at_two_paths_has_its_buffers_under_both():
    shared = Centre()
    m = nn.Sequential(shared, shared)
    assert [k for k in m.state_dict() if "mean" in k] == ["0.mean", "1.mean"]
    assert [k for k, _ in m.named_buffers() if "mean" in k] == ["0.mean"]
    x = np.ones((1, 2))
    m.eval()
    np.testing.assert_array_equal(nn.functional_call(m, {"0.mean": np.ones(2)}, x).data, x - 2)


def test_functional_call_takes_buffers_and_keeps_what_is_assigned_in_the_copy():
    m = model()
    x = np.arange(6.0).reshape(3, 2)
    before = m.state_dict()
    y = nn.functional_call(m, {"1.scratch": np.array([0.0, 1.0])}, x)
    np.testing.assert_equal(m.state_dict(), before)
    m[1].scratch = np.array([0.0, 1.0])
    np.testing.assert_array_equal(m(x).data, y.data)
    assert m[1].calls == 1


def test_buffers_in_functional_call_are_variables_of_every_transform():
    m = Centre().eval().requires_grad_(False)
    x = np.arange(6.0).reshape(3, 2)

    def loss(mean):
        return np.sum(nn.functional_call(m, {"mean": mean}, x) ** 2)

    mean = np.array([0.5, -1.0])
    np.testing.assert_allclose(ag.grad(loss)(mean), -2 * (x - mean).sum(0))
    np.testing.assert_allclose(ag.hessian(loss)(mean), 6 * np.eye(2))
    means = np.stack([mean, 2 * mean])
    np.testing.assert_allclose(ag.vmap(loss)(means), [loss(mean), loss(2 * mean)])
    m.train()
    assert ag.grad(loss)(mean).shape == (2,)  # the running mean is a Tensor in the copy, and its gradient flows
    np.testing.assert_allclose(ag.grad(loss)(mean), -((x - 0.5 * mean - 0.5 * x.mean(0)).sum(0)))
    np.testing.assert_allclose(ag.vmap(ag.grad(loss))(means)[1], ag.grad(loss)(2 * mean))


def test_training_inside_a_transform_leaves_plain_arrays_behind():
    m = Centre()
    x = np.ones((4, 2))
    ag.grad(lambda x: np.sum(m(x)))(x)
    ag.grad(lambda x: np.sum(ag.grad(lambda y: np.sum(m(y) ** 2))(x)))(x)
    assert type(m.mean) is np.ndarray
    assert m.calls == 2
    np.testing.assert_array_equal(m.mean, [0.75, 0.75])
    with pytest.warns(ag.LoopWarning):  # one example after another, as their running mean has to be
        ag.vmap(m)(np.ones((3, 1, 2)))
    assert m.calls == 5
    assert type(m.mean) is np.ndarray
