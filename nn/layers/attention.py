"""Attention with several heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional as F  # noqa: N812
from nn import init as initialisers
from nn.errors import ShapeMismatchError
from nn.functional.attention import attended
from nn.layers.linear import Linear
from nn.layers.settings import positive
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads, each with queries, keys and values of its own: Vaswani et al. (2017), section 3.2.2.

    Parameters
    ----------
    embed_dim : int
        The features of queries and of the output.
    num_heads : int
        Divides `embed_dim`.
    dropout : float
        The probability with which a weight is dropped, in training.
    bias : bool, default True
        Whether the projections have biases.
    add_bias_kv, add_zero_attn : False
        Not covered.
    kdim, vdim : int, optional
        The features of keys and of values, by default `embed_dim`.
    batch_first : bool
        Whether inputs and outputs are (samples, length, features) instead of (length, samples, features).
    rng : Generator, int or None
        Where the numbers come from, and those of dropout.
    dtype : floating dtype, default float64
        Of all Parameters.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 embed_dim, embed_dim), or None
        Of queries, keys and values; where `kdim` or `vdim` differ, `q_proj_weight`, `k_proj_weight` and `v_proj_weight` instead.
    in_proj_bias : Parameter of shape (3 embed_dim,), or None
    out_proj : Linear

    Raises
    ------
    ShapeMismatchError
        When called with shapes that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x = np.ones((5, 7, 8))
    >>> output, weights = nn.MultiheadAttention(8, 2, batch_first=True, rng=0)(x, x, x)
    >>> output.shape, weights.shape
    ((5, 7, 8), (5, 7, 7))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        positive(self, embed_dim=embed_dim, num_heads=num_heads, kdim=kdim or embed_dim, vdim=vdim or embed_dim)
        for name, value in (("add_bias_kv", add_bias_kv), ("add_zero_attn", add_zero_attn)):
            if value:
                raise ValueError(f"MultiheadAttention({name}=True) is not covered; append a row to keys and values before the call")
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadAttention got num_heads={num_heads}, which must divide embed_dim={embed_dim}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"MultiheadAttention needs a probability dropout within [0, 1], got {dropout!r}")
        self.embed_dim, self.num_heads, self.head_dim = int(embed_dim), int(num_heads), int(embed_dim) // int(num_heads)
        self.kdim, self.vdim = int(kdim or embed_dim), int(vdim or embed_dim)
        self.dropout, self.batch_first = dropout, batch_first
        self.generator = np.random.default_rng(rng)
        together = self.kdim == self.vdim == self.embed_dim
        shapes = {
            "q_proj_weight": None if together else (embed_dim, embed_dim),
            "k_proj_weight": None if together else (embed_dim, self.kdim),
            "v_proj_weight": None if together else (embed_dim, self.vdim),
            "in_proj_weight": (3 * embed_dim, embed_dim) if together else None,
        }
        for name, shape in shapes.items():
            made = None if shape is None else initialisers.xavier_uniform_(Parameter(np.zeros(shape, dtype)), rng=self.generator)
            setattr(self, name, made)
        self.in_proj_bias = Parameter(np.zeros(3 * embed_dim, dtype)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias, bias_init=initialisers.zeros_, rng=self.generator, dtype=dtype)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """Return the output and the weights.

        Parameters
        ----------
        query : (queries, samples, embed_dim), (samples, queries, embed_dim) with `batch_first`, or (queries, embed_dim)
        key, value : likewise, (keys, samples, kdim) and (keys, samples, vdim)
        key_padding_mask : (samples, keys), or (keys,) of one sample
            Booleans, True where a key is left out, or numbers to add to the scores.
        need_weights : bool, default True
            Whether weights are returned, or None in their place.
        attn_mask : (queries, keys) or (samples x num_heads, queries, keys)
            Booleans, True where a key is left out, or numbers to add to the scores. A query without keys has weights of zero.
        average_attn_weights : bool, default True
            Whether weights are the mean over heads.
        is_causal : bool
            A hint that `attn_mask` is the causal one, which has to be there.

        Returns
        -------
        output : of the shape of `query`
        weights : (samples, queries, keys), (samples, num_heads, queries, keys), or None
            Without samples for one sample.
        """
        if is_causal and attn_mask is None:
            raise ValueError("MultiheadAttention(is_causal=True) is a hint about attn_mask, which has to be given: True above the diagonal")
        same = query is key is value
        query, key, value = (x if hasattr(x, "shape") else np.asarray(x) for x in (query, key, value))
        self._check(query, key, value)
        single = query.ndim == 2
        q, k, v = self._projected(query, key, value, same)
        if single:
            q, k, v = (np.expand_dims(x, 1) for x in (q, k, v))
        elif self.batch_first:
            q, k, v = (np.swapaxes(x, 0, 1) for x in (q, k, v))
        (target, samples, _), source = q.shape, k.shape[0]
        mask = self._mask(key_padding_mask, attn_mask, samples, target, source, q.dtype)
        q, k, v = (np.transpose(np.reshape(x, (x.shape[0], samples, self.num_heads, -1)), (1, 2, 0, 3)) for x in (q, k, v))
        y, weights = attended(q, k, v, mask, self.dropout if self.training else 0.0, None, self.generator)
        order = (0, 2, 1, 3) if self.batch_first and not single else (2, 0, 1, 3)
        y = np.transpose(y, order)
        y = self.out_proj(np.reshape(y, (*y.shape[:2], self.embed_dim)))
        weights = None if not need_weights else np.mean(weights, axis=1) if average_attn_weights else weights
        if single:
            return y[:, 0], None if weights is None else weights[0]
        return y, weights

    def _check(self, query: Any, key: Any, value: Any) -> None:
        sizes = (self.embed_dim, self.kdim, self.vdim)
        fits = all(x.ndim == query.ndim and x.ndim in (2, 3) and x.shape[-1] == n for x, n in zip((query, key, value), sizes, strict=True))
        if fits:
            samples = 0 if self.batch_first else 1
            fits = key.shape[:-1] == value.shape[:-1] and (query.ndim == 2 or query.shape[samples] == key.shape[samples])
        if not fits:
            order = "(samples, length" if self.batch_first else "(length, samples"
            raise ShapeMismatchError(
                f"MultiheadAttention got query {query.shape}, key {key.shape} and value {value.shape}; expected {order}, features) of "
                f"{', '.join(map(str, sizes))} features, or all three without samples, and as many keys as values"
            )

    def _projected(self, query: Any, key: Any, value: Any, same: bool) -> tuple[Any, Any, Any]:
        n, bias = self.embed_dim, self.in_proj_bias
        whole = getattr(self, "in_proj_weight")  # noqa: B009 (attributes made by name)
        if whole is not None and same:  # one product of matrices
            y = F.linear(query, whole, bias)
            return y[..., :n], y[..., n : 2 * n], y[..., 2 * n :]
        parts = [getattr(self, f"{x}_proj_weight") if whole is None else whole[i * n : (i + 1) * n] for i, x in enumerate("qkv")]
        biases = [None if bias is None else bias[i * n : (i + 1) * n] for i in range(3)]
        q, k, v = (F.linear(x, w, b) for x, w, b in zip((query, key, value), parts, biases, strict=True))
        return q, k, v

    def _mask(self, padding: Any, attn: Any, samples: int, target: int, source: int, dtype: Any) -> Any:
        """Return one mask for (samples, heads, queries, keys): booleans of what takes part, or numbers to add."""
        found: list[Any] = []
        for what, mask, shapes in (
            ("key_padding_mask", padding, {(samples, source): (samples, 1, 1, source), (source,): (1, 1, 1, source)}),
            (
                "attn_mask",
                attn,
                {
                    (target, source): (1, 1, target, source),
                    (samples * self.num_heads, target, source): (samples, self.num_heads, target, source),
                },
            ),
        ):
            if mask is None:
                continue
            mask = mask if hasattr(mask, "shape") else np.asarray(mask)
            if mask.shape not in shapes or mask.dtype.kind not in "bf":
                raise ShapeMismatchError(
                    f"MultiheadAttention got a {what} of shape {mask.shape} and dtype {mask.dtype}; expected booleans or floats of shape "
                    f"{' or '.join(map(str, shapes))}"
                )
            found.append(np.reshape(mask, shapes[mask.shape]))
        if not found:
            return None
        if all(mask.dtype.kind == "b" for mask in found):
            return np.logical_not(found[0] if len(found) == 1 else found[0] | found[1])
        numbers = [np.where(m, dtype.type(-np.inf), dtype.type(0)) if m.dtype.kind == "b" else m.astype(dtype) for m in found]
        return numbers[0] if len(numbers) == 1 else numbers[0] + numbers[1]

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}, dropout={self.dropout}, batch_first={self.batch_first}"
