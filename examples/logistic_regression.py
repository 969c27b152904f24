"""Logistic regression on the breast-cancer data, fitted with L-BFGS.

Two measurements of a tumour, whether it is malignant. `value_and_grad` gives SciPy the loss and its gradient in one call; without it,
SciPy would take differences, one more evaluation of the loss for each parameter.

Run it: ``python examples/logistic_regression.py``. Needs SciPy.
"""

import csv
from importlib.resources import files

import numpy as np
from scipy.optimize import minimize

import autograd_np as ag


def load():
    """Return standardised features (569, 2) and labels (569,), 1 for malignant."""
    text = files("autograd_np.demo.data").joinpath("breast_cancer.csv").read_text()
    table = np.array(list(csv.reader(text.splitlines()))[1:], dtype=float)
    x, y = table[:, :-1], table[:, -1]
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def predict(w, x):
    """Return the log-odds of samples `x` for weights and bias `w`."""
    return x @ w[:-1] + w[-1]


def loss(w, x, y):
    """Return the mean negative log-likelihood, plus a little of the weights' size."""
    z = predict(w, x)
    return np.mean(np.logaddexp(0, z) - y * z) + 1e-3 * np.sum(w[:-1] ** 2)


def main():
    """Fit, and print the accuracy on samples that were left out."""
    x, y = load()
    train, test = np.arange(len(x)) % 4 != 0, np.arange(len(x)) % 4 == 0
    w0 = np.zeros(x.shape[1] + 1)
    found = minimize(ag.value_and_grad(loss), w0, args=(x[train], y[train]), jac=True, method="L-BFGS-B")
    accuracy = np.mean((predict(found.x, x[test]) > 0) == y[test])
    print(f"loss {loss(w0, x[train], y[train]):.3f} -> {found.fun:.3f} after {found.nfev} evaluations")
    print(f"weights {found.x[:-1].round(2)}, accuracy on {test.sum()} other samples {accuracy:.1%}")
    return found, accuracy


if __name__ == "__main__":
    main()
