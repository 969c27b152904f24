"""The table of layers: how each is made, in this library and in PyTorch alike, and what it is called with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nn

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A layer.

    Attributes
    ----------
    make : callable
        ``make(library, **more)`` returns the layer; `more` are dtype and generator, for layers that have Parameters.
    inputs : tuple
        Shapes of arrays drawn from the normal distribution, or arrays as they are.
    call : dict
        Keywords of the call.
    of_torch : bool
        PyTorch has it under the same name, and accepts these inputs.
    bare : bool
        It takes neither a dtype nor a generator.
    small : bool
        Small and smooth enough for numeric derivatives of its second order.
    training : bool
        The mode in which it is called.
    loose : float
        By how much PyTorch's own numbers are off, relatively, in float64.
    """

    name: str
    make: Callable[..., Any]
    inputs: tuple[Any, ...]
    call: dict[str, Any]
    of_torch: bool = True
    bare: bool = False
    small: bool = True
    loose: float = 0.0
    training: bool = True

    def layer(self, dtype: Any = np.float64, rng: Any = 0) -> Any:
        """Return this library's layer, with Parameters that are all drawn at random."""
        layer = self.make(nn) if self.bare else self.make(nn, dtype=dtype, rng=rng)
        draw = np.random.default_rng(7)
        for p in layer.parameters():  # also those that start as ones and zeros
            nn.init.uniform_(p, -0.6, 0.9, rng=draw)
        return layer.train(self.training)

    def arrays(self, dtype: Any = np.float64) -> list[np.ndarray]:
        """Return the inputs."""
        rng = np.random.default_rng(3)
        drawn = [rng.normal(size=x).astype(dtype) if isinstance(x, tuple) else x for x in self.inputs]
        return [x.astype(dtype) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in drawn]


CASES: list[Case] = []


def add(
    name: str,
    make: Callable[..., Any],
    *inputs: Any,
    of_torch: bool = True,
    bare: bool = False,
    small: bool = True,
    loose: float = 0.0,
    training: bool = True,
    **call: Any,
) -> None:
    """Add a case to the table."""
    CASES.append(Case(name, make, inputs, call, of_torch, bare, small, loose, training))


# --- activations ----------------------------------------------------------------------------------

SMOOTH = ["Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink", "Softsign", "SELU", "SiLU", "Mish", "GLU", "ELU", "CELU", "GELU", "Softplus"]
SMOOTH = ["Sigmoid", "LogSigmoid", "Tanh", "Tanhshrink", "Softsign", "SELU", "SiLU", "Mish", "GLU", "ELU", "CELU", "GELU", "Softplus"]
for name in [*SMOOTH, "ReLU", "ReLU6", "Hardswish", "LeakyReLU", "Hardtanh", "Softshrink", "Hardshrink"]:
    add(name, lambda lib, name=name: getattr(lib, name)(), (3, 4), bare=True)
for name in ("Softmax", "LogSoftmax", "Softmin"):
    add(name, lambda lib, name=name: getattr(lib, name)(dim=1), (3, 4, 2), bare=True)
SPREAD = np.linspace(-30, 30, 42).reshape(6, 7) + 0.01
add("leaky-0.2", lambda lib: lib.LeakyReLU(0.2), SPREAD, bare=True, small=False)
add("elu-2", lambda lib: lib.ELU(2.0), SPREAD, bare=True, small=False)
add("celu-2", lambda lib: lib.CELU(2.0), SPREAD, bare=True, small=False)
add("gelu-tanh", lambda lib: lib.GELU(approximate="tanh"), (3, 4), bare=True)
add("gelu-wide", lambda lib: lib.GELU(), SPREAD, bare=True, small=False)
add("silu-wide", lambda lib: lib.SiLU(), SPREAD, bare=True, small=False)
add("mish-wide", lambda lib: lib.Mish(), SPREAD, bare=True, small=False)
add("softplus-2", lambda lib: lib.Softplus(beta=2.0, threshold=5.0), SPREAD, bare=True, small=False)
add("hardtanh-range", lambda lib: lib.Hardtanh(-2.0, 0.5), SPREAD, bare=True, small=False)
add("softshrink-2", lambda lib: lib.Softshrink(2.0), SPREAD, bare=True, small=False)
add("hardshrink-2", lambda lib: lib.Hardshrink(2.0), SPREAD, bare=True, small=False)
add("threshold", lambda lib: lib.Threshold(0.1, 20.0), (3, 4), bare=True)
add("kinks-relu6", lambda lib: lib.ReLU6(), np.array([0.0, 6.0, 7.0]), bare=True, small=False)
add("kinks-hardtanh", lambda lib: lib.Hardtanh(), np.array([-1.0, 0.0, 1.0]), bare=True, small=False)
add("kinks-leaky", lambda lib: lib.LeakyReLU(), np.array([-1.0, 0.0, 1.0]), bare=True, small=False)
add("kinks-elu", lambda lib: lib.ELU(2.0), np.array([-1.0, 0.0, 1.0]), bare=True, small=False)
add("kinks-hardswish", lambda lib: lib.Hardswish(), np.array([-3.0, 0.0, 3.0]), bare=True, small=False)
add("hardsigmoid", lambda lib: lib.Hardsigmoid(), (3, 4), bare=True, loose=3e-8)  # PyTorch's slope is 1/6 in float32, always
add("kinks-hardsigmoid", lambda lib: lib.Hardsigmoid(), np.array([-3.0, 0.0, 3.0]), bare=True, small=False, loose=3e-8)
add("glu-first", lambda lib: lib.GLU(dim=0), (4, 3), bare=True)
add("prelu", lambda lib, dtype=None, rng=None: lib.PReLU(dtype=dtype), (3, 4))
add("prelu-channels", lambda lib, dtype=None, rng=None: lib.PReLU(4, dtype=dtype), (3, 4, 2))

