"""What other libraries ask an array: its namespace (the Array API standard), another device, its memory (DLPack).

The namespace itself is a floor below, and imported when somebody asks for it. All are attached to Tensor. Nothing that computes
or records may live here.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

from autograd_np.ndarray_methods import attach
from autograd_np.tensor import Tensor, value_of

__all__: list[str] = []

_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")


def __array_namespace__(self: Tensor, /, *, api_version: str | None = None) -> ModuleType:  # noqa: ARG001, N807 (attached below)
    """Return the functions of the Array API standard for Tensors, `autograd_np.array_api`.

    Parameters
    ----------
    api_version : str, optional
        A version of the standard, ``"2024.12"`` or an older one.

    Returns
    -------
    module

    Raises
    ------
    ValueError
        If there is no such version, or it is newer.

    Examples
    --------
    >>> import autograd_np as ag
    >>> x = ag.Tensor([1.0, 2.0])
    >>> xp = x.__array_namespace__()
    >>> xp.sum(x * xp.arange(2))
    Tensor(np.float64(2.0))
    """
    if api_version is not None and api_version not in _VERSIONS:
        raise ValueError(f"Tensors speak the Array API standard in the versions {', '.join(_VERSIONS)}, got {api_version!r}")
    from autograd_np import array_api

    return array_api


def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """Return this Tensor, if it is on the device already.

    Raises
    ------
    ValueError
        For another device: a Tensor does not move its array.
    """
    if device != self.device or stream is not None:
        raise ValueError(f"this Tensor is on the device {self.device!r}, and its gradient would not follow it to {device!r}")
    return self


def __dlpack__(  # noqa: N807 (attached below)
    self: Tensor, /, *, stream: Any = None, max_version: tuple[int, int] | None = None, dl_device: Any = None, copy: bool | None = None
) -> Any:
    """Hand out the memory of a constant, as NumPy does; the values of one with a gradient are refused, as in ``np.asarray``."""
    options = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}  # which NumPy 2.0 does not know
    return np.asarray(self).__dlpack__(**{k: v for k, v in options.items() if v is not None})


def __dlpack_device__(self: Tensor, /) -> Any:  # noqa: N807 (attached below)
    """Return the type and number of the device, as DLPack numbers them."""
    value = value_of(self)
    return (np.asarray(value) if isinstance(value, np.generic) else value).__dlpack_device__()


attach(__array_namespace__, to_device, __dlpack__, __dlpack_device__)
