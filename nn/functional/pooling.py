"""Pooling: the largest element, or the mean, of each window.

All go from place to place of the kernel, and treat all windows at once: no window is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array, floats
from nn.functional.examples import with_leading_axes
from nn.functional.windows import Sizes, an_axis_each, batched, meeting, reach

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "max_pool1d",
    "max_pool2d",
]


# --- the operations -------------------------------------------------------------------------------


Pairs = Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]


def _largest(x: Array, *, windows: Sizes, kernel: Sizes, stride: Sizes, low: Sizes, dilation: Sizes) -> Array:
    size = x.shape[-len(kernel) :]
    y = np.full((*x.shape[: -len(kernel)], *windows), -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min, x.dtype)
    for of_x, of_y in meeting(size, windows, kernel, stride, low, dilation):
        np.maximum(y[of_y], x[of_x], out=y[of_y])
    return y


def _firsts(x: Array, y: Array, pairs: Pairs) -> Iterator[tuple[Any, Any, Array]]:
    """Yield, place by place, indices of x and y, and where the largest element of a window stands there, for the first time."""
    waiting = np.ones(y.shape, bool)
    for of_x, of_y in pairs:
        here = (x[of_x] == y[of_y]) & waiting[of_y]
        waiting[of_y] ^= here
        yield of_x, of_y, here


def _route(g: Array, x: Array, y: Array, *, kernel: Sizes, stride: Sizes, low: Sizes, dilation: Sizes) -> Array:
    found = np.zeros(x.shape, g.dtype)
    dims = len(kernel)
    for of_x, of_y, here in _firsts(x, y, meeting(x.shape[-dims:], y.shape[-dims:], kernel, stride, low, dilation)):
        found[of_x] += g[of_y] * here
    return found


def _pick(t: Array, x: Array, y: Array, *, kernel: Sizes, stride: Sizes, low: Sizes, dilation: Sizes) -> Array:
    found = np.zeros(y.shape, t.dtype)
    dims = len(kernel)
    for of_x, of_y, here in _firsts(x, y, meeting(x.shape[-dims:], y.shape[-dims:], kernel, stride, low, dilation)):
        found[of_y] += t[of_x] * here
    return found


def _sum(x: Array, *, windows: Sizes, kernel: Sizes, stride: Sizes, low: Sizes, dilation: Sizes) -> Array:
    y = np.zeros((*x.shape[: -len(kernel)], *windows), x.dtype)
    for of_x, of_y in meeting(x.shape[-len(kernel) :], windows, kernel, stride, low, dilation):
        y[of_y] += x[of_x]
    return y


def _unsum(y: Array, *, size: Sizes, kernel: Sizes, stride: Sizes, low: Sizes, dilation: Sizes) -> Array:
    x = np.zeros((*y.shape[: -len(kernel)], *size), y.dtype)
    for of_x, of_y in meeting(size, y.shape[-len(kernel) :], kernel, stride, low, dilation):
        x[of_x] += y[of_y]
    return x


def _sizes(a: Array, how: dict[str, Any]) -> Sizes:
    return tuple(a.shape[-len(how["kernel"]) :])


route: Callable[..., Array] = ag.define(
    _route,
    vjp=[lambda g, _, _g, x, y, **how: pick(g, x, y, **how), None, None],
    jvp=lambda t, _, _g, x, y, **how: route(t[0], x, y, **how),
    vmap=with_leading_axes(lambda: route),
)
"""The transpose of `pick`: cotangents go to the first of the largest elements, as in PyTorch."""

pick: Callable[..., Array] = ag.define(
    _pick,
    vjp=[lambda g, _, _t, x, y, **how: route(g, x, y, **how), None, None],
    jvp=lambda t, _, _t, x, y, **how: pick(t[0], x, y, **how),
    vmap=with_leading_axes(lambda: pick),
)
"""What stands where the first of the largest elements of x does, y, in each window."""

largest: Callable[..., Array] = ag.define(
    _largest,
    vjp=lambda g, y, x, windows, **how: route(g, x, y, **how),  # noqa: ARG005
    jvp=lambda t, y, x, windows, **how: pick(t[0], x, y, **how),  # noqa: ARG005
    vmap=with_leading_axes(lambda: largest),
    name="max_pool",
)

window_sum: Callable[..., Array] = ag.define(
    _sum,
    vjp=lambda g, _, x, windows, **how: unsum(g, size=_sizes(x, how), **how),  # noqa: ARG005
    jvp=lambda t, _, _x, **how: window_sum(t[0], **how),
    vmap=with_leading_axes(lambda: window_sum),
    name="sum_pool",
)

unsum: Callable[..., Array] = ag.define(
    _unsum,
    vjp=lambda g, _, y, size, **how: window_sum(g, windows=_sizes(y, how), **how),  # noqa: ARG005
    jvp=lambda t, _, _y, **how: unsum(t[0], **how),
    vmap=with_leading_axes(lambda: unsum),
)


# --- sizes ----------------------------------------------------------------------------------------


def _settings(x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, dims: int, where: str) -> dict[str, Sizes]:
    """Return the settings as a number an axis, and how many windows there are."""
    kernel = an_axis_each(kernel, dims, f"{where}: kernel_size")
    stride = kernel if stride is None or stride == () else an_axis_each(stride, dims, f"{where}: stride")
    low = an_axis_each(padding, dims, f"{where}: padding", least=0)
    dilation = an_axis_each(dilation, dims, f"{where}: dilation")
    spans = reach(kernel, dilation)
    if any(2 * p > k for p, k in zip(low, spans, strict=True)):
        raise ValueError(f"{where} got padding={low}, more than half of the kernel, which spans {spans}: a window would hold padding alone")
    out = []
    for n, k, s, p in zip(x.shape[-dims:], spans, stride, low, strict=True):
        count = (n + 2 * p - k + (s - 1 if ceil_mode else 0)) // s + 1
        out.append(count - 1 if ceil_mode and (count - 1) * s >= n + p else count)  # the last one has to start before what is after
    if any(m < 1 for m in out):
        raise ShapeMismatchError(f"{where} got an input of shape {x.shape}, smaller than its kernel, which spans {spans}; padding is {low}")
    return {"windows": tuple(out), "kernel": kernel, "stride": stride, "low": low, "dilation": dilation}


def _max_pool(x: Array, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, return_indices: bool, dims: int) -> Array:
    where = f"max_pool{dims}d"
    if return_indices:
        raise ValueError(f"{where}(return_indices=True) is not covered; np.argmax over windows of sliding_window_view tells the places")
    x, single = batched(array(x), dims, where)
    y = largest(x, **_settings(x, kernel, stride, padding, dilation, ceil_mode, dims, where))
    return y[0] if single else y


def _avg_pool(
    x: Array, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool, divisor: int | None, dims: int
) -> Array:
    where = f"avg_pool{dims}d"
    x, single = batched(floats(x), dims, where)
    how = _settings(x, kernel, stride, padding, 1, ceil_mode, dims, where)
    counts: Any = 1.0
    for n, m, k, s, p in zip(x.shape[-dims:], how["windows"], how["kernel"], how["stride"], how["low"], strict=True):
        first = np.arange(m) * s - p
        last = np.minimum(first + k, n + p)
        number = last - first if count_include_pad else np.minimum(last, n) - np.maximum(first, 0)
        counts = np.multiply.outer(counts, number)
    if divisor is not None:
        if divisor == 0:
            raise ValueError(f"{where} got divisor_override=0")
        counts = np.asarray(float(divisor))
    counts = counts.flat[0] if np.all(counts == counts.flat[0]) else counts
    y = window_sum(x, **how) / np.asarray(counts, x.dtype if x.dtype.kind == "f" else float)
    return y[0] if single else y


def _adaptive(x: Array, output_size: Any, dims: int, where: str, pool: Callable[..., Array]) -> Array:
    """Pool each axis for itself, in as many windows as asked for: from floor(i n / m) to ceil((i + 1) n / m).

    The last axis comes first, so that the first of several largest elements is the first in memory.
    """
    x, single = batched(array(x), dims, where)
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    size = x.shape[-dims:]
    if len(wanted) != dims:
        raise ValueError(f"{where} got output_size={output_size!r}; expected a number, or None to keep the axis, for {dims} axes")
    wanted = an_axis_each(tuple(n if m is None else m for n, m in zip(size, wanted, strict=True)), dims, f"{where}: output_size")
    for i, (n, m) in reversed(list(enumerate(zip(size, wanted, strict=True)))):
        axis = x.ndim - dims + i

        def along(part: Array, k: int, i: int = i) -> Array:
            return pool(part, tuple(k if j == i else 1 for j in range(dims)))

        if n and n % m == 0:
            x = along(x, n // m) if n > m else x
            continue
        bounds = [(j * n // m, -(-(j + 1) * n // m)) for j in range(m)]
        parts = [along(x[(slice(None),) * axis + (slice(a, b),)], b - a) for a, b in bounds]
        x = np.concatenate(parts, axis=axis)
    return x[0] if single else x


# --- PyTorch's functions --------------------------------------------------------------------------


def max_pool1d(
    input: Array,  # noqa: A002
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:
    """Return the largest element of each window of signals; parameters as for `max_pool2d`, with one axis."""
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 1)


def max_pool2d(
    input: Array,  # noqa: A002
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Array:
    """Return the largest element of each window of images.

    Parameters
    ----------
    input : (samples, channels, height, width) or (channels, height, width)
    kernel_size : int or two of them
        The size of a window.
    stride : int or two of them, optional
        The step from window to window; by default its size.
    padding : int or two of them
        Around the image, never chosen; at most half of the kernel.
    dilation : int or two of them
        The step from element to element of a window.
    ceil_mode : bool
        Whether a last window that is not whole counts.
    return_indices : False
        Not covered.

    Returns
    -------
    (samples, channels, height out, width out)

    Raises
    ------
    ShapeMismatchError
        If the image is smaller than a window.

    Notes
    -----
    The gradient goes to the first of several largest elements, as in PyTorch.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    return _max_pool(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices, 2)


