"""One step of training in a function, as in a script: forward, gradients, momentum and update, the gradients handed out too."""

import numpy as np


def train_step(x, t, W1, W2, mW1, mW2, lr=0.1, mu=0.9, decay=0.01):
    N = x.shape[0]
    u = x @ W1
    h = u / (1 + np.exp(-u))
    o = h @ W2
    o = o - np.max(o, axis=1, keepdims=True)
    q = np.exp(o) / np.sum(np.exp(o), axis=1, keepdims=True)
    J = -np.sum(t * np.log(q)) / N + decay * np.sum(W1**2) + decay * np.sum(W2**2)

    dJdo = (q - t) / N
    dJdW2 = h.T @ dJdo + 2 * decay * W2
    dJdh = dJdo @ W2.T
    sg = 1 / (1 + np.exp(-u))
    dJdu = dJdh * (sg + u * sg * (1 - sg))
    dJdW1 = x.T @ dJdu + 2 * decay * W1

    grads = {"W1": dJdW1, "W2": dJdW2}
    return J, grads


forward = backward = train_step


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(5, 3)),
        "t": np.eye(3)[rng.integers(0, 3, size=5)],
        "W1": rng.normal(size=(3, 3)),
        "W2": rng.normal(size=(3, 3)),
        "mW1": np.zeros((3, 3)),
        "mW2": np.zeros((3, 3)),
    }


GRADIENTS = {"J": None, "grads": {"W1": "W1", "W2": "W2"}}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "reversed": ("dJdo = (q - t)", "dJdo = (t - q)", "sign", "reversed"),
    "no-N": ("(q - t) / N", "(q - t)", "scale missing-factor", "1/N is missing"),
    "softmax-prime": ("dJdo = (q - t) / N", "dJdo = (q - t) * q * (1 - q) / N", "extra-factor", "softmax' once too often"),
    "ratio": ("dJdo = (q - t) / N", "dJdo = -(t / q) / N", "missing-term missing-factor wrong-point", "the derivative by q"),
    "W2-transposed": ("h.T @ dJdo", "dJdo.T @ h", "transpose", "transposed (square)"),
    "W2-u": ("h.T @ dJdo", "u.T @ dJdo", "wrong-point", "u for h"),
    "W2-reg-half": ("2 * decay * W2", "decay * W2", "scale missing-factor", "the 2 is missing"),
    "W2-reg-lr": ("2 * decay * W2", "2 * lr * W2", "wrong-point scale", "the step size for the decay"),
    "W2-no-reg": (" + 2 * decay * W2", "", "missing-term", "the regulariser is forgotten"),
    "h-untransposed": ("dJdo @ W2.T", "dJdo @ W2", "transpose", "W2 for W2.T (square)"),
    "h-W1": ("dJdo @ W2.T", "dJdo @ W1.T", "wrong-point", "W1 for W2"),
    "stale": ("    dJdh = dJdo @ W2.T", "    W2 = W2 - lr * dJdW2\n    dJdh = dJdo @ W2.T", "stale-value", "W2 was updated before it is used", "dJdh ="),
    "sg-at-h": ("sg = 1 / (1 + np.exp(-u))", "sg = 1 / (1 + np.exp(-h))", "wrong-point", "h for u", "dJdu ="),
    "sg-sign": ("sg = 1 / (1 + np.exp(-u))", "sg = 1 / (1 + np.exp(u))", "sign wrong-point", "the exponent's sign", "dJdu ="),
    "swish-sg": ("(sg + u * sg * (1 - sg))", "sg", "missing-term", "the product rule is forgotten"),
    "swish-no-u": ("(sg + u * sg * (1 - sg))", "(sg + sg * (1 - sg))", "missing-factor missing-term", "u is missing"),
    "swish-minus": ("(sg + u * sg * (1 - sg))", "(sg - u * sg * (1 - sg))", "sign", "- for +"),
    "W1-dh": ("x.T @ dJdu", "x.T @ dJdh", "missing-factor wrong-point", "dJdh for dJdu"),
    "W1-h": ("x.T @ dJdu", "h.T @ dJdu", "wrong-point", "h for x"),
    "W1-reg-sign": ("+ 2 * decay * W1", "- 2 * decay * W1", "sign", "- for +"),
    "W1-reg-W2": ("2 * decay * W1", "2 * decay * W2", "wrong-point", "W2 for W1"),
    "grads-same": ("\"W2\": dJdW2}", "\"W2\": dJdW1}", "wrong-point not-returned", "the gradient of W1 twice", "dJdW2 ="),
    "grads-missing": (", \"W2\": dJdW2}", "}", "not-returned", "dJdW2 is computed and not returned", "dJdW2 ="),
    "not-finite": ("(q - t) / N", "(q - t) / np.log(t)", "not-finite wrong-point scale", "the logarithm of 0"),
}

DOUBLES = [("reversed", "W1-reg-W2"), ("no-N", "swish-sg"), ("W2-u", "W1-h"), ("W2-transposed", "swish-minus"), ("h-untransposed", "W2-reg-half"), ("W1-reg-sign", "W2-no-reg")]
# fmt: on
