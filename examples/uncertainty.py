"""Regression that knows how sure it is: a network gives a mean and a variance, and learns both by `GaussianNLLLoss`.

The noise of the data grows to the right. What the intervals are worth is counted on points never seen; beside them, those of a
network that learns the mean alone and is everywhere as sure as on average.

Run it: ``python examples/uncertainty.py``.
"""

import numpy as np

import autograd_np as ag
import nn

WITHIN = 1.6449
"""How many standard deviations to each side hold 90% of a normal distribution."""


def data(n, rng):
    """Return places (n, 1), values (n, 1), and the standard deviation of their noise."""
    x = rng.uniform(-2, 2, (n, 1))
    noise = 0.05 + 0.15 * (x + 2)
    return x, np.sin(2 * x) + noise * rng.normal(size=x.shape), noise


def build(outputs, rng):
    """Return a network of two hidden layers."""
    return nn.Sequential(nn.Linear(1, 32, rng=rng), nn.Tanh(), nn.Linear(32, 32, rng=rng), nn.Tanh(), nn.Linear(32, outputs, rng=rng))


def likelihood(output, y):
    """Return the negative log-likelihood of y; the outputs are a mean and the logarithm of a variance."""
    return nn.GaussianNLLLoss()(output[:, :1], y, np.exp(output[:, 1:]))


def main(epochs=150, seed=0, progress=True):
    """Train on 1000 points; return the history, the coverage left and right of both networks, and the error of the deviation."""
    rng = np.random.default_rng(seed)
    (x, y, _), (x_test, y_test, noise) = data(1000, rng), data(4000, rng)
    histories, outputs = [], []
    for loss, size in ((likelihood, 2), (nn.MSELoss(), 1)):
        model = build(size, rng)
        optimiser = nn.Adam(model.parameters(), lr=5e-3)
        scheduler = nn.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)
        told = {"scheduler": scheduler, "clip_grad_norm": 5.0, "seed": seed, "progress": progress}
        histories.append(nn.fit(model, (x, y), loss, optimiser, epochs, batch_size=100, **told))
        with ag.no_grad():
            outputs.append(model.eval()(x_test).numpy())
    deviation, constant = np.exp(outputs[0][:, 1:] / 2), np.sqrt(histories[1]["loss"][-1])
    inside = [abs(y_test - output[:, :1]) < WITHIN * sigma for output, sigma in zip(outputs, (deviation, constant), strict=True)]
    coverage = [(float(np.mean(i[x_test < 0])), float(np.mean(i[x_test >= 0]))) for i in inside]
    error = float(np.mean(abs(deviation / noise - 1)))
    print("points never seen that are within their 90% interval, left (little noise) and right (much noise):")
    for name, (left, right) in zip(("mean and variance", "mean alone"), coverage, strict=True):
        print(f"  {name:20}{left:6.1%} {right:6.1%}")
    print(f"the standard deviation it gives is off by {error:.0%} on average; an interval that keeps its word holds 90%, here and there")
    return histories[0], coverage, error


if __name__ == "__main__":
    main()
