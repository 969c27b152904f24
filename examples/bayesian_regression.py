"""Bayesian regression with scipy.stats, as it is written with NumPy and SciPy; one import line is another.

A line through data with outliers: Student's t for the noise, whose degrees of freedom are unknown as well. The maximum of the
posterior and its curvature give Laplace's approximation, Hamiltonian Monte Carlo samples. Both need nothing but the log density.

Run it: ``python examples/bayesian_regression.py``.
"""

import numpy as np
from scipy.optimize import minimize

import autograd_np as ag
from autograd_np.scipy.stats import gamma, halfnorm, norm, t  # from scipy.stats import gamma, halfnorm, norm, t

rng = np.random.default_rng(1)
x = np.linspace(-2.0, 2.0, 40)
y = 1.0 - 0.7 * x + 0.2 * rng.standard_t(3, size=40)
y[::13] += 4.0


def log_posterior(w):
    """Return the log posterior density, up to a constant, by the logarithms of what is positive."""
    intercept, slope, log_scale, log_freedom = w
    scale, freedom = np.exp(log_scale), np.exp(log_freedom)
    prior = norm(0, 5).logpdf(w[:2]).sum() + halfnorm.logpdf(scale) + gamma.logpdf(freedom, 2, scale=5) + log_scale + log_freedom
    return prior + t.logpdf(y, freedom, loc=intercept + slope * x, scale=scale).sum()


def minus(w):
    """Return what is minimised."""
    return -log_posterior(w)


def hamiltonian_monte_carlo(w, root, steps=6, size=0.4, draws=250):
    """Draw from the posterior; momenta and steps are scaled with the root of the approximate covariance."""
    value_and_grad = ag.value_and_grad(lambda z: minus(w + root @ z))
    z, kept = np.zeros_like(w), []
    energy, g = value_and_grad(z)
    for _ in range(draws):
        p = rng.normal(size=z.shape)
        new, force, momentum = z, g, p
        for _ in range(steps):
            momentum = momentum - size / 2 * force
            new = new + size * momentum
            after, force = value_and_grad(new)
            momentum = momentum - size / 2 * force
        if rng.random() < np.exp(min(0.0, energy - after + (p @ p - momentum @ momentum) / 2)):
            z, energy, g = new, after, force
        kept.append(w + root @ z)
    return np.array(kept)


found = minimize(ag.value_and_grad(minus), np.zeros(4), jac=True, method="L-BFGS-B")
covariance = np.linalg.inv(ag.hessian(minus)(found.x))
samples = hamiltonian_monte_carlo(found.x, np.linalg.cholesky(covariance))

print("                 maximum   ± Laplace      mean   ± sampled")
for k, name in enumerate(("intercept", "slope", "log scale", "log freedom")):
    laplace, sampled = np.sqrt(covariance[k, k]), samples[:, k].std()
    print(f"{name:<14}{found.x[k]:10.3f}{laplace:12.3f}{samples[:, k].mean():10.3f}{sampled:12.3f}")
