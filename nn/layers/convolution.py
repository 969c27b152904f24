"""Convolutional layers: inputs are (samples, channels, length) or (samples, channels, height, width)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from nn import functional as F  # noqa: N812
from nn import init as initialisers
from nn.functional.convolution import padded
from nn.functional.windows import an_axis_each, reach
from nn.layers.settings import positive
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "ConvTranspose1d", "ConvTranspose2d"]

MODES: dict[str, Any] = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
"""PyTorch's names of ways to pad, and NumPy's."""


class _Convolution(Module):
    """What all have in common: settings, and Parameters that are uniform within 1 / sqrt(fan_in), as in PyTorch."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        rng: initialisers.RNG,
        dtype: Any,
    ) -> None:
        name = type(self).__name__
        positive(self, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{name} got groups={groups}, which must divide in_channels={in_channels} and out_channels={out_channels}")
        if padding_mode not in MODES:
            raise ValueError(f"{name} got padding_mode={padding_mode!r}; expected one of {', '.join(MODES)}")
        self.in_channels, self.out_channels, self.groups = int(in_channels), int(out_channels), int(groups)
        self.kernel_size = an_axis_each(kernel_size, self.dims, f"{name}: kernel_size")
        self.stride = an_axis_each(stride, self.dims, f"{name}: stride")
        self.dilation = an_axis_each(dilation, self.dims, f"{name}: dilation")
        self.padding = padding if isinstance(padding, str) else an_axis_each(padding, self.dims, f"{name}: padding", least=0)
        self.padding_mode = padding_mode
        self._pads = padded(self.padding, self.kernel_size, self.stride, self.dilation, name)
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        generator = np.random.default_rng(rng)
        self.weight = initialisers.uniform_(Parameter(np.zeros(shape, dtype)), -bound, bound, rng=generator)
        self.bias = initialisers.uniform_(Parameter(np.zeros(out_channels, dtype)), -bound, bound, rng=generator) if bias else None

    def extra_repr(self) -> str:
        """Return the settings that are not the defaults."""
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        plain = {"padding": (0,) * self.dims, "dilation": (1,) * self.dims, "groups": 1, "padding_mode": "zeros"}
        others = [f", {name}={getattr(self, name)!r}" for name, value in plain.items() if getattr(self, name) != value]
        return text + "".join(others) + ("" if self.bias is not None else ", bias=False")


class _Conv(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, rng, dtype)

    def forward(self, x: Any) -> Any:
        """Return (samples, out_channels, ...), or without samples where the input is one sample."""
        how: dict[str, Any] = {"stride": self.stride, "dilation": self.dilation, "groups": self.groups}
        conv = F.conv1d if self.dims == 1 else F.conv2d
        if self.padding_mode == "zeros":
            return conv(x, self.weight, self.bias, padding=self.padding, **how)
        x = x if hasattr(x, "ndim") else np.asarray(x)
        pads = [(0, 0)] * (x.ndim - self.dims) + list(self._pads)
        return conv(np.pad(x, pads, MODES[self.padding_mode]), self.weight, self.bias, **how)


class Conv1d(_Conv):
    """Cross-correlation of signals with learned kernels; parameters as for `Conv2d`, with one axis.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Conv1d(2, 3, 5, padding="same", rng=0)(np.ones((4, 2, 10))).shape
    (4, 3, 10)
    """

    dims = 1


class Conv2d(_Conv):
    """Cross-correlation of images with learned kernels: `nn.functional.conv2d`.

    Parameters
    ----------
    in_channels, out_channels : int
        How many channels come in and out.
    kernel_size, stride, dilation : int or two of them
        Of the windows; see `nn.functional.conv2d`.
    padding : int, two of them, "valid" or "same"
        How many elements are put around the image.
    groups : int
        Groups of channels with kernels of their own; as many as channels for a depthwise convolution.
    bias : bool, default True
        Whether there is a bias.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What is put around the image.
    rng : Generator, int or None
        Where the numbers come from, uniform within 1 / sqrt(in_channels / groups x kernel elements); the weight is drawn first.
    dtype : floating dtype, default float64
        Of both Parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel height, kernel width)
    bias : Parameter of shape (out_channels,), or None

    Raises
    ------
    ValueError
        If a setting is out of its range.
    ShapeMismatchError
        When called with an input whose channels or size do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Conv2d(1, 6, 3, padding=1, rng=0)
    >>> layer
    Conv2d(1, 6, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
    >>> layer(np.ones((5, 1, 8, 8))).shape
    (5, 6, 8, 8)
    """

    dims = 2


class _ConvTranspose(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        if padding_mode != "zeros" or isinstance(padding, str):
            raise ValueError(f"{type(self).__name__} takes padding_mode='zeros' and integers as padding only, as in PyTorch")
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, rng, dtype)
        self.output_padding = an_axis_each(output_padding, self.dims, f"{type(self).__name__}: output_padding", least=0)

    def forward(self, x: Any, output_size: Any = None) -> Any:
        """Return (samples, out_channels, ...), or without samples where the input is one sample.

        Parameters
        ----------
        x : (samples, in_channels, ...) or (in_channels, ...)
        output_size : int or sequence of int, optional
            The size of the result, which takes the place of `output_padding`; a whole shape may be given.

        Raises
        ------
        ValueError
            If there is no such size.
        """
        conv = F.conv_transpose1d if self.dims == 1 else F.conv_transpose2d
        extra = self.output_padding if output_size is None else self._extra(x, output_size)
        return conv(x, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, x: Any, output_size: Any) -> tuple[int, ...]:
        """Return the output padding that gives a size."""
        sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,)
        wanted = an_axis_each(sizes[-self.dims :], self.dims, f"{type(self).__name__}: output_size")
        spans = reach(self.kernel_size, self.dilation)
        least = [(n - 1) * s - 2 * p + k for n, s, (p, _), k in zip(np.shape(x)[-self.dims :], self.stride, self._pads, spans, strict=True)]
        most = [n + max(s, d) - 1 for n, s, d in zip(least, self.stride, self.dilation, strict=True)]
        if any(not low <= n <= high for n, low, high in zip(wanted, least, most, strict=True)):
            ranges = " x ".join(f"{low} ... {high}" for low, high in zip(least, most, strict=True))
            raise ValueError(f"{type(self).__name__} got output_size={output_size}; of an input of shape {np.shape(x)} it makes {ranges}")
        return tuple(n - low for n, low in zip(wanted, least, strict=True))


class ConvTranspose1d(_ConvTranspose):
    """The transpose of a convolution of signals; parameters as for `ConvTranspose2d`, with one axis."""

    dims = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of a convolution of images, which makes them larger: `nn.functional.conv_transpose2d`.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation, rng, dtype
        As for `Conv2d`; stride and padding are those of the convolution that this is the transpose of.
    output_padding : int or two of them
        How much larger the result is at the end.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Parameter of shape (out_channels,), or None

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, rng=0)(np.ones((5, 4, 7, 7))).shape
    (5, 2, 14, 14)
    """

    dims = 2
