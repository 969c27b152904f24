"""What layers do besides computing: draw, keep statistics, refuse what does not fit or is not covered, and say what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import nn

F = nn.functional
ONES = np.ones


# --- the normal distribution ----------------------------------------------------------------------


def test_the_normal_distribution_function_is_that_of_math() -> None:
    from math import erf, erfc, sqrt

    from nn.functional.gaussian import normal_cdf

    x = np.concatenate([np.linspace(-37, 37, 3001), [0.0, 1e-300, np.inf, -np.inf]])
    expected = np.array([erfc(-v / sqrt(2)) / 2 if v < 0 else (1 + erf(v / sqrt(2))) / 2 for v in x])
    np.testing.assert_allclose(normal_cdf(x), expected, rtol=0, atol=3e-16)
    tail = (x < 0) & (x > -20)
    np.testing.assert_allclose(normal_cdf(x)[tail], expected[tail], rtol=1e-13)
    np.testing.assert_allclose(normal_cdf(x.astype(np.float32)), expected, atol=1.3e-7)
    assert normal_cdf(x.astype(np.float32)).dtype == np.float32
    assert np.isnan(normal_cdf(np.array([np.nan])))
    assert normal_cdf(ONES((2, 0))).shape == (2, 0)


# --- dropout --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "whole"), [(nn.Dropout, ()), (nn.Dropout1d, (3,)), (nn.Dropout2d, (2, 3))])
def test_dropout_keeps_the_mean_and_draws_anew(kind: Any, whole: Any) -> None:
    layer = kind(0.25, rng=0)
    x = ONES((200, 50, 2, 3)) if len(whole) == 2 else ONES((200, 50, 3))
    y = layer(x)
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    axes = tuple(range(x.ndim - len(whole), x.ndim))
    assert np.all(np.ptp(y, axis=axes) == 0) == bool(whole) or not whole
    assert abs(np.mean(y) - 1) < 0.05
    assert not np.array_equal(y, layer(x))
    np.testing.assert_array_equal(y, kind(0.25, rng=0)(x))
    np.testing.assert_array_equal(layer.eval()(x), x)
    t = ag.Tensor(x, requires_grad=True)
    out = kind(0.25, rng=1)(t)
    out.backward(x)
    np.testing.assert_array_equal(t.grad, out.data)
    assert layer(x.astype(np.float32)).dtype == np.float32


def test_layers_of_an_encoder_drop_different_places() -> None:
    layer = nn.TransformerEncoderLayer(4, 1, 8, dropout=0.5, rng=0)
    model = nn.TransformerEncoder(layer, 2)
    first, second = (m.dropout.generator for m in model.layers)
    assert first is second
    assert not np.array_equal(model(ONES((3, 2, 4))).data, model(ONES((3, 2, 4))).data)


def test_dropout_between_recurrent_layers() -> None:
    x = np.random.default_rng(0).normal(size=(4, 2, 3))
    layer = nn.GRU(3, 4, num_layers=2, dropout=0.5, rng=0)
    assert not np.array_equal(layer(x)[0].data, layer(x)[0].data)
    layer.eval()
    np.testing.assert_array_equal(layer(x)[0].data, layer(x)[0].data)
    with pytest.warns(UserWarning, match="there is one layer"):
        nn.GRU(3, 4, dropout=0.5)


# --- running statistics ---------------------------------------------------------------------------


def test_batch_norm_keeps_statistics_in_training_alone() -> None:
    rng = np.random.default_rng(0)
    layer = nn.BatchNorm1d(3, momentum=None)
    batches = [rng.normal(2.0, 3.0, size=(50, 3)) for _ in range(4)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean, np.mean([x.mean(0) for x in batches], axis=0))
    np.testing.assert_allclose(layer.running_var, np.mean([x.var(0, ddof=1) for x in batches], axis=0))
    assert layer.num_batches_tracked == 4
    kept = layer.state_dict()
    layer.eval()
    y = layer(batches[0])
    np.testing.assert_allclose(y.data, (batches[0] - kept["running_mean"]) / np.sqrt(kept["running_var"] + 1e-5))
    layer.train()
    ag.grad(lambda p: np.sum(nn.functional_call(layer, p, batches[0])))({k: v for k, v in kept.items() if k in ("weight", "bias")})
    for name, value in layer.state_dict().items():  # what functional_call runs leaves the layer alone
        np.testing.assert_array_equal(value, kept[name])


def test_the_function_moves_the_callers_statistics() -> None:
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    mean, var = np.zeros(2), np.ones(2)
    t = ag.Tensor(x, requires_grad=True)
    F.batch_norm(t, mean, var, training=True, momentum=0.5)
    np.testing.assert_allclose(mean, 0.5 * x.mean((0, 2)))
    np.testing.assert_allclose(var, 0.5 + 0.5 * x.var((0, 2), ddof=1))
    F.instance_norm(t, mean, var, momentum=1.0)
    np.testing.assert_allclose(mean, x.mean((0, 2)))


def test_standardised_is_of_mean_zero_and_variance_one() -> None:
    x = np.random.default_rng(0).normal(5, 3, size=(4, 6, 5, 5))
    for y, axes in (
        (F.batch_norm(x, None, None, training=True), (0, 2, 3)),
        (F.instance_norm(x), (2, 3)),
        (F.layer_norm(x, (5, 5)), (2, 3)),
        (F.group_norm(x, 1), (1, 2, 3)),
    ):
        np.testing.assert_allclose(y.mean(axes), 0, atol=1e-12)
        np.testing.assert_allclose(y.var(axes), 1, rtol=1e-4)
    np.testing.assert_allclose(np.mean(F.rms_norm(x, 5) ** 2, axis=-1), 1)


# --- convolution and pooling, by their definitions ------------------------------------------------


@pytest.mark.parametrize("norm", [lambda x: F.layer_norm(x, 4), lambda x: F.group_norm(x, 2)])
def test_a_norm_is_recorded_as_one_operation_on_its_input(norm: Any) -> None:
    graph = ag.trace(norm, np.random.default_rng(0).normal(size=(3, 2, 3, 4)))
    assert [len(n.values) for n in graph if n.op is not None and n.op.name == "standardize"] == [1]


def test_a_derived_norm_has_no_statistics_of_the_run_it_was_read_from() -> None:
    def loss(x: Any, w: Any, b: Any) -> Any:
        return np.sum(F.layer_norm(x, 4, w, b) ** 3)

    rng = np.random.default_rng(0)
    program: dict[str, Any] = {}
    w, b = rng.normal(size=(2, 4))
    exec(ag.derive(loss, rng.normal(size=(3, 4)), w, b).to_numpy(), program)
    x = rng.normal(size=(5, 4))
    value, gradients = program["value_and_grad"](x, w, b)
    np.testing.assert_allclose(value, loss(x, w, b))
    np.testing.assert_allclose(gradients["dx"], ag.grad(loss)(x, w, b), atol=1e-12)


def test_a_convolution_is_the_sum_of_its_definition() -> None:
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 4, 6, 7)), rng.normal(size=(6, 2, 3, 2)), rng.normal(size=6)
    y = F.conv2d(x, w, b, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (2, 2)))
    assert y.shape == (2, 6, 3, 9)
    for n, o, i, j in np.ndindex(y.shape):
        group = slice(2 * (o // 3), 2 * (o // 3) + 2)
        patch = padded[n, group, 2 * i : 2 * i + 3, j : j + 3 : 2]
        np.testing.assert_allclose(y[n, o, i, j], np.sum(patch * w[o]) + b[o], rtol=1e-12)
    g = rng.normal(size=y.shape)
    back = F.conv_transpose2d(g, w, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2, output_padding=(1, 0))
    np.testing.assert_allclose(np.sum(back * x), np.sum(g * (y - b[:, None, None])), rtol=1e-12)  # the transpose


def test_pools_are_of_their_windows() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 7, 5))
    most, mean = F.max_pool2d(x, 3, 2, 1), F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    for i, j in np.ndindex(most.shape[2:]):
        window = x[:, :, max(0, 2 * i - 1) : 2 * i + 2, max(0, 2 * j - 1) : 2 * j + 2]
        np.testing.assert_array_equal(most[:, :, i, j], window.max((2, 3)))
        np.testing.assert_allclose(mean[:, :, i, j], window.mean((2, 3)))
    np.testing.assert_array_equal(F.max_pool1d(np.arange(6).reshape(1, 1, 6), 2), [[[1, 3, 5]]])


# --- refusals -------------------------------------------------------------------------------------

REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda: nn.ReLU(inplace=True), ValueError, "leave `inplace` out"),
    (lambda: nn.Dropout(1.5), ValueError, "within"),
    (lambda: F.dropout(ONES(3), -0.1), ValueError, "within"),
    (lambda: F.dropout2d(ONES((2, 3))), nn.ShapeMismatchError, "whole channels"),
    (lambda: nn.PReLU(3)(ONES((2, 4))), nn.ShapeMismatchError, "one for each of the 4 channels"),
    (lambda: nn.GLU()(ONES((2, 3))), nn.ShapeMismatchError, "even length"),
    (lambda: nn.GELU("erf"), ValueError, "'none' or 'tanh'"),
    (lambda: nn.Hardtanh(1, -1), ValueError, "min_val <= max_val"),
    (lambda: nn.Softmax(), TypeError, "dim"),
    (lambda: nn.Conv2d(3, 4, 0), ValueError, "at least 1"),
    (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError, "2 of them"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ValueError, "groups=2"),
    (lambda: nn.Conv2d(2, 4, 3, stride=2, padding="same"), ValueError, "stride 1"),
    (lambda: nn.Conv2d(2, 4, 3, padding="full"), ValueError, "padding"),
    (lambda: nn.Conv2d(2, 4, 3, padding_mode="mirror"), ValueError, "circular"),
    (lambda: nn.Conv2d(2, 4, 3)(ONES((1, 3, 5, 5))), nn.ShapeMismatchError, r"takes 2: \(samples, 2, height, width\)"),
    (lambda: nn.Conv2d(2, 4, 3)(ONES((2, 5))), nn.ShapeMismatchError, r"\(channels, height, width\)"),
    (lambda: nn.Conv2d(2, 4, 3)(ONES((1, 2, 2, 5))), nn.ShapeMismatchError, "smaller than its kernel"),
    (lambda: F.conv2d(ONES((1, 2, 5, 5)), ONES((4, 2, 3, 3)), ONES(3)), nn.ShapeMismatchError, "bias of shape"),
    (lambda: F.conv1d(ONES((1, 2, 5)) * 1j, ONES((4, 2, 3))), TypeError, "real numbers"),
    (lambda: nn.ConvTranspose2d(2, 4, 3, output_padding=1)(ONES((1, 2, 5, 5))), ValueError, "less than the stride"),
    (lambda: nn.ConvTranspose2d(2, 4, 3, padding_mode="reflect"), ValueError, "as in PyTorch"),
    (lambda: nn.MaxPool2d(2, return_indices=True), ValueError, "return_indices"),
    (lambda: nn.MaxPool2d(2, padding=2)(ONES((1, 1, 4, 4))), ValueError, "half of the kernel"),
    (lambda: nn.AvgPool2d(5)(ONES((1, 1, 4, 4))), nn.ShapeMismatchError, "smaller than its kernel"),
    (lambda: nn.AdaptiveAvgPool2d((1, 2, 3))(ONES((1, 1, 4, 4))), ValueError, "output_size"),
    (lambda: nn.BatchNorm2d(3)(ONES((2, 3))), nn.ShapeMismatchError, "expected 4 axes"),
    (lambda: nn.BatchNorm1d(3)(ONES((2, 4))), nn.ShapeMismatchError, r"\(samples, 3, ...\)"),
    (lambda: nn.BatchNorm1d(3)(ONES((1, 3))), nn.ShapeMismatchError, "more than one number a channel"),
    (lambda: nn.InstanceNorm1d(3)(ONES((2, 3, 1))), nn.ShapeMismatchError, "more than one number"),
    (lambda: nn.GroupNorm(2, 3), ValueError, "must divide"),
    (lambda: nn.LayerNorm((2, 3))(ONES((3, 2))), nn.ShapeMismatchError, r"normalized_shape, \(2, 3\)"),
    (lambda: nn.Embedding(5, 2, max_norm=1.0), ValueError, "max_norm=1.0.*not covered"),
    (lambda: nn.Embedding(5, 2)([5]), ValueError, r"rows 0 ... 4, got numbers 5"),
    (lambda: nn.Embedding(5, 2)([1.0]), TypeError, "integers"),
    (lambda: nn.Bilinear(2, 3, 4)(ONES((5, 2)), ONES((4, 3))), nn.ShapeMismatchError, "bilinear"),
    (lambda: F.linear(ONES((5, 2)), ONES((4, 3))), nn.ShapeMismatchError, r"\(out_features, in_features\)"),
    (lambda: F.linear(ONES((5, 3)), ONES((4, 3)), ONES(3)), nn.ShapeMismatchError, r"bias of shape \(3,\)"),
    (lambda: nn.ConvTranspose1d(1, 1, 3, stride=3)(ONES((1, 1, 4)), 15), ValueError, r"output_size=15; .* makes 12 \.\.\. 14"),
    (lambda: nn.Flatten()(ONES(3)), nn.ShapeMismatchError, "no such axes"),
    (lambda: nn.Unflatten(1, (2, 2))(ONES((1, 5))), nn.ShapeMismatchError, "multiply"),
    (lambda: nn.LSTM(3, 4, proj_size=2), ValueError, "put a Linear behind"),
    (lambda: nn.RNN(3, 4, nonlinearity="sin"), ValueError, "'tanh' or 'relu'"),
    (lambda: nn.LSTM(3, 4)(ONES((5, 2, 4))), nn.ShapeMismatchError, r"\(steps, samples, 3\)"),
    (lambda: nn.LSTM(3, 4)(ONES((0, 2, 3))), nn.ShapeMismatchError, "a step at least"),
    (lambda: nn.GRU(3, 4)(ONES((5, 2, 3)), ONES((1, 3, 4))), nn.ShapeMismatchError, r"\(1, 2, 4\)"),
    (lambda: nn.LSTMCell(3, 4)(ONES((2, 3)), (ONES((2, 4)), ONES((2, 5)))), nn.ShapeMismatchError, "states of shapes"),
    (lambda: nn.MultiheadAttention(5, 2), ValueError, "must divide"),
    (lambda: nn.MultiheadAttention(4, 2, add_zero_attn=True), ValueError, "not covered"),
    (lambda: nn.MultiheadAttention(4, 2)(ONES((3, 1, 4)), ONES((3, 1, 5)), ONES((3, 1, 4))), nn.ShapeMismatchError, "key"),
    (lambda: nn.MultiheadAttention(4, 2)(*[ONES((3, 1, 4))] * 3, attn_mask=ONES((2, 3))), nn.ShapeMismatchError, "attn_mask"),
    (lambda: nn.MultiheadAttention(4, 2)(*[ONES((3, 1, 4))] * 3, is_causal=True), ValueError, "hint"),
    (lambda: F.scaled_dot_product_attention(*[ONES((3, 4))] * 3, attn_mask=ONES((3, 3)), is_causal=True), ValueError, "not both"),
    (lambda: F.scaled_dot_product_attention(*[ONES((3, 4))] * 3, enable_gqa=True), ValueError, "np.repeat"),
    (lambda: F.scaled_dot_product_attention(ONES((3, 4)), ONES((3, 5)), ONES((3, 4))), nn.ShapeMismatchError, "queries"),
    (lambda: nn.TransformerEncoderLayer(4, 2, activation="tanh"), ValueError, "'relu', 'gelu' or a function"),
]


@pytest.mark.parametrize(("call", "error", "match"), REFUSED, ids=range(len(REFUSED)))
def test_what_does_not_fit_is_refused_with_what_was_expected(call: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        call()


# --- many examples --------------------------------------------------------------------------------


def test_an_ensemble_of_kernels_runs_at_once() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(2, 4, 5, 5)), rng.normal(size=(3, 6, 2, 3, 3))
    together = ag.vmap(lambda w: F.conv2d(x, w, groups=2, stride=2))(w)
    np.testing.assert_allclose(together, np.stack([F.conv2d(x, k, groups=2, stride=2) for k in w]), rtol=1e-12)
    up = rng.normal(size=(3, 4, 2, 3, 3))
    back = ag.vmap(lambda w: ag.grad(lambda x: np.sum(F.conv_transpose2d(x, w, groups=2) ** 3))(x))(up)
    expected = [ag.grad(lambda x, k=k: np.sum(F.conv_transpose2d(x, k, groups=2) ** 3))(x) for k in up]
    np.testing.assert_allclose(back, np.stack(expected), rtol=1e-11)


def test_an_ensemble_of_recurrent_weights_runs_in_a_loop_and_says_so() -> None:
    layers = [nn.GRU(3, 4, rng=i) for i in range(2)]
    weights = {name: np.stack([layer.state_dict()[name] for layer in layers]) for name in layers[0].state_dict()}
    x = np.random.default_rng(0).normal(size=(5, 2, 3))
    with pytest.warns(ag.LoopWarning, match="gru"):
        found = ag.vmap(lambda p: nn.functional_call(layers[0], p, x)[1])(weights)
    np.testing.assert_allclose(found, np.stack([layer(x)[1].data for layer in layers]), rtol=1e-12)


@pytest.mark.parametrize("sizes", [{}, {"padding": 1, "dilation": 2}])
def test_a_transposed_convolution_makes_the_size_that_is_asked_for(sizes: dict[str, Any]) -> None:
    layer = nn.ConvTranspose2d(2, 3, 3, stride=(3, 2), rng=0, **sizes)
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 5))
    least = layer(x).shape
    wanted = (least[2] + 1, least[3] + 1)
    larger = nn.ConvTranspose2d(2, 3, 3, stride=(3, 2), output_padding=1, **sizes)
    larger.load_state_dict(layer.state_dict())
    for size in (wanted, [1, 3, *wanted]):
        np.testing.assert_array_equal(layer(x, output_size=size).data, larger(x).data)


NO_KEYS = np.array([[True, True, False], [False, False, False], [True, False, False]])


@pytest.mark.parametrize("mask", [NO_KEYS, np.where(NO_KEYS, 0.5, -np.inf)], ids=["booleans", "numbers"])
@pytest.mark.parametrize("batched", [False, True])
def test_a_query_without_keys_attends_to_nothing_and_spoils_no_gradient(mask: Any, batched: bool) -> None:
    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 3, 4))
    seen = [0, 2]

    def loss(q: Any, k: Any, v: Any, mask: Any) -> Any:
        return np.sum(np.sin(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))

    whole, part = ag.grad(loss, (0, 1, 2)), ag.grad(loss, (0, 1, 2))
    expected = part(q[:, seen], k, v, mask[seen])
    masks = np.stack([mask, mask])
    got = ag.vmap(whole, in_axes=(0, 0, 0, 0))(q, k, v, masks) if batched else whole(q, k, v, mask)
    np.testing.assert_array_equal(got[0][:, 1], 0)
    np.testing.assert_allclose(got[0][:, seen], expected[0], rtol=1e-12)
    for a, b in zip(got[1:], expected[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)


def test_a_sample_that_is_all_padding_gets_weights_of_zero() -> None:
    layer, x = nn.MultiheadAttention(4, 2, batch_first=True, rng=0), np.random.default_rng(0).normal(size=(2, 3, 4))
    padding = np.array([[False, False, True], [True, True, True]])
    y, weights = layer(x, x, x, key_padding_mask=padding)
    np.testing.assert_array_equal(weights.data[1], 0)
    np.testing.assert_array_equal(y.data[1], np.broadcast_to(layer.out_proj.bias.data, (3, 4)))
    y.sum().backward()
    assert all(np.isfinite(p.grad).all() for p in layer.parameters())
