"""Recurrent layers: inputs are (steps, samples, features), or (samples, steps, features) with `batch_first`."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

import numpy as np

from nn import functional as F  # noqa: N812
from nn import init as initialisers
from nn.errors import ShapeMismatchError
from nn.layers.settings import positive
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


class _Recurrent(Module):
    """What all have in common: Parameters of each layer and direction, uniform within 1 / sqrt(hidden_size), as in PyTorch."""

    gates: ClassVar[int]
    states: ClassVar[int] = 1

    def _make(self, name: str, shape: tuple[int, ...], hidden: int, generator: np.random.Generator, dtype: Any) -> None:
        bound = 1 / math.sqrt(hidden)
        setattr(self, name, initialisers.uniform_(Parameter(np.zeros(shape, dtype)), -bound, bound, rng=generator))

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        """Return the states of all steps, and the last ones, of one layer in one direction."""
        raise NotImplementedError


class _Layers(_Recurrent):
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        name = type(self).__name__
        positive(self, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        if proj_size:
            raise ValueError(f"{name}(proj_size={proj_size}) is not covered; put a Linear behind the layer")
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name} needs a probability dropout within [0, 1], got {dropout!r}")
        if dropout and num_layers == 1:
            warnings.warn(f"{name}(dropout={dropout}) drops between layers, and there is one layer", stacklevel=2)
        self.input_size, self.hidden_size, self.num_layers = int(input_size), int(hidden_size), int(num_layers)
        self.bias, self.batch_first, self.dropout, self.bidirectional = bias, batch_first, dropout, bidirectional
        self.generator = np.random.default_rng(rng)
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            features = input_size if layer == 0 else hidden_size * (1 + bidirectional)
            for end in self._ends(layer):
                self._make(f"weight_ih_{end}", (rows, features), hidden_size, self.generator, dtype)
                self._make(f"weight_hh_{end}", (rows, hidden_size), hidden_size, self.generator, dtype)
                if bias:
                    self._make(f"bias_ih_{end}", (rows,), hidden_size, self.generator, dtype)
                    self._make(f"bias_hh_{end}", (rows,), hidden_size, self.generator, dtype)

    def _ends(self, layer: int) -> list[str]:
        return [f"l{layer}", f"l{layer}_reverse"] if self.bidirectional else [f"l{layer}"]

    def _started(self, x: Any, hx: Any, single: bool) -> tuple[Any, ...]:
        """Return the first states of all layers and directions, zeros by default."""
        count = self.num_layers * (1 + self.bidirectional)
        shape = (count, x.shape[1], self.hidden_size)
        if hx is None:
            return (np.zeros(shape, getattr(self, "weight_hh_l0").dtype),) * self.states  # noqa: B009 (an attribute made by name)
        given = (hx,) if self.states == 1 else tuple(hx)
        given = tuple(h if hasattr(h, "shape") else np.asarray(h) for h in given)
        given = tuple(np.expand_dims(h, 1) for h in given) if single else given
        if len(given) != self.states or any(h.shape != shape for h in given):
            raise ShapeMismatchError(
                f"{type(self).__name__} got first states of shapes {', '.join(str(h.shape) for h in given)}; expected {self.states} of "
                f"shape {shape}, (layers x directions, samples, hidden)"
            )
        return given

    def forward(self, x: Any, hx: Any = None) -> tuple[Any, Any]:
        """Return the states of the last layer at all steps, and the last states of all layers and directions.

        Parameters
        ----------
        x : (steps, samples, input_size), (samples, steps, input_size) with `batch_first`, or (steps, input_size)
        hx : (num_layers x directions, samples, hidden_size), optional
            The first states; for an LSTM a pair (h, c) of them.

        Returns
        -------
        output : (steps, samples, directions x hidden_size)
            In the order of axes that `x` has.
        h_n : of the shape of `hx`
            For an LSTM a pair (h_n, c_n).
        """
        x = x if hasattr(x, "shape") else np.asarray(x)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size or not x.shape[1 if x.ndim == 3 and self.batch_first else 0]:
            order = "(samples, steps" if self.batch_first else "(steps, samples"
            raise ShapeMismatchError(
                f"{type(self).__name__}({self.input_size}, {self.hidden_size}) got an input of shape {x.shape}; expected {order}, "
                f"{self.input_size}) or (steps, {self.input_size}), with a step at least"
            )
        single = x.ndim == 2
        x = np.expand_dims(x, 1) if single else np.swapaxes(x, 0, 1) if self.batch_first else x
        first = self._started(x, hx, single)
        last: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = F.dropout(x, self.dropout, self.training, rng=self.generator)
            ways = []
            for way, end in enumerate(self._ends(layer)):
                names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if self.bias else ("weight_ih", "weight_hh")
                begin = tuple(h[len(last)] for h in first)
                y, final = self._step(x, begin, [getattr(self, f"{name}_{end}") for name in names], reverse=way == 1)
                ways.append(y)
                last.append(final)
            x = np.concatenate(ways, axis=-1) if self.bidirectional else ways[0]
        ends = tuple(np.stack(list(h)) for h in zip(*last, strict=True))
        if single:
            x, ends = x[:, 0], tuple(h[:, 0] for h in ends)
        elif self.batch_first:
            x = np.swapaxes(x, 0, 1)
        return x, ends[0] if self.states == 1 else ends

    def extra_repr(self) -> str:
        """Return the settings that are not the defaults."""
        plain = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False}
        others = [f", {name}={getattr(self, name)}" for name, value in plain.items() if getattr(self, name) != value]
        return f"{self.input_size}, {self.hidden_size}" + "".join(others)


class RNN(_Layers):
    """Layers of h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh): `nn.functional.rnn`.

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of an input and of a state.
    num_layers : int
        Each further layer reads the states of the one below.
    nonlinearity : {"tanh", "relu"}
    bias : bool, default True
        Whether there are biases.
    batch_first : bool
        Whether inputs and outputs are (samples, steps, features); states never are.
    dropout : float
        The probability with which a layer's input from the layer below is dropped, in training.
    bidirectional : bool
        Whether each layer also goes through the steps from last to first; both outputs are put side by side.
    rng : Generator, int or None
        Where the numbers come from, uniform within 1 / sqrt(hidden_size), and those of dropout.
    dtype : floating dtype, default float64
        Of all Parameters.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Parameter
        And so on: ``l1`` of the second layer, ``l0_reverse`` of the other direction.

    Raises
    ------
    ShapeMismatchError
        When called with shapes that do not fit, or without a step.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> output, h_n = nn.RNN(3, 4, num_layers=2, rng=0)(np.ones((7, 5, 3)))
    >>> output.shape, h_n.shape
    ((7, 5, 4), (2, 5, 4))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity={nonlinearity!r} is not known; expected 'tanh' or 'relu'")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, rng=rng, dtype=dtype)

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        y, h = F.rnn(x, hx[0], *parameters, nonlinearity=self.nonlinearity, reverse=reverse)
        return y, (h,)


