"""A small real data set, which comes with a package that has it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from nn.errors import MissingExtraError

__all__ = ["digits"]


def digits(*, images: bool = False, dtype: DTypeLike = np.float64) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return scikit-learn's handwritten digits: 1797 of 8 x 8 pixels, from the test part of NIST's, by Alpaydin and Kaynak (1998).

    Nothing is downloaded; scikit-learn has them (extra ``sklearn``).

    Parameters
    ----------
    images : bool, default False
        Keep the pixels in place, with an axis for the one channel, as convolutions take them.
    dtype : dtype, default float64
        Of the pixels.

    Returns
    -------
    x : array of shape (1797, 64), or (1797, 1, 8, 8)
        From 0 to 1, in 16 steps.
    y : array of shape (1797,), int64
        Which digit.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.

    Examples
    --------
    >>> import nn
    >>> x, y = nn.data.digits()
    >>> train, test = nn.data.random_split(nn.data.TensorDataset(x, y), [0.8, 0.2], rng=0)
    >>> len(train), len(test)
    (1438, 359)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtraError(
            "digits() takes its data from scikit-learn, which is not installed; run pip install 'autograd-np[sklearn]'"
        ) from None
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(dtype)
    return x.reshape(-1, 1, 8, 8) if images else x, y.astype(np.int64)
