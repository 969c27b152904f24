"""A Gaussian process whose kernel is learned by maximum likelihood, through a Cholesky decomposition.

The three hyperparameters (amplitude, length scale, noise) are those under which the data are most probable; the marginal likelihood is
written as textbooks do (Rasmussen & Williams 2006, algorithm 2.1).

Run it: ``python examples/gaussian_process.py``. Needs SciPy.
"""

import numpy as np
from scipy.optimize import minimize

import autograd_np as ag


def data(n, rng, noise=0.2):
    """Return n places and noisy values of a function there."""
    x = np.sort(rng.uniform(-4, 4, n))
    return x, function(x) + noise * rng.normal(size=n)


def function(x):
    """Return what is to be found out."""
    return np.sin(2 * x) + 0.3 * x


def kernel(a, b, theta):
    """Return the squared-exponential covariance of values at `a` and at `b`."""
    amplitude, length = np.exp(theta[0]), np.exp(theta[1])
    d = (a[:, None] - b[None, :]) / length
    return amplitude**2 * np.exp(-0.5 * d**2)


def negative_log_likelihood(theta, x, y):
    """Return -log p(y | x, theta); `theta` are the logarithms of amplitude, length scale and noise."""
    K = kernel(x, x, theta) + np.exp(2 * theta[2]) * np.eye(len(x))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ alpha + np.sum(np.log(np.diag(L))) + 0.5 * len(x) * np.log(2 * np.pi)


def predict(theta, x, y, at):
    """Return mean and standard deviation of the function at new places."""
    L = np.linalg.cholesky(kernel(x, x, theta) + np.exp(2 * theta[2]) * np.eye(len(x)))
    v = np.linalg.solve(L, kernel(x, at, theta))
    mean = v.T @ np.linalg.solve(L, y)
    return mean, np.sqrt(np.exp(2 * theta[0]) - np.sum(v**2, axis=0))


def main():
    """Learn the hyperparameters; print them, and how good the predictions are."""
    x, y = data(40, np.random.default_rng(0))
    theta0 = np.zeros(3)
    found = minimize(ag.value_and_grad(negative_log_likelihood), theta0, args=(x, y), jac=True, method="L-BFGS-B")
    at = np.linspace(-3.5, 3.5, 200)
    mean, deviation = predict(found.x, x, y, at)
    error = np.sqrt(np.mean((mean - function(at)) ** 2))
    inside = np.mean(abs(mean - function(at)) < 2 * deviation)
    amplitude, length, noise = np.exp(found.x)
    print(f"-log p {negative_log_likelihood(theta0, x, y):.2f} -> {found.fun:.2f} after {found.nfev} evaluations")
    print(f"amplitude {amplitude:.2f}, length scale {length:.2f}, noise {noise:.2f} (true 0.2)")
    print(f"root mean square error {error:.3f}; {inside:.0%} of the function within two standard deviations")
    return found, noise, error, inside


if __name__ == "__main__":
    main()
