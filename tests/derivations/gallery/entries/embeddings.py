"""A classifier of texts: the mean of embeddings, chosen by index, and a softmax."""

import numpy as np

WRT = ("E", "W", "b")


def loss(E, W, b, tokens, labels):
    batch = len(tokens)
    vectors = E[tokens]
    text = np.mean(vectors, axis=1)
    logits = text @ W + b
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs = exps / exps.sum(axis=1, keepdims=True)
    return -np.log(probs[np.arange(batch), labels]).mean()


def backward(E, W, tokens, labels, text, probs):
    batch, length = tokens.shape
    dlogits = probs.copy()
    dlogits[np.arange(batch), labels] -= 1
    dlogits /= batch
    dW = text.T @ dlogits
    db = dlogits.sum(axis=0)
    dtext = dlogits @ W.T
    dE = np.zeros_like(E)
    np.add.at(dE, tokens, dtext[:, None, :] / length)
    return {"dE": dE, "dW": dW, "db": db}


def inputs(rng, n, d):
    E, W, b = rng.normal(size=(3 * d, 4)), rng.normal(size=(4, d)), rng.normal(size=d)
    return {"E": E, "W": W, "b": b, "tokens": rng.integers(0, 3 * d, (n, 6)), "labels": rng.integers(0, d, n)}