# --- convolution ----------------------------------------------------------------------------------

CONVOLUTIONS: dict[str, tuple[Any, dict[str, Any], Shape]] = {
    "conv1d": (("Conv1d", 2, 3, 3), {}, (2, 2, 7)),
    "conv1d-all": (("Conv1d", 4, 6, 3), {"stride": 2, "padding": 3, "dilation": 2, "groups": 2}, (2, 4, 8)),
    "conv1d-same-even": (("Conv1d", 2, 3, 4), {"padding": "same"}, (2, 2, 7)),
    "conv1d-circular": (("Conv1d", 2, 3, 3), {"padding": 2, "padding_mode": "circular"}, (2, 2, 6)),
    "conv1d-one-sample": (("Conv1d", 2, 3, 3), {}, (2, 7)),
    "conv2d": (("Conv2d", 2, 3, 3), {}, (2, 2, 5, 6)),
    "conv2d-one": (("Conv2d", 1, 2, 1), {}, (1, 1, 3, 3)),
    "conv2d-no-bias": (("Conv2d", 2, 3, (2, 3)), {"bias": False}, (2, 2, 4, 5)),
    "conv2d-stride": (("Conv2d", 2, 3, 3), {"stride": 2, "padding": 1}, (2, 2, 6, 5)),
    "conv2d-stride-gap": (("Conv2d", 2, 3, 2), {"stride": (3, 2)}, (1, 2, 7, 6)),
    "conv2d-padding": (("Conv2d", 2, 3, 3), {"padding": (2, 1)}, (1, 2, 4, 5)),
    "conv2d-dilation": (("Conv2d", 2, 3, 3), {"dilation": (1, 2), "padding": 2}, (1, 2, 5, 6)),
    "conv2d-groups": (("Conv2d", 4, 6, 3), {"groups": 2, "padding": 1}, (2, 4, 4, 4)),
    "conv2d-depthwise": (("Conv2d", 3, 6, 3), {"groups": 3}, (2, 3, 4, 4)),
    "conv2d-same": (("Conv2d", 2, 3, (3, 4)), {"padding": "same", "dilation": 2}, (1, 2, 6, 7)),
    "conv2d-valid": (("Conv2d", 2, 3, 3), {"padding": "valid"}, (1, 2, 5, 5)),
    "conv2d-reflect": (("Conv2d", 2, 3, 3), {"padding": (1, 2), "padding_mode": "reflect"}, (1, 2, 4, 5)),
    "conv2d-replicate": (("Conv2d", 2, 3, 3), {"padding": (1, 2), "padding_mode": "replicate"}, (1, 2, 4, 5)),
    "conv2d-same-circular": (("Conv2d", 2, 3, (3, 2)), {"padding": "same", "padding_mode": "circular"}, (1, 2, 4, 5)),
    "conv2d-one-sample": (("Conv2d", 2, 3, 3), {}, (2, 5, 6)),
    "conv2d-empty": (("Conv2d", 2, 3, 3), {}, (0, 2, 5, 6)),
    "conv-transpose1d": (("ConvTranspose1d", 2, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}, (2, 2, 5)),
    "conv-transpose2d": (("ConvTranspose2d", 2, 3, 3), {}, (2, 2, 3, 4)),
    "conv-transpose2d-all": (
        ("ConvTranspose2d", 4, 6, (3, 2)),
        {"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2), "groups": 2, "dilation": (2, 1)},
        (2, 4, 3, 3),
    ),
    "conv-transpose2d-dilated-out": (("ConvTranspose2d", 2, 2, 3), {"output_padding": 1, "dilation": 2, "padding": 3}, (1, 2, 4, 4)),
    "conv-transpose2d-far-out": (("ConvTranspose2d", 2, 2, 2), {"output_padding": 2, "dilation": 3}, (1, 2, 2, 2)),
    "conv-transpose2d-no-bias": (("ConvTranspose2d", 2, 3, 2), {"stride": 2, "bias": False}, (1, 2, 3, 3)),
    "conv-transpose2d-one-sample": (("ConvTranspose2d", 2, 3, 2), {}, (2, 3, 3)),
}
for name, ((kind, *sizes), options, shape) in CONVOLUTIONS.items():
    add(name, lambda lib, kind=kind, sizes=sizes, options=options, **more: getattr(lib, kind)(*sizes, **options, **more), shape)

# --- pooling --------------------------------------------------------------------------------------

TIES = np.array([[[[1.0, 1.0, 0.0, 2.0], [1.0, 0.0, 2.0, 2.0], [0.0, 0.0, 3.0, 3.0], [0.0, 0.0, 3.0, 3.0]]]])
POOLS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any], Any]] = {
    "max1d": ("MaxPool1d", (2,), {}, (2, 3, 7)),
    "max1d-all": ("MaxPool1d", (3,), {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}, (2, 3, 8)),
    "max2d": ("MaxPool2d", (2,), {}, (2, 2, 4, 5)),
    "max2d-overlap": ("MaxPool2d", ((3, 2),), {"stride": (1, 2)}, (2, 2, 5, 6)),
    "max2d-padding": ("MaxPool2d", (3,), {"stride": 2, "padding": 1}, (1, 2, 5, 6)),
    "max2d-dilation": ("MaxPool2d", (2,), {"dilation": (2, 1), "stride": 1}, (1, 2, 5, 4)),
    "max2d-ceil": ("MaxPool2d", (2,), {"ceil_mode": True}, (1, 2, 5, 7)),
    "max2d-ceil-padding": ("MaxPool2d", (3,), {"ceil_mode": True, "padding": 1, "stride": 2}, (1, 2, 6, 7)),
    "max2d-one-sample": ("MaxPool2d", (2,), {}, (2, 4, 4)),
    "max2d-empty": ("MaxPool2d", (2,), {}, (0, 2, 4, 4)),
    "avg1d": ("AvgPool1d", (2,), {}, (2, 3, 7)),
    "avg1d-all": ("AvgPool1d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, (2, 3, 8)),
    "avg2d": ("AvgPool2d", (2,), {}, (2, 2, 4, 5)),
    "avg2d-padding": ("AvgPool2d", (3,), {"stride": 2, "padding": 1}, (1, 2, 5, 6)),
    "avg2d-padding-left-out": ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "count_include_pad": False}, (1, 2, 5, 6)),
    "avg2d-ceil": ("AvgPool2d", (3,), {"stride": 2, "ceil_mode": True}, (1, 2, 6, 6)),
    "avg2d-ceil-padding": ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, (1, 2, 6, 7)),
    "avg2d-divisor": ("AvgPool2d", (2,), {"divisor_override": 3}, (1, 2, 4, 4)),
    "adaptive-avg1d": ("AdaptiveAvgPool1d", (3,), {}, (2, 2, 7)),
    "adaptive-avg2d": ("AdaptiveAvgPool2d", ((3, 2),), {}, (2, 2, 5, 6)),
    "adaptive-avg2d-one": ("AdaptiveAvgPool2d", (1,), {}, (2, 2, 3, 4)),
    "adaptive-avg2d-keep": ("AdaptiveAvgPool2d", ((None, 4),), {}, (2, 5, 6)),
    "adaptive-avg2d-larger": ("AdaptiveAvgPool2d", (5,), {}, (1, 2, 3, 4)),
    "adaptive-max1d": ("AdaptiveMaxPool1d", (3,), {}, (2, 2, 7)),
    "adaptive-max2d": ("AdaptiveMaxPool2d", ((3, 2),), {}, (1, 2, 5, 6)),
}
for name, (kind, sizes, options, shape) in POOLS.items():
    add(name, lambda lib, kind=kind, sizes=sizes, options=options: getattr(lib, kind)(*sizes, **options), shape, bare=True)
