"""Bayesian linear regression with `scipy.stats`, sampled by Hamiltonian Monte Carlo.

The model is written with SciPy's log densities; the import line names their mirror, since those of SciPy itself take no Tensors. The
sampler follows the gradient of the log posterior (Neal 2011), which no part of the program derives.

Run it: ``python examples/bayesian_regression.py``. Needs SciPy.
"""

import numpy as np

import autograd_np as ag
from autograd_np.scipy.stats import gamma, norm


def data(n, rng):
    """Return n places and values, and the truth: intercept, slope, noise."""
    truth = np.array([1.0, -2.0, 0.5])
    x = rng.uniform(-1, 1, n)
    return x, truth[0] + truth[1] * x + truth[2] * rng.normal(size=n), truth


def log_posterior(theta, x, y):
    """Return log p(theta | x, y) but for a constant; `theta` is intercept, slope and the logarithm of the noise."""
    intercept, slope, sigma = theta[0], theta[1], np.exp(theta[2])
    prior = norm.logpdf(intercept, 0, 5) + norm.logpdf(slope, 0, 5) + gamma.logpdf(sigma, 2.0, scale=0.5) + theta[2]
    return prior + np.sum(norm.logpdf(y, intercept + slope * x, sigma))


def sample(log_p, theta, n, rng, step=0.1, leaps=8):
    """Return n samples of the density exp(log_p), and the share of accepted proposals."""
    value_and_grad = ag.value_and_grad(log_p)
    value, gradient = value_and_grad(theta)
    chain, accepted = np.zeros((n, len(theta))), 0
    for i in range(n):
        momentum = rng.normal(size=len(theta))
        energy = 0.5 * momentum @ momentum - value
        q, v, g = theta, value, gradient
        for _ in range(leaps):
            momentum = momentum + step / 2 * g
            q = q + step * momentum
            v, g = value_and_grad(q)
            momentum = momentum + step / 2 * g
        if rng.uniform() < np.exp(energy - (0.5 * momentum @ momentum - v)):
            theta, value, gradient = q, v, g
            accepted += 1
        chain[i] = theta
    return chain, accepted / n


def main(n=300):
    """Sample the posterior; print its means and deviations beside the truth."""
    rng = np.random.default_rng(0)
    x, y, truth = data(60, rng)
    chain, accepted = sample(lambda theta: log_posterior(theta, x, y), np.zeros(3), n + 50, rng)
    chain = chain[50:]
    chain[:, 2] = np.exp(chain[:, 2])
    mean, deviation = chain.mean(axis=0), chain.std(axis=0)
    for name, m, d, t in zip(("intercept", "slope", "noise"), mean, deviation, truth, strict=True):
        print(f"{name:9} {m:6.3f} ± {d:.3f}   (true {t})")
    print(f"{accepted:.0%} of the proposals accepted")
    return mean, deviation, truth, accepted


if __name__ == "__main__":
    main()
