"""Normalisation layers; channels are axis 1."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nn import functional as F  # noqa: N812
from nn.errors import ShapeMismatchError
from nn.functional.normalization import by_batch, by_instance, followed
from nn.layers.settings import positive
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "LayerNorm", "RMSNorm"]


class _Running(Module):
    """Settings, Parameters and running statistics of a norm over channels."""

    axes: ClassVar[tuple[int, ...]]
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(self, num_features: int, eps: float, momentum: float | None, affine: bool, track: bool, dtype: Any) -> None:
        positive(self, num_features=num_features)
        self.num_features, self.eps, self.momentum = int(num_features), eps, momentum
        self.affine, self.track_running_stats = affine, track
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if track else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if track else None)
        self.register_buffer("num_batches_tracked", np.array(0) if track else None)

    def _checked(self, x: Any) -> Any:
        x = x if hasattr(x, "ndim") else np.asarray(x)
        if x.ndim not in self.axes or x.shape[1] != self.num_features:
            expected = " or ".join(f"{n} axes" for n in self.axes)
            raise ShapeMismatchError(
                f"{type(self).__name__}({self.num_features}) got an input of shape {x.shape}; expected {expected}, (samples, "
                f"{self.num_features}, ...)"
            )
        return x

    def _follow(self, mean: Any, var: Any, share: float) -> None:
        """Move the running statistics, if they are kept, towards those of a batch."""
        if self.training and self.track_running_stats:
            self.running_mean, self.running_var = followed(self.running_mean, mean, share), followed(self.running_var, var, share)

    def extra_repr(self) -> str:
        """Return the settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def forward(self, x: Any) -> Any:
        """Return the input, normalised by this batch in training, by the running statistics otherwise."""
        x = self._checked(x)
        if not self.training and self.track_running_stats:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        y, mean, var = by_batch(x, self.weight, self.bias, self.eps)
        if self.training and self.track_running_stats:
            self.num_batches_tracked = self.num_batches_tracked + 1
        share = self.momentum
        if share is None:
            share = 1 / float(self.num_batches_tracked) if self.track_running_stats else 0.0
        self._follow(mean, var, share)
        return y


class BatchNorm1d(_BatchNorm):
    """Normalisation of features (samples, channels), or of signals (samples, channels, length); see `BatchNorm2d`."""

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalisation of each channel of images over the batch: `nn.functional.batch_norm`.

    Parameters
    ----------
    num_features : int
        How many channels there are.
    eps : float
        Added to the variance.
    momentum : float or None
        The share of a batch in the running statistics; ``None`` for the mean over all batches.
    affine : bool, default True
        Whether there are `weight` and `bias`.
    track_running_stats : bool, default True
        Whether running statistics are kept, and used by `eval()`.
    dtype : floating dtype, default float64
        Of Parameters and statistics.

    Attributes
    ----------
    weight, bias : Parameter of shape (num_features,), or None
        Ones and zeros at first.
    running_mean, running_var : buffers of shape (num_features,), or None
    num_batches_tracked : buffer, an integer, or None

    Raises
    ------
    ShapeMismatchError
        When called with another number of axes or channels, or, in training, with a single number a channel.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.BatchNorm2d(3)
    >>> layer(np.ones((4, 3, 2, 2))).shape
    (4, 3, 2, 2)
    >>> layer.running_mean
    array([0.1, 0.1, 0.1])
    """

    axes = (4,)


class _InstanceNorm(_Running):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: Any = np.float64,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)

    def forward(self, x: Any) -> Any:
        """Return the input, each channel of each sample normalised."""
        x = x if hasattr(x, "ndim") else np.asarray(x)
        single = x.ndim == self.axes[0] - 1
        x = self._checked(x[None] if single else x)
        if not self.training and self.track_running_stats:
            y = F.instance_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, eps=self.eps)
        else:
            y, mean, var = by_instance(x, self.weight, self.bias, self.eps)
            self._follow(mean, var, self.momentum or 0.0)
        return y[0] if single else y


class InstanceNorm1d(_InstanceNorm):
    """Normalisation of each channel of each signal; parameters as for `BatchNorm2d`, without `affine` and statistics by default."""

    axes = (3,)


class InstanceNorm2d(_InstanceNorm):
    """Normalisation of each channel of each image; parameters as for `BatchNorm2d`, without `affine` and statistics by default."""

    axes = (4,)


class GroupNorm(Module):
    """Normalisation of groups of channels of each sample: `nn.functional.group_norm`.

    Parameters
    ----------
    num_groups, num_channels : int
        The first divides the second.
    eps : float
        Added to the variance.
    affine : bool, default True
        Whether there are `weight` and `bias`, one number a channel each.
    dtype : floating dtype, default float64
        Of both Parameters.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, dtype: Any = np.float64) -> None:
        positive(self, num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm got num_groups={num_groups}, which must divide num_channels={num_channels}")
        self.num_groups, self.num_channels, self.eps, self.affine = int(num_groups), int(num_channels), eps, affine
        self.weight = Parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype)) if affine else None

    def forward(self, x: Any) -> Any:
        """Return the input, each group of channels normalised."""
        x = x if hasattr(x, "ndim") else np.asarray(x)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ShapeMismatchError(
                f"GroupNorm of {self.num_channels} channels got an input of shape {x.shape}; expected (samples, {self.num_channels}, ...)"
            )
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


def _shape_of(layer: object, normalized_shape: Any) -> tuple[int, ...]:
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    positive(layer, **{f"normalized_shape[{i}]": n for i, n in enumerate(shape)})
    return tuple(int(n) for n in shape)


class LayerNorm(Module):
    """Normalisation over the last axes: `nn.functional.layer_norm`.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The axes to normalise over.
    eps : float
        Added to the variance.
    elementwise_affine, bias : bool, default True
        Whether there is a `weight`, and with it a `bias`, of that shape.
    dtype : floating dtype, default float64
        Of both Parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.LayerNorm(4)(np.arange(8.0).reshape(2, 4)).data.round(2)
    array([[-1.34, -0.45,  0.45,  1.34],
           [-1.34, -0.45,  0.45,  1.34]])
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = np.float64,
    ) -> None:
        self.normalized_shape, self.eps, self.elementwise_affine = _shape_of(self, normalized_shape), eps, elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """Return the input, its last axes normalised."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class RMSNorm(Module):
    """x / sqrt(mean(x²) + eps) over the last axes, times `weight`: `nn.functional.rms_norm`.

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The axes to normalise over.
    eps : float, optional
        By default the spacing of the input's dtype at 1.
    elementwise_affine : bool, default True
        Whether there is a `weight` of that shape.
    dtype : floating dtype, default float64
        Of the weight.
    """

    def __init__(
        self, normalized_shape: Any, eps: float | None = None, elementwise_affine: bool = True, *, dtype: Any = np.float64
    ) -> None:
        self.normalized_shape, self.eps, self.elementwise_affine = _shape_of(self, normalized_shape), eps, elementwise_affine
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """Return the input, divided by the root of the mean square of its last axes."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
