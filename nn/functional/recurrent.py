"""Recurrent layers, one layer in one direction each: what they remember goes from step to step.

The product with the input is one product of matrices for all steps; the steps themselves are one operation. Its rule computes
the gates of all steps at once, from the states that the result holds, and goes back step by step with products alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array
from nn.functional.examples import every, joined, parted

__all__ = ["gru", "lstm", "rnn"]


# --- what the operations share --------------------------------------------------------------------


def _before(first: Array, states: Array) -> Array:
    """Return the state that each step starts from."""
    return np.concatenate([np.expand_dims(first, 0), states[:-1]])


def _through(h: Array, w: Array) -> Array:
    """Return h @ w.T for all steps, as one product of matrices."""
    steps, samples, size = h.shape
    return np.reshape(np.matmul(np.reshape(h, (steps * samples, size)), w.T), (steps, samples, w.shape[0]))


def _by_weight(d: Array, h: Array) -> Array:
    """Return the sum of outer products over steps and samples."""
    return np.matmul(np.reshape(d, (-1, d.shape[2])).T, np.reshape(h, (-1, h.shape[2])))


def _of_examples(operation: Callable[[], Callable[..., Array]], states: int) -> Callable[..., Array]:
    """Return what an operation does on many examples: they are samples, as long as they share the weights."""

    def many(count: int, batched: Sequence[bool], /, *arrays: Array) -> Any:
        if any(batched[1 + states :]):
            return NotImplemented
        z, *first = every(count, batched[: 1 + states], arrays[: 1 + states])
        y = operation()(joined(z, 1), *(joined(h, 0) for h in first), *arrays[1 + states :])
        return parted(y, 1, count)

    return many


def _sigmoid_(a: Array) -> Array:
    """Compute the logistic function in place."""
    a *= 0.5
    np.tanh(a, out=a)
    a *= 0.5
    a += 0.5
    return a


# --- tanh and ReLU --------------------------------------------------------------------------------


def _plain(squash: Callable[..., Any]) -> Callable[..., Array]:
    def forward(z: Array, h: Array, w: Array) -> Array:
        out = np.empty_like(z)
        wt = np.ascontiguousarray(w.T)
        for t in range(len(z)):
            a = np.matmul(h, wt)
            a += z[t]
            h = squash(a, out[t])
        return out

    return forward


def _plain_vjp(slope: Callable[[Array], Array]) -> Callable[..., Any]:
    def vjp(g: Array, y: Array, _z: Array, h0: Array, w: Array) -> Any:
        slopes = slope(y)
        dh = np.zeros_like(h0)
        steps: list[Array] = []
        for t in range(len(y) - 1, -1, -1):
            steps.append((g[t] + dh) * slopes[t])
            dh = np.matmul(steps[-1], w)
        d = np.stack(steps[::-1])
        return d, dh, _by_weight(d, _before(h0, y))

    return vjp


_RNN: dict[str, Callable[..., Array]] = {
    "tanh": ag.define(_plain(np.tanh), vjp=_plain_vjp(lambda y: 1 - y * y), vmap=_of_examples(lambda: _RNN["tanh"], 1), name="rnn_tanh"),
    "relu": ag.define(
        _plain(lambda a, out: np.maximum(a, 0, out=out)),
        vjp=_plain_vjp(lambda y: y > 0),
        vmap=_of_examples(lambda: _RNN["relu"], 1),
        name="rnn_relu",
    ),
}
"""(steps, samples, hidden), the first state and the weight -> the states."""


# --- LSTM -----------------------------------------------------------------------------------------


def _lstm(z: Array, h: Array, c: Array, w: Array) -> Array:
    n = h.shape[1]
    out = np.empty((*z.shape[:2], 6 * n), z.dtype)
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], z.dtype), n)  # sigmoid(x) = (1 + tanh(x / 2)) / 2: one call for all gates
    shift = 1 - scale
    z, wt = z * scale, w.T * scale
    for t in range(len(z)):
        a = np.matmul(h, wt)
        a += z[t]
        np.tanh(a, out=a)
        a *= scale
        a += shift
        h, new, out[t, :, 2 * n :] = out[t, :, :n], out[t, :, n : 2 * n], a
        np.multiply(a[:, n : 2 * n], c, out=new)
        new += a[:, :n] * a[:, 2 * n : 3 * n]
        np.tanh(new, out=h)
        h *= a[:, 3 * n :]
        c = new
    return out


def _lstm_vjp(g: Array, y: Array, _z: Array, h0: Array, c0: Array, w: Array) -> Any:
    n = h0.shape[1]
    h, c = _before(h0, y[..., :n]), _before(c0, y[..., n : 2 * n])
    gates, i, f, new, o = (y[..., a * n : b * n] for a, b in ((2, 6), (2, 3), (3, 4), (4, 5), (5, 6)))
    squashed = np.tanh(y[..., n : 2 * n])
    slopes = np.concatenate([i * (1 - i), f * (1 - f), 1 - new * new, o * (1 - o)], axis=2)
    factors = np.concatenate([new, c, i, squashed], axis=2) * slopes
    of_gates = g[..., 2 * n :] * slopes  # zero, unless a derivative of this rule is taken
    into_c = o * (1 - squashed * squashed)
    dh, dc = np.zeros_like(h0), np.zeros_like(c0)
    steps: list[Array] = []
    for t in range(len(gates) - 1, -1, -1):
        dh = g[t, :, :n] + dh
        dc = g[t, :, n : 2 * n] + dc + dh * into_c[t]
        steps.append(np.concatenate([dc, dc, dc, dh], axis=1) * factors[t] + of_gates[t])
        dh, dc = np.matmul(steps[-1], w), dc * f[t]
    d = np.stack(steps[::-1])
    return d, dh, dc, _by_weight(d, h)


_LSTM: Callable[..., Array] = ag.define(_lstm, vjp=_lstm_vjp, vmap=_of_examples(lambda: _LSTM, 2), name="lstm")
"""Input, forget, cell and output gates of the input (steps, samples, 4 hidden), first states, weight -> h, c and the four gates.

