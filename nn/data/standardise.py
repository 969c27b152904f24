"""Standardise: mean 0 and standard deviation 1, by the training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

import autograd_np as ag
from nn.data.dataset import Dataset, dataset_of
from nn.errors import ShapeMismatchError, StateDictError

__all__ = ["Standardise"]

CHUNK = 2**22
"""How many numbers are looked at at once, so that a memory-mapped array is never in memory as a whole."""


class Standardise:
    """``(x - mean) / scale``, by the mean and the standard deviation of the samples it was fitted on.

    Fit it on the training part alone, and transform every part with it: then nothing of the test part is known before the test.

    Attributes
    ----------
    mean, scale : arrays of the shape of a sample, or None
        `scale` is 1 where all samples are equal, which become 0.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> standardise = nn.data.Standardise().fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    >>> standardise.transform(np.array([[1.0, 5.0], [4.0, 6.0]]))
    array([[-1.,  0.],
           [ 2.,  1.]])
    >>> standardise.inverse(np.array([[2.0, 1.0]]))
    array([[4., 6.]])
    """

    def __init__(self) -> None:
        self.mean: NDArray[Any] | None = None
        self.scale: NDArray[Any] | None = None

    def fit(self, data: Any, part: int = 0) -> Self:
        """Learn mean and scale, in one pass; return this object.

        The pass goes block by block, whose moments are combined: Chan, Golub and LeVeque (1983),
        https://doi.org/10.1080/00031305.1983.10483115, equation 2.1.

        Parameters
        ----------
        data : array of shape (samples, ...), Dataset, or tuple of arrays
            The training samples.
        part : int, default 0
            Which array of a dataset's batch: 0 for the inputs, -1 for the targets.

        Raises
        ------
        autograd_np.DataError
            If there is no sample, or a number is not finite or too large to square; the message names its place in the sample.
        """
        n, mean, squares = 0, np.zeros(()), np.zeros(())
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            for x in _chunks(data, part):
                m, mean_of_x = len(x), x.mean(axis=0, dtype=np.float64)
                delta = mean_of_x - mean
                squares = squares + np.square(x - mean_of_x).sum(axis=0) + np.square(delta) * (n * m / (n + m))
                mean = mean + delta * (m / (n + m))
                n += m
            if n == 0:
                raise ag.DataError("there are no samples to fit on")
            scale = np.sqrt(squares / n)
        wrong = np.argwhere(~np.isfinite(scale))
        if len(wrong):
            place = ", ".join(map(str, wrong[0])) or "the number"
            raise ag.DataError(f"feature {place} has a number that is not finite, or too large to square; fill it in, or rescale it")
        self.mean, self.scale = mean, np.where(scale > 0, scale, 1.0)
        return self

    def transform(self, x: Any) -> Any:
        """Return ``(x - mean) / scale``, in the dtype of `x` where that is a float's."""
        mean, scale = self._fitted(x)
        return (x - mean) / scale

    def inverse(self, x: Any) -> Any:
        """Return ``x * scale + mean``: what `transform` came from."""
        mean, scale = self._fitted(x)
        return x * scale + mean

    def _fitted(self, x: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        if self.mean is None or self.scale is None:
            raise ValueError("Standardise has not been fitted; call fit(training data), or load_state_dict")
        if np.shape(x)[max(0, np.ndim(x) - self.mean.ndim) :] != self.mean.shape:
            raise ShapeMismatchError(f"Standardise was fitted on samples of shape {self.mean.shape}, got an array of shape {np.shape(x)}")
        dtype = x.dtype if getattr(getattr(x, "dtype", None), "kind", "") == "f" else np.dtype(np.float64)
        return self.mean.astype(dtype), self.scale.astype(dtype)

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return mean and scale, for `nn.save`."""
        self._fitted(self.mean)
        assert self.mean is not None
        assert self.scale is not None
        return {"mean": self.mean.copy(), "scale": self.scale.copy()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over mean and scale.

        Raises
        ------
        StateDictError
            If there is anything else in the state, or their shapes differ.
        """
        found = {name: np.array(value, dtype=np.float64) for name, value in state_dict.items() if name in ("mean", "scale")}
        if len(found) < 2 or len(state_dict) > 2 or found["mean"].shape != found["scale"].shape:
            names = ", ".join(map(str, state_dict))
            raise StateDictError(f"the state for Standardise has {names or 'nothing'}; expected mean and scale, of one shape")
        self.mean, self.scale = found["mean"], found["scale"]

    def __repr__(self) -> str:
        return "Standardise()" if self.mean is None else f"Standardise(fitted on samples of shape {self.mean.shape})"


def _chunks(data: Any, part: int) -> Iterator[NDArray[Any]]:
    if isinstance(data, (Dataset, tuple)):
        data = dataset_of(data)
        for block in data.blocks():
            width = None
            start = 0
            while start < len(block):
                step = 256 if width is None else max(1, CHUNK // width)
                batch = data.batch(np.asarray(block[start : start + step]))
                x = np.asarray(batch[part] if isinstance(batch, tuple) else batch)
                width = max(1, x[0].size)
                start += step
                yield x
    else:
        x = np.asarray(data)
        if x.ndim == 0:
            raise ShapeMismatchError("Standardise takes samples, an array of shape (samples, ...); got shape ()")
        step = max(1, CHUNK // max(1, x[:1].size))
        yield from (x[start : start + step] for start in range(0, len(x), step))
