"""Pooling layers: inputs are (samples, channels, length) or (samples, channels, height, width)."""

from __future__ import annotations

from typing import Any, ClassVar

from nn import functional as F  # noqa: N812
from nn.module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "MaxPool1d",
    "MaxPool2d",
]


class _MaxPool(Module):
    dims: ClassVar[int]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        if return_indices:
            raise ValueError(f"{type(self).__name__}(return_indices=True) is not covered; leave it out")
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, x: Any) -> Any:
        """Return the largest element of each window."""
        pool = F.max_pool1d if self.dims == 1 else F.max_pool2d
        return pool(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def extra_repr(self) -> str:
        """Return the settings."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest element of each window of signals; parameters as for `nn.functional.max_pool1d`."""

    dims = 1


class MaxPool2d(_MaxPool):
    """The largest element of each window of images; parameters as for `nn.functional.max_pool2d`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.MaxPool2d(2)(np.ones((5, 3, 8, 8))).shape
    (5, 3, 4, 4)
    """

    dims = 2


class _AvgPool(Module):
    def extra_repr(self) -> str:
        """Return the settings."""
        return ", ".join(f"{name}={value}" for name, value in vars(self).items() if name in _AVG_SETTINGS and value is not None)


_AVG_SETTINGS = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override")


class AvgPool1d(_AvgPool):
    """The mean of each window of signals; parameters as for `nn.functional.avg_pool1d`."""

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False, count_include_pad: bool = True
    ) -> None:
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad

    def forward(self, x: Any) -> Any:
        """Return the mean of each window."""
        return F.avg_pool1d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPool):
    """The mean of each window of images; parameters as for `nn.functional.avg_pool2d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode, self.count_include_pad = padding, ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        """Return the mean of each window."""
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override)


class _AdaptivePool(Module):
    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def extra_repr(self) -> str:
        """Return the size of the result."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """The means of `output_size` windows, which cover signals of any length."""

    def forward(self, x: Any) -> Any:
        """Return the mean of each window."""
        return F.adaptive_avg_pool1d(x, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """The means of windows that cover images of any size, as many as asked for; 1 for the mean of all.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.AdaptiveAvgPool2d((1, None))(np.ones((5, 3, 8, 7))).shape
    (5, 3, 1, 7)
    """

    def forward(self, x: Any) -> Any:
        """Return the mean of each window."""
        return F.adaptive_avg_pool2d(x, self.output_size)


class AdaptiveMaxPool1d(_AdaptivePool):
    """The largest elements of `output_size` windows, which cover signals of any length."""

    def forward(self, x: Any) -> Any:
        """Return the largest element of each window."""
        return F.adaptive_max_pool1d(x, self.output_size)


class AdaptiveMaxPool2d(_AdaptivePool):
    """The largest elements of windows that cover images of any size, as many as asked for."""

    def forward(self, x: Any) -> Any:
        """Return the largest element of each window."""
        return F.adaptive_max_pool2d(x, self.output_size)
