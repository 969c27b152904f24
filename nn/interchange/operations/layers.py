"""Convolutions, pooling and norms, for which ONNX has operators of its own."""

from __future__ import annotations

import math
from typing import Any

from nn.errors import ExportError
from nn.interchange.following import Dim, Size
from nn.interchange.operations.table import exports
from nn.interchange.recording import Step
from nn.interchange.writer import Writer

__all__: list[str] = []


def _fixed(sizes: tuple[Dim, ...], what: str) -> list[int]:
    if any(isinstance(n, Size) for n in sizes):
        raise ExportError(f"the batch is among {what}; batch_axis says which axis of the examples it is")
    return [n for n in sizes if not isinstance(n, Size)]


def _reach(kernel: Any, dilation: Any) -> list[int]:
    return [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]


@exports("nn.convolution")
def _convolution(w: Writer, step: Step) -> str:
    stride, padding, dilation, groups = step.options(stride=None, padding=None, dilation=None, groups=1)
    x, weight = step.operands
    if any(p < 0 for pair in padding for p in pair):
        raise ExportError(f"padding={padding} is not covered, as it leaves elements out")
    return w.add(
        "Conv",
        w.operand(x, step.dtype),
        w.operand(weight, step.dtype),
        kernel_shape=_fixed(weight.shape[2:], "the sizes of the kernel"),
        pads=[low for low, _ in padding] + [high for _, high in padding],
        strides=list(stride),
        dilations=list(dilation),
        group=groups,
    )


@exports("nn.transposed_convolution")
def _transposed_convolution(w: Writer, step: Step) -> str:
    _, stride, padding, dilation, groups = step.options(size=None, stride=None, padding=None, dilation=None, groups=1)
    x, weight = step.operands
    name = w.add(
        "ConvTranspose",
        w.operand(x, step.dtype),
        w.operand(weight, step.dtype),
        kernel_shape=_fixed(weight.shape[2:], "the sizes of the kernel"),
        pads=[low for low, _ in padding] + [max(high, 0) for _, high in padding],
        strides=list(stride),
        dilations=list(dilation),
        group=groups,
    )
    beyond = [max(-high, 0) for _, high in padding]  # where no window of the convolution reaches
    return w.add("Pad", name, w.ints([0] * (len(beyond) + 4) + beyond)) if any(beyond) else name


def _pool(step: Step) -> tuple[list[int], dict[str, Any]]:
    """Return the dilation, and the settings that both kinds of pooling have."""
    windows, kernel, stride, low, dilation = step.options(windows=None, kernel=None, stride=None, low=None, dilation=None)
    size = _fixed(step.operands[0].shape[-len(kernel) :], "the sizes of the image")
    spans = _reach(kernel, dilation)
    needed = [(m - 1) * s + r - n - p for m, s, r, n, p in zip(windows, stride, spans, size, low, strict=True)]
    pads = [*low, *(max(high, 0) for high in needed)]
    return list(dilation), {"kernel_shape": list(kernel), "strides": list(stride), "pads": pads}


@exports("nn.max_pool")
def _max_pool(w: Writer, step: Step) -> str:
    dilation, settings = _pool(step)
    return w.add("MaxPool", w.operand(step.operands[0], step.dtype), dilations=dilation, **settings)


@exports("nn.sum_pool")
def _sum_pool(w: Writer, step: Step) -> str:
    dilation, settings = _pool(step)
    if any(d != 1 for d in dilation):
        raise ExportError(f"sums over windows with dilation={dilation} are not covered")
    mean = w.add("AveragePool", w.operand(step.operands[0], step.dtype), count_include_pad=1, **settings)
    return w.add("Mul", mean, w.operand(float(math.prod(settings["kernel_shape"])), step.dtype))


# --- norms ----------------------------------------------------------------------------------------


@exports("nn.standardize")
def _standardize(w: Writer, step: Step) -> str:
    """Write x with mean 0 and variance 1; mean and variance, which came as constants, are those of x."""
    axes, eps = step.options(axes=None, eps=0.0)
    x = step.operands[0]
    name, n = w.operand(x, step.dtype), x.shape[-1]
    if tuple(axes) == (x.ndim - 1,) and not isinstance(n, Size):
        ones = w.add("Expand", w.operand(1.0, step.dtype), w.ints([n]))
        return w.add("LayerNormalization", name, ones, axis=-1, epsilon=eps)
    off = w.add("Sub", name, w.add("ReduceMean", name, w.ints(axes)))
    return w.add("Mul", off, _inverse_root(w, off, axes, eps, step.dtype))


@exports("nn.rms_normalize")
def _rms_normalize(w: Writer, step: Step) -> str:
    axes, eps = step.options(axes=None, eps=0.0)
    name = w.operand(step.operands[0], step.dtype)
    return w.add("Mul", name, _inverse_root(w, name, axes, eps, step.dtype))


def _inverse_root(w: Writer, x: str, axes: Any, eps: float, dtype: Any) -> str:
    """Return 1 / sqrt(mean(x²) + eps)."""
    mean = w.add("ReduceMean", w.add("Mul", x, x), w.ints(axes))
    return w.add("Reciprocal", w.add("Sqrt", w.add("Add", mean, w.operand(eps, dtype))))