add("max2d-ties", lambda lib: lib.MaxPool2d(2, stride=1), TIES, bare=True, small=False)
add("adaptive-max2d-ties", lambda lib: lib.AdaptiveMaxPool2d(3), TIES, bare=True, small=False)

# --- normalisation --------------------------------------------------------------------------------

NORMS: dict[str, tuple[tuple[Any, ...], dict[str, Any], Shape]] = {
    "batch1d": (("BatchNorm1d", 3), {}, (4, 3)),
    "batch1d-signals": (("BatchNorm1d", 3), {"momentum": None}, (2, 3, 4)),
    "batch1d-no-affine": (("BatchNorm1d", 3), {"affine": False, "eps": 1e-3}, (4, 3)),
    "batch2d": (("BatchNorm2d", 2), {}, (2, 2, 3, 2)),
    "batch2d-one-sample": (("BatchNorm2d", 2), {"momentum": 0.3}, (1, 2, 3, 2)),
    "batch2d-untracked": (("BatchNorm2d", 2), {"track_running_stats": False}, (2, 2, 3, 2)),
    "instance1d": (("InstanceNorm1d", 3), {}, (2, 3, 4)),
    "instance1d-single": (("InstanceNorm1d", 3), {"affine": True}, (3, 4)),
    "instance2d": (("InstanceNorm2d", 2), {"affine": True, "track_running_stats": True}, (2, 2, 3, 2)),
    "group": (("GroupNorm", 2, 4), {}, (2, 4, 3)),
    "group-images": (("GroupNorm", 3, 6), {"eps": 1e-3}, (1, 6, 2, 2)),
    "group-no-affine": (("GroupNorm", 1, 4), {"affine": False}, (2, 4)),
    "layer": (("LayerNorm", 4), {}, (3, 4)),
    "layer-two-axes": (("LayerNorm", (3, 4)), {"eps": 1e-3}, (2, 3, 4)),
    "layer-no-bias": (("LayerNorm", 4), {"bias": False}, (2, 2, 4)),
    "layer-no-affine": (("LayerNorm", 4), {"elementwise_affine": False}, (4,)),
    "rms": (("RMSNorm", 4), {}, (3, 4)),
    "rms-two-axes": (("RMSNorm", (2, 4)), {"eps": 1e-3}, (3, 2, 4)),
    "rms-no-affine": (("RMSNorm", 4), {"elementwise_affine": False}, (4,)),
}
for name, ((kind, *sizes), options, shape) in NORMS.items():

    def norm(lib: Any, dtype: Any, rng: Any = None, kind: str = kind, sizes: Any = sizes, options: Any = options) -> Any:
        return getattr(lib, kind)(*sizes, **options, dtype=dtype)

    add(name, norm, shape)
    if kind.startswith(("Batch", "Instance")):
        add(f"{name}-eval", norm, shape, training=False)

