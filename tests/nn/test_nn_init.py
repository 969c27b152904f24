"""Initialisers: the distribution of each, seeds, dtypes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd_np as ag
import nn

SHAPE = (200, 300)


def filled(init, **settings):
    return init(nn.Parameter(np.zeros(SHAPE)), rng=0, **settings).data


@pytest.mark.parametrize(
    ("init", "settings", "std"),
    [
        (nn.init.normal_, {}, 1.0),
        (nn.init.normal_, {"std": 0.5}, 0.5),
        (nn.init.xavier_normal_, {}, math.sqrt(2 / 500)),
        (nn.init.xavier_normal_, {"gain": 2.0}, 2 * math.sqrt(2 / 500)),
        (nn.init.kaiming_normal_, {}, math.sqrt(2 / 300)),
        (nn.init.kaiming_normal_, {"nonlinearity": "relu", "mode": "fan_out"}, math.sqrt(2 / 200)),
        (nn.init.kaiming_normal_, {"nonlinearity": "tanh"}, 5 / 3 / math.sqrt(300)),
    ],
)
def test_normal(init, settings, std):
    x = filled(init, **settings) / std
    n = x.size
    assert abs(x.mean()) < 5 / math.sqrt(n)
    assert abs(x.var() - 1) < 5 * math.sqrt(2 / n)
    assert abs((x**4).mean() - 3) < 5 * math.sqrt(96 / n)  # which a uniform distribution has at 1.8


@pytest.mark.parametrize(
    ("init", "settings", "low", "high"),
    [
        (nn.init.uniform_, {}, 0.0, 1.0),
        (nn.init.uniform_, {"a": -3.0, "b": 2.0}, -3.0, 2.0),
        (nn.init.xavier_uniform_, {}, -math.sqrt(6 / 500), math.sqrt(6 / 500)),
        (nn.init.kaiming_uniform_, {"a": math.sqrt(5)}, -1 / math.sqrt(300), 1 / math.sqrt(300)),
    ],
)
def test_uniform(init, settings, low, high):
    x = (filled(init, **settings) - low) / (high - low)
    assert 0 <= x.min() < 1e-3
    assert 1 - 1e-3 < x.max() <= 1
    assert abs(x.mean() - 0.5) < 5 / math.sqrt(12 * x.size)
    assert abs(x.var() - 1 / 12) < 5 * math.sqrt(1 / 180 / x.size)


def test_constants():
    assert not filled(nn.init.zeros_).any()
    assert (filled(nn.init.ones_) == 1).all()
    assert (filled(nn.init.constant_, val=2.5) == 2.5).all()


@pytest.mark.parametrize("name", [n for n in nn.init.__all__ if n.endswith("_") and n != "constant_"])
def test_every_initialiser_keeps_the_parameter_a_leaf_of_its_dtype_and_follows_its_seed(name):
    init = getattr(nn.init, name)
    p = nn.Parameter(np.zeros((3, 4), np.float32))
    assert init(p, rng=1) is p
    assert p.is_leaf
    assert p.requires_grad
    assert p.dtype == np.float32
    same, other = (init(nn.Parameter(np.zeros((3, 4))), rng=seed).data for seed in (1, 2))
    np.testing.assert_array_equal(p.data, same.astype(np.float32))
    if name not in ("zeros_", "ones_"):
        assert not np.array_equal(same, other)


def test_linear_draws_weight_then_bias_within_the_bound_of_pytorch():
    layer = nn.Linear(100, 200, rng=0)
    for p in layer.parameters():
        assert 0.095 < np.max(abs(p.data)) <= 0.1
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(layer.weight.data, rng.uniform(-0.1, 0.1, (200, 100)))
    np.testing.assert_array_equal(layer.bias.data, rng.uniform(-0.1, 0.1, 200))
    float32 = nn.Linear(100, 200, rng=0, dtype=np.float32)
    np.testing.assert_array_equal(float32.weight.data, layer.weight.data.astype(np.float32))


def test_linear_with_initialisers_of_choice():
    layer = nn.Linear(2, 3, init=nn.init.xavier_normal_, bias_init=nn.init.zeros_, rng=np.random.default_rng(4))
    np.testing.assert_allclose(layer.weight.data, np.random.default_rng(4).normal(size=(3, 2)) * math.sqrt(2 / 5))
    assert not layer.bias.data.any()


def test_what_has_no_fans_is_refused():
    for shape in ((3,), ()):
        with pytest.raises(nn.ShapeMismatchError, match="at least two axes"):
            nn.init.xavier_normal_(nn.Parameter(np.zeros(shape)), rng=0)
    with pytest.raises(nn.ShapeMismatchError, match="with elements"):
        nn.init.kaiming_normal_(nn.Parameter(np.zeros((0, 3))), rng=0)
    with pytest.raises(ValueError, match="'fan' is not known"):
        nn.init.kaiming_normal_(nn.Parameter(np.zeros((2, 3))), mode="fan", rng=0)
    with pytest.raises(ValueError, match="'swish' is not known"):
        nn.init.calculate_gain("swish")


def test_initialisers_take_plain_tensors_too():
    t = ag.Tensor(np.zeros(3))
    assert nn.init.ones_(t) is t
    np.testing.assert_array_equal(t.data, 1.0)
