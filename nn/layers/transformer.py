"""The encoder of a transformer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from nn import functional as F  # noqa: N812
from nn.init import RNG
from nn.layers.attention import MultiheadAttention
from nn.layers.containers import ModuleList
from nn.layers.dropout import Dropout
from nn.layers.linear import Linear
from nn.layers.normalization import LayerNorm
from nn.module import Module

__all__ = ["TransformerEncoder", "TransformerEncoderLayer"]

ACTIVATIONS: dict[str, Callable[..., Any]] = {"relu": F.relu, "gelu": F.gelu}


class TransformerEncoderLayer(Module):
    """Attention of a sequence to itself, and a network for each place, each with a shortcut and a norm: Vaswani et al. (2017).

    Parameters
    ----------
    d_model, nhead : int
        The features, and into how many heads they are divided.
    dim_feedforward : int
        The features in the middle of the network.
    dropout : float
        A probability, of all dropout inside.
    activation : {"relu", "gelu"} or callable
        Between the two layers of the network.
    layer_norm_eps : float
        Added to variances.
    batch_first : bool
        Whether inputs and outputs are (samples, length, features) instead of (length, samples, features).
    norm_first : bool
        Whether norms come before attention and network instead of after the shortcuts.
    bias : bool, default True
        Whether Linears and norms have biases.
    rng : Generator, int or None
        Where the numbers come from, and those of dropout.
    dtype : floating dtype, default float64
        Of all Parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True, rng=0)(np.ones((5, 7, 8))).shape
    (5, 7, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        *,
        rng: RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        if not callable(activation) and activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r} is not known; expected 'relu', 'gelu' or a function")
        generator = np.random.default_rng(rng)
        self.norm_first = norm_first
        self.activation = activation
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, rng=generator, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, bias, rng=generator, dtype=dtype)
        self.dropout = Dropout(dropout, rng=generator)
        self.linear2 = Linear(dim_feedforward, d_model, bias, rng=generator, dtype=dtype)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
        self.dropout1 = Dropout(dropout, rng=generator)
        self.dropout2 = Dropout(dropout, rng=generator)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Return the sequence, each place changed by what it attends to.

        Parameters
        ----------
        src : (length, samples, d_model), (samples, length, d_model) with `batch_first`, or (length, d_model)
        src_mask : (length, length) or (samples x nhead, length, length), optional
            As `attn_mask` of `MultiheadAttention`.
        src_key_padding_mask : (samples, length), optional
            As `key_padding_mask` there.
        is_causal : bool
            A hint that `src_mask` is the causal one.
        """
        x = src if hasattr(src, "shape") else np.asarray(src)
        if self.norm_first:
            x = x + self._attended(self.norm1(x), src_mask, src_key_padding_mask, is_causal)
            return x + self._transformed(self.norm2(x))
        x = self.norm1(x + self._attended(x, src_mask, src_key_padding_mask, is_causal))
        return self.norm2(x + self._transformed(x))

    def _attended(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        return self.dropout1(self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0])

    def _transformed(self, x: Any) -> Any:
        activation = self.activation if callable(self.activation) else ACTIVATIONS[self.activation]
        return self.dropout2(self.linear2(self.dropout(activation(self.linear1(x)))))


class TransformerEncoder(Module):
    """Several layers, one after another.

    Parameters
    ----------
    encoder_layer : TransformerEncoderLayer
        Copied; all layers start from its Parameters, as in PyTorch, and draw from its generator.
    num_layers : int
        How many layers there are.
    norm : Module, optional
        Applied at the end.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, rng=0)
    >>> nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))(np.ones((7, 5, 8))).shape
    (7, 5, 8)
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        generators = [g for m in encoder_layer.modules() if isinstance(g := getattr(m, "generator", None), np.random.Generator)]
        self.layers = ModuleList(copy.deepcopy(encoder_layer, {id(g): g for g in generators}) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False) -> Any:
        """Return the sequence behind the last layer; parameters as for `TransformerEncoderLayer`."""
        for layer in self.layers:
            src = layer(src, mask, src_key_padding_mask, is_causal)
        return src if self.norm is None else self.norm(src)