# --- affine maps, tables, shapes ------------------------------------------------------------------

NUMBERS = np.array([[1, 4, 0], [2, 2, 1]])
add("linear", lambda lib, **more: lib.Linear(3, 4, **more), (2, 3))
add("linear-no-bias", lambda lib, **more: lib.Linear(3, 4, bias=False, **more), (2, 1, 3))
add("bilinear", lambda lib, **more: lib.Bilinear(2, 3, 4, **more), (5, 2), (5, 3))
add("bilinear-no-bias", lambda lib, **more: lib.Bilinear(2, 3, 4, bias=False, **more), (2, 3, 2), (2, 3, 3))
add("embedding", lambda lib, **more: lib.Embedding(5, 3, **more), NUMBERS)
add("embedding-padding", lambda lib, **more: lib.Embedding(5, 3, padding_idx=-3, **more), NUMBERS, small=False)  # no gradient there
add("flatten", lambda lib: lib.Flatten(), (2, 3, 2), bare=True)
add("flatten-some", lambda lib: lib.Flatten(0, 1), (2, 3, 2), bare=True)
add("unflatten", lambda lib: lib.Unflatten(1, (2, -1)), (2, 6), bare=True)
add("identity", lambda lib: lib.Identity(7, x=8), (2, 3), bare=True)
for name, shape in {"Dropout": (2, 3), "Dropout1d": (2, 3, 4), "Dropout2d": (2, 3, 4, 2)}.items():
    add(f"{name}-eval", lambda lib, name=name: getattr(lib, name)(0.3), shape, bare=True, training=False)
add("Dropout-0", lambda lib: lib.Dropout(0.0), (2, 3, 4), bare=True)
add("Dropout-1", lambda lib: lib.Dropout(1.0), (2, 3, 4), bare=True)

# --- recurrent layers -----------------------------------------------------------------------------

