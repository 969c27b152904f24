"""Layer objects in a list, a loop forward and a loop backward; each layer keeps what it needs and its own gradients."""

import numpy as np


class Linear:
    def __init__(self, n_in, n_out, rng):
        self.W = rng.normal(size=(n_in, n_out))
        self.b = rng.normal(size=n_out)
        self.dW = None
        self.db = None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = np.sum(dout, axis=0)
        return dout @ self.W.T


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)


class Elu:
    def __init__(self, alpha):
        self.alpha = alpha

    def forward(self, x):
        self.mask = x > 0
        self.out = np.where(self.mask, x, self.alpha * (np.exp(x) - 1))
        return self.out

    def backward(self, dout):
        dx = dout.copy()
        slope = self.out + self.alpha
        dx[~self.mask] *= slope[~self.mask]
        return dx


class Net:
    def __init__(self, rng):
        self.layers = [Linear(4, 4, rng), Elu(0.7), Linear(4, 3, rng), Sigmoid()]

    def forward(self, x, t):
        for layer in self.layers:
            x = layer.forward(x)
        self.diff = x - t
        return 0.5 * np.sum(self.diff**2) / len(t)

    def backward(self):
        dout = self.diff / len(self.diff)
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


def build(seed=0):
    net = Net(np.random.default_rng(20 + seed))
    return net.forward, net.backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(5, 4)), "t": rng.uniform(size=(5, 3))}


GRADIENTS = "x"
LEFT = {"layers.0.dW": "layers.0.W", "layers.0.db": "layers.0.b", "layers.2.dW": "layers.2.W", "layers.2.db": "layers.2.b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-mean": ("self.diff / len(self.diff)", "self.diff", "scale missing-factor", "1/n is missing"),
    "mean-of-all": ("self.diff / len(self.diff)", "self.diff / self.diff.size", "scale", "divides by the number of elements"),
    "two": ("self.diff / len(self.diff)", "2 * self.diff / len(self.diff)", "scale extra-factor double-count", "the loss has a half"),
    "negated": ("dout = self.diff / len(self.diff)", "dout = -self.diff / len(self.diff)", "sign", "minus"),
    "last-skipped": ("reversed(self.layers)", "reversed(self.layers[:-1])", "missing-factor", "the last layer is skipped", "dout = layer.backward(dout)", "dout = self.diff"),
    "dW-transposed": ("self.dW = self.x.T @ dout", "self.dW = dout.T @ self.x", "transpose shape", "the product transposed"),
    "dW-mean": ("self.dW = self.x.T @ dout", "self.dW = self.x.T @ dout / len(self.x)", "scale extra-factor", "1/n once more"),
    "dW-local": ("self.dW = self.x.T", "dW = self.x.T", "not-returned", "a local variable for an attribute"),
    "db-all": ("self.db = np.sum(dout, axis=0)", "self.db = np.sum(dout)", "wrong-reduction shape", "a scalar"),
    "db-mean": ("np.sum(dout, axis=0)", "np.mean(dout, axis=0)", "scale wrong-reduction", "mean for sum"),
    "dx-untransposed": ("return dout @ self.W.T", "return dout @ self.W.T.T", "raises transpose shape", "W for W.T"),
    "dx-gradient": ("return dout @ self.W.T", "return dout @ self.dW.T", "wrong-point", "the gradient for the weights"),
    "sigmoid-half": ("dout * self.out * (1 - self.out)", "dout * (1 - self.out)", "missing-factor", "a factor of σ' is missing"),
    "sigmoid-tanh": ("dout * self.out * (1 - self.out)", "dout * (1 - self.out**2)", "wrong-point missing-factor extra-factor", "tanh' for σ'"),
    "elu-slope": ("slope = self.out + self.alpha", "slope = self.out", "missing-term wrong-point", "alpha is not added back", "dx[~self.mask] *="),
    "elu-mask": ("dx[~self.mask] *= slope[~self.mask]", "dx[self.mask] *= slope[self.mask]", "wrong-point missing-factor extra-factor", "the mask is inverted"),
    "elu-relu": ("dx[~self.mask] *= slope[~self.mask]", "dx[~self.mask] = 0", "missing-factor wrong-point missing-term", "ReLU' for ELU'"),
    "elu-assigned": ("dx[~self.mask] *= slope[~self.mask]", "dx[~self.mask] = slope[~self.mask]", "missing-factor", "= for *=: dout is lost"),
    "dW-decay": ("self.x.T @ dout", "self.x.T @ dout + 0.01 * self.W", "extra-term", "a weight decay that the loss has not"),
    "stale-W": ("        return dout @ self.W.T", "        self.W = self.W - 0.1 * self.dW\n        return dout @ self.W.T", "stale-value", "W was updated before it is used", "return dout @"),
}

INSIDE = {
    "dW-transposed": "Linear.backward", "dW-decay": "Linear.backward", "stale-W": "Linear.backward", "dW-mean": "Linear.backward", "dW-local": "Linear.backward", "db-all": "Linear.backward",
    "db-mean": "Linear.backward", "dx-untransposed": "Linear.backward", "dx-gradient": "Linear.backward", "sigmoid-half": "Sigmoid.backward",
    "sigmoid-tanh": "Sigmoid.backward", "elu-slope": "Elu.backward", "elu-mask": "Elu.backward", "elu-relu": "Elu.backward", "elu-assigned": "Elu.backward",
}  # fmt: skip

DOUBLES = [("no-mean", "db-mean"), ("negated", "elu-relu"), ("sigmoid-half", "dW-mean"), ("mean-of-all", "elu-slope"), ("db-all", "sigmoid-tanh")]
# fmt: on
