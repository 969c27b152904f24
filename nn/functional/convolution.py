"""Convolutions: the windows of the input become the columns of a matrix, and one product of matrices does the rest.

Three operations, each linear in both operands, are one another's derivatives, whatever the order: `correlate` (x, w → y),
`spread` (y, w → x), which is the transposed convolution, and `align` (x, y → w).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array
from nn.functional.examples import every, joined, parted
from nn.functional.windows import Sizes, an_axis_each, batched, meeting, reach

__all__ = ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "padded"]

Padding = tuple[tuple[int, int], ...]
"""How many zeros come before and after, for each axis; fewer than none after means that elements there are left out."""


# --- three operations -----------------------------------------------------------------------------


def _columns(x: Array, kernel: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Array:
    """Return the windows of x as columns: (groups, channels of a group x places in the kernel, samples x windows)."""
    n, c, *size = x.shape
    if any(low or high for low, high in padding):
        wide: Array = np.zeros((n, c, *(s + low + high for s, (low, high) in zip(size, padding, strict=True))), x.dtype)
        inside = tuple(slice(low, low + s + min(high, 0)) for s, (low, high) in zip(size, padding, strict=True))
        wide[(..., *inside)] = x[(..., *(slice(0, s + min(high, 0)) for s, (_, high) in zip(size, padding, strict=True)))]
        x = wide
    axes = tuple(range(2, x.ndim))
    windows: Array = sliding_window_view(x, reach(kernel, dilation), axes)
    windows = windows[(..., *(slice(None, None, s) for s in stride), *(slice(None, None, d) for d in dilation))]
    last = tuple(range(x.ndim, windows.ndim))
    columns = windows.transpose(1, *last, 0, *axes)
    return columns.reshape(groups, c // groups * math.prod(kernel), -1)


def _rows(y: Array, groups: int) -> Array:
    """Return y as (groups, channels of a group, samples x windows)."""
    return np.moveaxis(y, 1, 0).reshape(groups, y.shape[1] // groups, -1)


def _correlate(x: Array, w: Array, *, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Array:
    columns = _columns(x, w.shape[2:], stride, padding, dilation, groups)
    spans = zip(x.shape[2:], padding, reach(w.shape[2:], dilation), stride, strict=True)
    out = [(n + low + high - span) // s + 1 for n, (low, high), span, s in spans]
    y = np.matmul(w.reshape(groups, w.shape[0] // groups, -1), columns)
    return np.ascontiguousarray(np.moveaxis(y.reshape(w.shape[0], x.shape[0], *out), 0, 1))


def _spread(y: Array, w: Array, *, size: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Array:
    n, _, *out = y.shape
    kernel = w.shape[2:]
    weights = np.swapaxes(w.reshape(groups, w.shape[0] // groups, -1), 1, 2)
    columns = np.matmul(weights, _rows(y, groups)).reshape(groups * w.shape[1], *kernel, n, *out)
    x = np.zeros((n, groups * w.shape[1], *size), columns.dtype)
    low = tuple(p for p, _ in padding)
    places = np.ndindex(*kernel)
    for place, (of_x, of_y) in zip(places, meeting(size, tuple(out), kernel, stride, low, dilation), strict=True):
        x[of_x] += np.swapaxes(columns[(slice(None), *place)], 0, 1)[of_y]
    return x


def _align(x: Array, y: Array, *, kernel: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Array:
    columns = _columns(x, kernel, stride, padding, dilation, groups)
    w = np.matmul(_rows(y, groups), np.swapaxes(columns, 1, 2))
    return w.reshape(y.shape[1], x.shape[1] // groups, *kernel)


def _along(operation: Any) -> Any:
    """Return the tangent of an operation that is linear in both of its operands."""

    def jvp(tangents: Sequence[Array | None], _: Array, a: Array, b: Array, **how: Any) -> Array | None:
        by_a, by_b = tangents
        if by_a is None or by_b is None:
            return operation(by_a, b, **how) if by_a is not None else operation(a, by_b, **how)
        return operation(by_a, b, **how) + operation(a, by_b, **how)

    return jvp


def _of_examples(operation: Callable[[], Callable[..., Array]], *, into_weight: bool = False) -> Callable[..., Array]:
    """Return what an operation does on many examples: they are samples, or, where each has kernels of its own, groups of channels."""

    def many(count: int, batched: Sequence[bool], a: Array, b: Array, /, *, groups: int, **how: Any) -> Array:
        if not batched[1] and not into_weight:
            return parted(operation()(joined(a, 0), b, groups=groups, **how), 0, count)
        a, b = every(count, batched, (a, b))
        found = operation()(joined(a, 1), joined(b, 1 if into_weight else 0), groups=groups * count, **how)
        return parted(found, 0 if into_weight else 1, count)

    return many


correlate: Callable[..., Array] = ag.define(
    _correlate,
    vjp=[
        lambda g, _, x, w, **how: spread(g, w, size=x.shape[2:], **how),
        lambda g, _, x, w, **how: align(x, g, kernel=w.shape[2:], **how),
    ],
    jvp=lambda *known, **how: _along(correlate)(*known, **how),
    vmap=_of_examples(lambda: correlate),
    name="convolution",
)
spread: Callable[..., Array] = ag.define(
    _spread,
    vjp=[
        lambda g, _, _y, w, size, **how: correlate(g, w, **how),  # noqa: ARG005
        lambda g, _, y, w, size, **how: align(g, y, kernel=w.shape[2:], **how),  # noqa: ARG005
    ],
    jvp=lambda *known, **how: _along(spread)(*known, **how),
    vmap=_of_examples(lambda: spread),
    name="transposed_convolution",
)
align: Callable[..., Array] = ag.define(
    _align,
    vjp=[
        lambda g, _, x, y, kernel, **how: spread(y, g, size=x.shape[2:], **how),  # noqa: ARG005
        lambda g, _, x, _y, kernel, **how: correlate(x, g, **how),  # noqa: ARG005
    ],
    jvp=lambda *known, **how: _along(align)(*known, **how),
    vmap=_of_examples(lambda: align, into_weight=True),
    name="convolution_weight",
)


# --- PyTorch's functions --------------------------------------------------------------------------


def _checked(x: Array, weight: Array, bias: Array | None, channels: int, out: int, groups: int, dims: int, where: str) -> None:
    """Refuse what does not fit together; `channels` are those the weight takes, and `out` those it makes."""
    if weight.ndim != dims + 2:
        raise ShapeMismatchError(
            f"{where} got a weight of shape {weight.shape}; expected {dims + 2} axes, two of channels and the kernel's"
        )
    if weight.shape[0] % groups:
        raise ShapeMismatchError(f"{where} got groups={groups}, which does not divide the first axis of the weight's shape {weight.shape}")
    if x.shape[1] != channels:
        raise ShapeMismatchError(
            f"{where} got an input of shape {x.shape} with {x.shape[1]} channels; a weight of shape {weight.shape} with groups={groups} "
            f"takes {channels}: (samples, {channels}, {'length' if dims == 1 else 'height, width'})"
        )
    if bias is not None and bias.shape != (out,):
        raise ShapeMismatchError(f"{where} got a bias of shape {bias.shape}; expected one for each of the {out} channels that come out")


def padded(padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, where: str) -> Padding:
    """Return how many elements come before and after each axis: a number, one an axis, "valid" (none) or "same"."""
    dims = len(kernel)
    if padding == "valid":
        return ((0, 0),) * dims
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ValueError(f"{where} got padding='same' with stride={stride}; a result of the input's size needs stride 1")
        return tuple(((n - 1) // 2, n - 1 - (n - 1) // 2) for n in reach(kernel, dilation))
    return tuple((p, p) for p in an_axis_each(padding, dims, f"{where}: padding", least=0))


def _conv(x: Array, weight: Array, bias: Array | None, stride: Any, padding: Any, dilation: Any, groups: int, dims: int) -> Array:
    where = f"conv{dims}d"
    x, weight, bias = array(x), array(weight), None if bias is None else array(bias)
    x, single = batched(x, dims, where)
    (groups,) = an_axis_each(groups, 1, f"{where}: groups")
    _checked(
        x, weight, bias, groups * weight.shape[1] if weight.ndim > 1 else 0, weight.shape[0] if weight.ndim else 0, groups, dims, where
    )
    stride, dilation = (an_axis_each(v, dims, f"{where}: {name}") for v, name in ((stride, "stride"), (dilation, "dilation")))
    kernel = weight.shape[2:]
    pads = padded(padding, kernel, stride, dilation, where)
    spans = reach(kernel, dilation)
    if any(n + low + high < span for n, (low, high), span in zip(x.shape[2:], pads, spans, strict=True)):
        raise ShapeMismatchError(
            f"{where} got an input of shape {x.shape} with padding {pads}, smaller than its kernel {kernel}, which spans {spans}"
        )
    y = correlate(x, weight, stride=stride, padding=pads, dilation=dilation, groups=groups)
    y = y if bias is None else y + np.reshape(bias, (-1, *(1,) * dims))
    return y[0] if single else y


def _conv_transpose(
    x: Array, weight: Array, bias: Array | None, stride: Any, padding: Any, output_padding: Any, groups: int, dilation: Any, dims: int
) -> Array:
    where = f"conv_transpose{dims}d"
    x, weight, bias = array(x), array(weight), None if bias is None else array(bias)
    x, single = batched(x, dims, where)
    (groups,) = an_axis_each(groups, 1, f"{where}: groups")
    _checked(
        x, weight, bias, weight.shape[0] if weight.ndim else 0, groups * weight.shape[1] if weight.ndim > 1 else 0, groups, dims, where
    )
    stride, dilation = (an_axis_each(v, dims, f"{where}: {name}") for v, name in ((stride, "stride"), (dilation, "dilation")))
    low = an_axis_each(padding, dims, f"{where}: padding", least=0)
    extra = an_axis_each(output_padding, dims, f"{where}: output_padding", least=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(f"{where} got output_padding={extra}; it must be less than the stride {stride} or the dilation {dilation}")
    spans = reach(weight.shape[2:], dilation)
    size = tuple((n - 1) * s - 2 * p + k + e for n, s, p, k, e in zip(x.shape[2:], stride, low, spans, extra, strict=True))
    if any(n < 1 for n in size):
        raise ShapeMismatchError(f"{where} got an input of shape {x.shape} and padding {low}, which leaves a result of size {size}")
    pads = tuple((p, p - e) for p, e in zip(low, extra, strict=True))
    y = spread(x, weight, size=size, stride=stride, padding=pads, dilation=dilation, groups=groups)
    y = y if bias is None else y + np.reshape(bias, (-1, *(1,) * dims))
    return y[0] if single else y


def conv1d(
    input: Array,  # noqa: A002
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the cross-correlation of signals with kernels; parameters as for `conv2d`, with one axis."""
    return _conv(input, weight, bias, stride, padding, dilation, groups, 1)


