"""One head of self-attention, the softmax over rows."""

import numpy as np

WRT = ("X", "W_q", "W_k", "W_v")


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def forward(X, W_q, W_k, W_v):
    d_k = W_k.shape[1]
    Q = X @ W_q
    K = X @ W_k
    V = X @ W_v
    scores = Q @ K.T / np.sqrt(d_k)
    attn = softmax(scores)
    out = attn @ V
    return out


def backward(dout, X, W_q, W_k, W_v, Q, K, V, attn):
    d_k = W_k.shape[1]
    dV = attn.T @ dout
    dattn = dout @ V.T
    dscores = attn * (dattn - np.sum(dattn * attn, axis=-1, keepdims=True))
    dQ = dscores @ K / np.sqrt(d_k)
    dK = dscores.T @ Q / np.sqrt(d_k)
    dW_q = X.T @ dQ
    dW_k = X.T @ dK
    dW_v = X.T @ dV
    dX = dQ @ W_q.T + dK @ W_k.T + dV @ W_v.T
    return {"dX": dX, "dW_q": dW_q, "dW_k": dW_k, "dW_v": dW_v}


def inputs(rng, n, d):
    return {"X": rng.normal(size=(n, 5))} | {name: rng.normal(size=(5, d)) for name in ("W_q", "W_k", "W_v")}
