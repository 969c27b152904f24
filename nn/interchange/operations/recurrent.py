"""Recurrent layers: in ONNX they take the input of all steps with its weight and biases, which here are products before them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.interchange.operations.indexing import read
from nn.interchange.operations.table import exports
from nn.interchange.recording import Step
from nn.interchange.writer import Part, Writer

__all__: list[str] = []

RNN, LSTM, GRU = (0,), (0, 3, 1, 2), (1, 0, 2)
"""Where the gates in ONNX's order (i o f c; z r h) are among PyTorch's (i f g o; r z n)."""


def _parts(z: Step, rows: int) -> tuple[Any, bool, Any, Any]:
    """Return the input, whether it is gone through from the end, the weight and the bias of which `z` is the product.

    Of anything else, z itself is the input, and the weight an identity.
    """
    s, back = z, False
    if s.kind == "getitem" and s.attrs["index"] == slice(None, None, -1):
        s, back = s.operands[0], True
    bias = None
    if s.kind == "reshape":
        s = s.operands[0]
    if s.kind == "add" and getattr(s.operands[1], "shape", None) == (rows,):
        s, bias = s.operands
    if s.kind == "matmul":
        rowwise, turned = s.operands
        if all(isinstance(x, Step) for x in (rowwise, turned)) and (rowwise.kind, turned.kind) == ("reshape", "transpose"):
            (x,), (weight,) = rowwise.operands, turned.operands
            if x.ndim == 3 and weight.ndim == 2 and x.shape[:2] == z.shape[:2] and rowwise.shape[1] == x.shape[2]:
                return x, back, weight, bias
    return z, False, np.eye(rows), None


def _gates(w: Writer, x: Any, order: tuple[int, ...], dtype: Any) -> str:
    """Return rows, or numbers, gate by gate in ONNX's order."""
    name = w.operand(x, dtype)
    if len(order) > 1:
        parts = w.several("Split", [name], len(order), axis=0, num_outputs=len(order))
        name = w.add("Concat", *(parts[i] for i in order), axis=0)
    return name


def _layer(
    w: Writer, step: Step, kind: str, order: tuple[int, ...], weight: Any, states: list[Any], inner: Any = None, **how: Any
) -> list[str]:
    """Add a layer of one direction; return its states at all steps, and the last ones."""
    step.options()
    z, dtype, hidden = step.operands[0], step.dtype, states[0].shape[-1]
    rows = hidden * len(order)
    x, back, of_input, bias = _parts(z, rows)
    name = w.operand(x, dtype)
    name = read(w, name, [slice(None, None, -1)]) if back else name
    zeros = w.constant(np.zeros(rows), dtype)
    biases = ""
    if bias is not None or inner is not None:
        outer = zeros if bias is None else _gates(w, bias, order, dtype)
        last = zeros
        if inner is not None:
            last = w.add("Concat", w.constant(np.zeros(rows - hidden), dtype), w.operand(inner, dtype), axis=0)
        biases = w.add("Unsqueeze", w.add("Concat", outer, last, axis=0), w.ints([0]))
    weights = [w.add("Unsqueeze", _gates(w, a, order, dtype), w.ints([0])) for a in (of_input, weight)]
    starts = [w.add("Unsqueeze", w.operand(h, dtype), w.ints([0])) for h in states]
    y, *lasts = w.several(kind, [name, *weights, biases, "", *starts], 1 + len(states), hidden_size=hidden, **how)
    return [w.add("Squeeze", y, w.ints([1])), *(w.add("Squeeze", h, w.ints([0])) for h in lasts)]


@exports("nn.rnn_tanh", "nn.rnn_relu")
def _rnn(w: Writer, step: Step) -> str:
    _, h, weight = step.operands
    return _layer(w, step, "RNN", RNN, weight, [h], activations=["Tanh" if step.kind == "nn.rnn_tanh" else "Relu"])[0]


@exports("nn.gru")
def _gru(w: Writer, step: Step) -> str:
    _, h, weight, inner = step.operands
    return _layer(w, step, "GRU", GRU, weight, [h], inner, linear_before_reset=1)[0]


@exports("nn.lstm")
def _lstm(w: Writer, step: Step) -> str:
    """Write what hands out h of all steps, and c of the last; here the result is h, c and the gates of all steps, side by side."""
    _, h, c, weight = step.operands
    y, _, last = _layer(w, step, "LSTM", LSTM, weight, [h, c])
    hidden = h.shape[-1]
    w.parts[step] = [Part(0, hidden, y, of_last=False), Part(hidden, 2 * hidden, last, of_last=True)]
    return y