def conv2d(
    input: Array,  # noqa: A002
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Array:
    """Return the cross-correlation of images with kernels.

    Parameters
    ----------
    input : (samples, channels, height, width) or (channels, height, width)
    weight : (channels out, channels / groups, kernel height, kernel width)
    bias : (channels out,), optional
    stride, dilation : int or two of them
        The step from window to window, and from element to element of a window.
    padding : int, two of them, "valid" or "same"
        Zeros around the image; "same" adds as many as give a result of its size (one more after than before, if odd).
    groups : int
        Into how many groups channels are divided, each with kernels of its own.

    Returns
    -------
    (samples, channels out, height out, width out)
        With height out = (height + 2 padding - dilation (kernel height - 1) - 1) // stride + 1.

    Raises
    ------
    ShapeMismatchError
        If channels do not fit, or the kernel is larger than the padded image.

    Notes
    -----
    Windows become columns of a matrix, so that one product of matrices computes all, and so do the gradients; the matrix has
    kernel height x kernel width times as many elements as the image, while it lives.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> nn.functional.conv2d(image, np.array([[[[1.0, 0.0], [0.0, -1.0]]]]))
    array([[[[-4., -4.],
             [-4., -4.]]]])
    """
    return _conv(input, weight, bias, stride, padding, dilation, groups, 2)


def conv_transpose1d(
    input: Array,  # noqa: A002
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """Return the transpose of `conv1d`; parameters as for `conv_transpose2d`, with one axis."""
    return _conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation, 1)


def conv_transpose2d(
    input: Array,  # noqa: A002
    weight: Array,
    bias: Array | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Array:
    """Return the transpose of `conv2d`: each element adds a kernel to the result.

    Parameters
    ----------
    input : (samples, channels, height, width) or (channels, height, width)
    weight : (channels, channels out / groups, kernel height, kernel width)
    bias : (channels out,), optional
    stride, padding, dilation, groups
        Those of the convolution that this is the transpose of.
    output_padding : int or two of them
        How much larger the result is at the end: several sizes have a convolution of one size, if it has a stride.

    Returns
    -------
    (samples, channels out, height out, width out)
        With height out = (height - 1) stride - 2 padding + dilation (kernel height - 1) + output_padding + 1.

    Raises
    ------
    ShapeMismatchError
        If channels do not fit, or nothing is left of the result.
    ValueError
        If `output_padding` is not less than stride or dilation.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.conv_transpose2d(np.array([[[[1.0, 2.0]]]]), np.array([[[[1.0, 10.0]]]]))
    array([[[[ 1., 12., 20.]]]])
    """
    return _conv_transpose(input, weight, bias, stride, padding, output_padding, groups, dilation, 2)