class LSTM(_Layers):
    """Layers of long short-term memory: `nn.functional.lstm`. Parameters as for `RNN`, but for the nonlinearity.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.LSTM(3, 4, bidirectional=True, batch_first=True, rng=0)
    >>> output, (h_n, c_n) = layer(np.ones((5, 7, 3)))
    >>> output.shape, h_n.shape, c_n.shape
    ((5, 7, 8), (2, 5, 4), (2, 5, 4))
    """

    gates = 4
    states = 2

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        return F.lstm(x, (hx[0], hx[1]), *parameters, reverse=reverse)


class GRU(_Layers):
    """Layers of gated recurrent units: `nn.functional.gru`. Parameters as for `RNN`, but for the nonlinearity."""

    gates = 3

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        y, h = F.gru(x, hx[0], *parameters, reverse=reverse)
        return y, (h,)


# --- one step -------------------------------------------------------------------------------------


class _Cell(_Recurrent):
    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, rng: initialisers.RNG = None, dtype: Any = np.float64
    ) -> None:
        positive(self, input_size=input_size, hidden_size=hidden_size)
        self.input_size, self.hidden_size, self.bias = int(input_size), int(hidden_size), bias
        generator = np.random.default_rng(rng)
        rows = self.gates * hidden_size
        self._make("weight_ih", (rows, input_size), hidden_size, generator, dtype)
        self._make("weight_hh", (rows, hidden_size), hidden_size, generator, dtype)
        for name in ("bias_ih", "bias_hh"):
            if bias:
                self._make(name, (rows,), hidden_size, generator, dtype)
            else:
                setattr(self, name, None)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """Return the next state, for an LSTM a pair (h, c).

        Parameters
        ----------
        x : (samples, input_size) or (input_size,)
        hx : (samples, hidden_size) or (hidden_size,), optional
            The state, zeros by default; for an LSTM a pair of them.
        """
        x = x if hasattr(x, "shape") else np.asarray(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ShapeMismatchError(
                f"{type(self).__name__}({self.input_size}, {self.hidden_size}) got an input of shape {x.shape}; expected (samples, "
                f"{self.input_size}) or ({self.input_size},)"
            )
        shape = (*x.shape[:-1], self.hidden_size)
        parameters = [getattr(self, name) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        given = (np.zeros(shape, parameters[0].dtype),) * self.states if hx is None else (hx,) if self.states == 1 else tuple(hx)
        given = tuple(h if hasattr(h, "shape") else np.asarray(h) for h in given)
        if len(given) != self.states or any(h.shape != shape for h in given):
            raise ShapeMismatchError(
                f"{type(self).__name__} got states of shapes {', '.join(str(h.shape) for h in given)}; expected {self.states} of {shape}"
            )
        steps = np.reshape(x, (1, -1, self.input_size))
        _, found = self._step(steps, tuple(np.reshape(h, (-1, self.hidden_size)) for h in given), parameters, reverse=False)
        found = tuple(np.reshape(h, shape) for h in found)
        return found[0] if self.states == 1 else found

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")


class RNNCell(_Cell):
    """One step of an `RNN`: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).

    Parameters
    ----------
    input_size, hidden_size : int
        The lengths of an input and of a state.
    bias : bool, default True
        Whether there are biases.
    nonlinearity : {"tanh", "relu"}
    rng : Generator, int or None
        Where the numbers come from, uniform within 1 / sqrt(hidden_size).
    dtype : floating dtype, default float64
        Of all Parameters.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity={nonlinearity!r} is not known; expected 'tanh' or 'relu'")
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, bias, rng=rng, dtype=dtype)

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        y, h = F.rnn(x, hx[0], *parameters, nonlinearity=self.nonlinearity, reverse=reverse)
        return y, (h,)


class LSTMCell(_Cell):
    """One step of an `LSTM`; returns (h, c). Parameters as for `RNNCell`, but for the nonlinearity."""

    gates = 4
    states = 2

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        return F.lstm(x, (hx[0], hx[1]), *parameters, reverse=reverse)


class GRUCell(_Cell):
    """One step of a `GRU`. Parameters as for `RNNCell`, but for the nonlinearity."""

    gates = 3

    def _step(self, x: Any, hx: tuple[Any, ...], parameters: list[Any], reverse: bool) -> tuple[Any, tuple[Any, ...]]:
        y, h = F.gru(x, hx[0], *parameters, reverse=reverse)
        return y, (h,)