That the gates are part of the result saves the rule a product of matrices for each step.
"""


# --- GRU ------------------------------------------------------------------------------------------


def _gru(z: Array, h: Array, w: Array, b: Array) -> Array:
    n = h.shape[1]
    out = np.empty((*z.shape[:2], n), z.dtype)
    wt = np.ascontiguousarray(w.T)
    for t in range(len(z)):
        a = np.matmul(h, wt)
        gates = _sigmoid_(a[:, : 2 * n] + z[t, :, : 2 * n])
        new = a[:, 2 * n :]
        new += b
        new *= gates[:, :n]
        new += z[t, :, 2 * n :]
        np.tanh(new, out=new)
        np.subtract(h, new, out=out[t])
        out[t] *= gates[:, n:]
        out[t] += new
        h = out[t]
    return out


def _gru_vjp(g: Array, y: Array, z: Array, h0: Array, w: Array, b: Array) -> Any:
    n = h0.shape[1]
    h = _before(h0, y)
    a = _through(h, w)
    r, u = ag.sigmoid(a[..., :n] + z[..., :n]), ag.sigmoid(a[..., n : 2 * n] + z[..., n : 2 * n])
    q = a[..., 2 * n :] + b
    new = np.tanh(z[..., 2 * n :] + r * q)
    of_new = (1 - u) * (1 - new * new)
    of_r = of_new * q * r * (1 - r)
    of_u = (h - new) * u * (1 - u)
    factors = np.stack([of_r, of_u, of_new * r], axis=2)
    dh = np.zeros_like(h0)
    every: list[Array] = []
    for t in range(len(z) - 1, -1, -1):
        dh = g[t] + dh
        every.append(dh)
        dh = dh * u[t] + np.matmul(np.reshape(np.expand_dims(dh, 1) * factors[t], (-1, 3 * n)), w)
    d = np.stack(every[::-1])
    into_h = np.reshape(np.expand_dims(d, 2) * factors, (*d.shape[:2], 3 * n))
    return np.concatenate([d * of_r, d * of_u, d * of_new], axis=2), dh, _by_weight(into_h, h), np.sum(d * of_new * r, axis=(0, 1))


_GRU: Callable[..., Array] = ag.define(_gru, vjp=_gru_vjp, vmap=_of_examples(lambda: _GRU, 1), name="gru")
"""Reset, update and new gates of the input (steps, samples, 3 hidden), first state, weight, bias of the new gate -> the states."""


# --- one layer in one direction -------------------------------------------------------------------


def _of_input(x: Array, weight: Array, biases: Sequence[Array | None], reverse: bool, where: str, hidden: int, gates: int) -> Array:
    """Return x @ weight.T, plus biases, for all steps at once."""
    if x.ndim != 3 or weight.shape != (gates * hidden, x.shape[-1]) or not x.shape[0]:
        raise ShapeMismatchError(
            f"{where} got an input of shape {x.shape} and a weight_ih of shape {weight.shape}; expected (steps, samples, features), with a "
            f"step at least, and ({gates * hidden}, features)"
        )
    bias: Any = None
    for b in biases:
        bias = b if bias is None else bias if b is None else bias + b
    z = np.matmul(np.reshape(x, (-1, x.shape[2])), weight.T)
    z = np.reshape(z if bias is None else z + bias, (*x.shape[:2], gates * hidden))
    return z[::-1] if reverse else z


def _first(state: Array, x: Array, weight: Array, where: str, gates: int) -> Array:
    state, hidden = array(state), weight.shape[-1]
    if weight.shape != (gates * hidden, hidden) or state.shape != (x.shape[1], hidden):
        raise ShapeMismatchError(
            f"{where} got a state of shape {state.shape} and a weight_hh of shape {weight.shape} for an input of shape {x.shape}; expected "
            f"({x.shape[1]}, hidden) and ({gates} hidden, hidden)"
        )
    return state


def rnn(
    input: Array,  # noqa: A002
    hx: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> tuple[Array, Array]:
    """Return the states h_t = tanh(x_t W_ih^T + b_ih + h_(t-1) W_hh^T + b_hh) of all steps, and the last one.

    Parameters
    ----------
    input : (steps, samples, features)
    hx : (samples, hidden)
        The first state.
    weight_ih : (hidden, features)
    weight_hh : (hidden, hidden)
    bias_ih, bias_hh : (hidden,), optional
    nonlinearity : {"tanh", "relu"}
    reverse : bool
        Go through the steps from the last to the first; results stay at the places of their inputs.

    Returns
    -------
    output : (steps, samples, hidden)
    h_n : (samples, hidden)

    Raises
    ------
    ShapeMismatchError
        If shapes do not fit, or there is no step.
    ValueError
        If the nonlinearity is not known.
    """
    if nonlinearity not in _RNN:
        raise ValueError(f"nonlinearity={nonlinearity!r} is not known; expected 'tanh' or 'relu'")
    x, weight_ih, weight_hh = array(input), array(weight_ih), array(weight_hh)
    z = _of_input(x, weight_ih, (bias_ih, bias_hh), reverse, "rnn", weight_hh.shape[-1], 1)
    y = _RNN[nonlinearity](z, _first(hx, x, weight_hh, "rnn", 1), weight_hh)
    return (y[::-1] if reverse else y), y[-1]


def lstm(
    input: Array,  # noqa: A002
    hx: tuple[Array, Array],
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    *,
    reverse: bool = False,
) -> tuple[Array, tuple[Array, Array]]:
    """Return the states of a long short-term memory: Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).

    With the four parts of x_t W_ih^T + b_ih + h_(t-1) W_hh^T + b_hh: i, f, o = σ of the first, second and fourth, g = tanh of the
    third; c_t = f c_(t-1) + i g; h_t = o tanh(c_t).

    Parameters
    ----------
    input : (steps, samples, features)
    hx : (h, c), both (samples, hidden)
        The first states.
    weight_ih : (4 hidden, features)
    weight_hh : (4 hidden, hidden)
    bias_ih, bias_hh : (4 hidden,), optional
    reverse : bool
        Go through the steps from the last to the first; results stay at the places of their inputs.

    Returns
    -------
    output : (steps, samples, hidden)
        h of all steps.
    (h_n, c_n) : both (samples, hidden)

    Raises
    ------
    ShapeMismatchError
        If shapes do not fit, or there is no step.
    """
    x, weight_ih, weight_hh = array(input), array(weight_ih), array(weight_hh)
    hidden = weight_hh.shape[-1]
    z = _of_input(x, weight_ih, (bias_ih, bias_hh), reverse, "lstm", hidden, 4)
    y = _LSTM(z, *(_first(state, x, weight_hh, "lstm", 4) for state in hx), weight_hh)
    h = y[..., :hidden]
    return (h[::-1] if reverse else h), (y[-1, :, :hidden], y[-1, :, hidden : 2 * hidden])


def gru(
    input: Array,  # noqa: A002
    hx: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    *,
    reverse: bool = False,
) -> tuple[Array, Array]:
    """Return the states of gated recurrent units: Cho et al. (2014), in the form of PyTorch and cuDNN.

    With the three parts of x_t W_ih^T + b_ih, and of h_(t-1) W_hh^T + b_hh: r and u = σ of the sums of the first and of the second;
    n = tanh(third + r third); h_t = n + u (h_(t-1) - n).

    Parameters
    ----------
    input : (steps, samples, features)
    hx : (samples, hidden)
        The first state.
    weight_ih : (3 hidden, features)
    weight_hh : (3 hidden, hidden)
    bias_ih, bias_hh : (3 hidden,), optional
    reverse : bool
        Go through the steps from the last to the first; results stay at the places of their inputs.

    Returns
    -------
    output : (steps, samples, hidden)
    h_n : (samples, hidden)

    Raises
    ------
    ShapeMismatchError
        If shapes do not fit, or there is no step.
    """
    x, weight_ih, weight_hh = array(input), array(weight_ih), array(weight_hh)
    hidden = weight_hh.shape[-1]
    inner: Any = np.zeros(hidden, weight_hh.dtype)
    outer = None
    if bias_hh is not None:  # its last part is inside the product with the reset gate
        inner = bias_hh[2 * hidden :]
        outer = np.concatenate([bias_hh[: 2 * hidden], np.zeros(hidden, weight_hh.dtype)])
    z = _of_input(x, weight_ih, (bias_ih, outer), reverse, "gru", hidden, 3)
    y = _GRU(z, _first(hx, x, weight_hh, "gru", 3), weight_hh, inner)
    return (y[::-1] if reverse else y), y[-1]
