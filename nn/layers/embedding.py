"""A table whose rows are learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional as F  # noqa: N812
from nn import init as initialisers
from nn.layers.settings import positive
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """The rows of `weight` that integers number: `nn.functional.embedding`.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many rows there are, and how long they are.
    padding_idx : int, optional
        The row that is zero at first and gets no gradient.
    max_norm, scale_grad_by_freq, sparse
        Not covered.
    rng : Generator, int or None
        Where the numbers come from, N(0, 1).
    dtype : floating dtype, default float64
        Of the weight.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import nn
    >>> nn.Embedding(10, 3, rng=0)([[1, 2], [3, 1]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        positive(self, num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        for name, value in (("max_norm", max_norm), ("scale_grad_by_freq", scale_grad_by_freq), ("sparse", sparse)):
            if value or (value == 0.0 and name == "max_norm"):
                raise ValueError(f"Embedding({name}={value!r}) is not covered; scale rows, or their gradients, before the optimiser's step")
        if norm_type != 2.0:
            raise ValueError("Embedding(norm_type=) belongs to max_norm, which is not covered")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding got padding_idx={padding_idx}, which is none of the {num_embeddings} rows")
        self.num_embeddings, self.embedding_dim = int(num_embeddings), int(embedding_dim)
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        values = np.random.default_rng(rng).normal(size=(num_embeddings, embedding_dim))
        if self.padding_idx is not None:
            values[self.padding_idx] = 0
        self.weight = Parameter(values.astype(dtype))

    def forward(self, x: Any) -> Any:
        """Return (*x.shape, embedding_dim) for integers x."""
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Return the sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