def avg_pool1d(
    input: Array,  # noqa: A002
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Array:
    """Return the mean of each window of signals; parameters as for `avg_pool2d`, with one axis."""
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, None, 1)


def avg_pool2d(
    input: Array,  # noqa: A002
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """Return the mean of each window of images.

    Parameters
    ----------
    input, kernel_size, stride, padding, ceil_mode
        As for `max_pool2d`; padding is zeros.
    count_include_pad : bool, default True
        Whether the zeros of the padding count in the mean.
    divisor_override : int, optional
        What to divide the sum of a window by instead of the number of its elements.

    Returns
    -------
    (samples, channels, height out, width out)

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2)


def adaptive_avg_pool1d(input: Array, output_size: Any) -> Array:  # noqa: A002
    """Return the means of `output_size` windows, which cover signals of any length."""
    return _adaptive(input, output_size, 1, "adaptive_avg_pool1d", avg_pool1d)


def adaptive_avg_pool2d(input: Array, output_size: Any) -> Array:  # noqa: A002
    """Return the means of windows that cover images of any size, as many as asked for.

    Parameters
    ----------
    input : (samples, channels, height, width) or (channels, height, width)
    output_size : int or two of them
        How many windows along each axis; ``None`` keeps an axis. Window i of m along n elements goes from
        floor(i n / m) to ceil((i + 1) n / m).

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.adaptive_avg_pool2d(np.arange(6.0).reshape(1, 1, 2, 3), (1, 2))
    array([[[[2., 3.]]]])
    """
    return _adaptive(input, output_size, 2, "adaptive_avg_pool2d", avg_pool2d)


def adaptive_max_pool1d(input: Array, output_size: Any) -> Array:  # noqa: A002
    """Return the largest elements of `output_size` windows, which cover signals of any length."""
    return _adaptive(input, output_size, 1, "adaptive_max_pool1d", max_pool1d)


def adaptive_max_pool2d(input: Array, output_size: Any) -> Array:  # noqa: A002
    """Return the largest elements of windows that cover images of any size; parameters as for `adaptive_avg_pool2d`."""
    return _adaptive(input, output_size, 2, "adaptive_max_pool2d", max_pool2d)