RECURRENT: dict[str, tuple[dict[str, Any], Shape]] = {
    "plain": ({}, (3, 2, 3)),
    "one-step": ({}, (1, 2, 3)),
    "one-sample": ({}, (3, 1, 3)),
    "unbatched": ({}, (3, 3)),
    "no-bias": ({"bias": False}, (3, 2, 3)),
    "all": ({"num_layers": 2, "bidirectional": True, "batch_first": True}, (2, 3, 3)),
}
for kind in ("RNN", "LSTM", "GRU"):
    for name, (options, shape) in RECURRENT.items():
        add(f"{kind}-{name}", lambda lib, kind=kind, options=options, **more: getattr(lib, kind)(3, 2, **options, **more), shape)
    add(f"{kind}Cell", lambda lib, kind=kind, **more: getattr(lib, f"{kind}Cell")(3, 2, **more), (4, 3))
    add(f"{kind}Cell-unbatched", lambda lib, kind=kind, **more: getattr(lib, f"{kind}Cell")(3, 2, bias=False, **more), (3,))
for kind in ("RNN", "GRU"):
    add(f"{kind}-state", lambda lib, kind=kind, **more: getattr(lib, kind)(3, 2, **more), (3, 2, 3), (1, 2, 2))
    add(f"{kind}Cell-state", lambda lib, kind=kind, **more: getattr(lib, f"{kind}Cell")(3, 2, **more), (2, 3), (2, 2))
add("RNN-relu", lambda lib, **more: lib.RNN(3, 2, nonlinearity="relu", **more), (3, 2, 3))
add("RNNCell-relu", lambda lib, **more: lib.RNNCell(3, 2, nonlinearity="relu", **more), (2, 3))

# --- attention ------------------------------------------------------------------------------------

CAUSAL = np.triu(np.ones((3, 3), bool), 1)
PADDED = np.array([[False, False, True], [False, True, True]])


def attention(lib: Any, *sizes: int, **options: Any) -> Any:
    return lib.MultiheadAttention(*sizes, **options)


X = (3, 2, 4)
add("attention", lambda lib, **more: attention(lib, 4, 2, **more), X, X, X)
add("attention-no-bias", lambda lib, **more: attention(lib, 4, 1, bias=False, **more), X, X, X)
add("attention-batch-first", lambda lib, **more: attention(lib, 4, 2, batch_first=True, **more), (2, 3, 4), (2, 5, 4), (2, 5, 4))
add("attention-dims", lambda lib, **more: attention(lib, 4, 2, kdim=3, vdim=5, **more), X, (6, 2, 3), (6, 2, 5))
add("attention-unbatched", lambda lib, **more: attention(lib, 4, 2, batch_first=True, **more), (3, 4), (5, 4), (5, 4))
add("attention-heads", lambda lib, **more: attention(lib, 4, 2, **more), X, X, X, average_attn_weights=False)
add("attention-no-weights", lambda lib, **more: attention(lib, 4, 2, **more), X, X, X, need_weights=False)
add("attention-causal", lambda lib, **more: attention(lib, 4, 2, **more), X, X, X, attn_mask=CAUSAL)
add("attention-padding", lambda lib, **more: attention(lib, 4, 2, **more), X, X, X, key_padding_mask=PADDED)
add("attention-both-masks", lambda lib, **more: attention(lib, 4, 2, **more), X, X, X, attn_mask=CAUSAL, key_padding_mask=PADDED)
add("attention-one-step", lambda lib, **more: attention(lib, 4, 2, **more), (1, 1, 4), (1, 1, 4), (1, 1, 4))


def encoder(lib: Any, activation: Any = "relu", norm_first: bool = False, batch_first: bool = False, bias: bool = True, **more: Any) -> Any:
    how = {"dropout": 0.0, "activation": activation, "norm_first": norm_first, "batch_first": batch_first, "bias": bias}
    return lib.TransformerEncoderLayer(4, 2, dim_feedforward=6, **how, **more)


add("encoder-layer", encoder, X)
add("encoder-layer-gelu", lambda lib, **more: encoder(lib, "gelu", norm_first=True, **more), X)
add("encoder-layer-batch-first", lambda lib, **more: encoder(lib, batch_first=True, bias=False, **more), (2, 3, 4), src_mask=CAUSAL)
add("encoder-layer-padding", lambda lib, **more: encoder(lib, batch_first=True, **more), (2, 3, 4), src_key_padding_mask=PADDED)
add("encoder-layer-unbatched", encoder, (3, 4))


def encoders(lib: Any, dtype: Any, rng: Any = None) -> Any:
    more = {"rng": rng} if lib is nn else {}
    return lib.TransformerEncoder(encoder(lib, dtype=dtype, **more), 2, lib.LayerNorm(4, dtype=dtype))


add("encoder", encoders, X)
