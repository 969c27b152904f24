"""Integers of 8 bits, as images are, count as the numbers that they are: layers, losses and the engine's own functions."""

import numpy as np
import pytest

import autograd_np as ag
import nn
from nn import functional as F  # noqa: N812

IMAGES = np.array([[200, 3, 0, 255], [7, 100, 128, 127]], np.uint8).reshape(1, 2, 2, 2)
LAYERS = [
    nn.AvgPool2d(2),
    nn.AvgPool2d(3, padding=1),
    nn.AdaptiveAvgPool2d(1),
    nn.MaxPool2d(3, padding=1),
    nn.Conv2d(2, 3, 2, rng=0),
    nn.ConvTranspose2d(2, 3, 2, rng=0),
    nn.Linear(2, 3, rng=0),
    nn.BatchNorm2d(2),
    nn.InstanceNorm2d(2),
    nn.GroupNorm(1, 2),
    nn.LayerNorm(2),
    nn.RMSNorm(2),
    nn.Softmax(1),
    nn.LogSoftmax(1),
    nn.Softmin(1),
    nn.GLU(1),
    nn.Sigmoid(),
    nn.LogSigmoid(),
    nn.SiLU(),
    nn.Mish(),
    nn.SELU(),
    nn.GELU(),
    nn.Softplus(),
    nn.Softshrink(),
    nn.Tanhshrink(),
    nn.Hardswish(),
    nn.LeakyReLU(),
    nn.Threshold(100, 0.5),
]
LOSSES = ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"]
FUNCTIONS = [ag.sigmoid, ag.log_sigmoid, ag.softplus, ag.softmax, ag.log_softmax, ag.logsumexp]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_a_layer_does_not_wrap_around(layer):
    with ag.no_grad():
        got, expected = (np.asarray(layer(x)) for x in (IMAGES, IMAGES.astype(float)))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_does_not_wrap_around(name):
    prediction, target = np.array([3, 200], np.uint8), np.array([7, 100], np.uint8)
    assert getattr(F, name)(prediction, target) == getattr(F, name)(prediction.astype(float), target.astype(float))


def test_r2_does_not_wrap_around():
    prediction, target = np.array([255, 2, 1], np.uint8), np.array([1, 2, 255], np.uint8)
    assert nn.metrics.r2(prediction, target) == nn.metrics.r2(prediction.astype(float), target.astype(float)) < -1


def test_weights_of_classes_are_not_cut_to_integers():
    scores, target, weight = np.array([[3, 1], [0, 2]]), np.array([0, 0]), np.array([0.5, 1.5])
    assert F.cross_entropy(scores, target, weight=weight, reduction="sum") == pytest.approx(
        0.5 * (np.log1p(np.exp(-2)) + np.log1p(np.exp(2)))
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
@pytest.mark.parametrize("function", FUNCTIONS, ids=["sigmoid", "log_sigmoid", "softplus", "softmax", "log_softmax", "logsumexp"])
def test_the_functions_of_the_engine_compute_in_float64(function, dtype):
    x = np.array([0, 1, 100]).astype(dtype)
    y = function(x)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y, function(x.astype(float)))
