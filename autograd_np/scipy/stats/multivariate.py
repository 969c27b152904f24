"""Distributions of vectors and matrices: log densities made of rows, with SciPy's checks of their arguments."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from autograd_np.errors import NoRowError
from autograd_np.op import constant_of
from autograd_np.scipy.mirror import covering, holds_tensor, refusing
from autograd_np.scipy.stats.base import Mirrored, array

__all__ = ["ENTROPIES", "MULTIVARIATE", "Multivariate"]

LOG_TWO_PI = math.log(2 * math.pi)


def _matrix(cov: Any, d: int) -> Any:
    """Return a covariance as SciPy reads it: a number times the identity, a diagonal, or a matrix."""
    if np.ndim(cov) == 0:
        return cov * np.eye(d)
    cov = np.diag(cov) if cov.ndim == 1 and d > 1 else np.reshape(cov, (d, d)) if cov.size == 1 else cov
    if cov.shape != (d, d):
        raise ValueError(f"the covariance should have the shape ({d}, {d}), got {cov.shape}")
    return cov


def _points(x: Any, d: int) -> Any:
    """Return points along the last axis; what SciPy takes for several numbers or for one vector."""
    if np.ndim(x) == 0:
        return np.reshape(x, (1,))
    return x if x.ndim > 1 or d > 1 else np.expand_dims(x, -1)


def _dimension(mean: Any, cov: Any) -> int:
    return int(np.size(constant_of(mean))) if mean is not None else int(np.shape(constant_of(cov))[0]) if np.ndim(cov) else 1


def _distance(x: Any, mean: Any, cov: Any) -> tuple[int, Any, Any]:
    """Return d, the square of the distance in units of the covariance, and half the logarithm of its determinant."""
    d = _dimension(mean, cov)
    root = np.linalg.cholesky(_matrix(cov, d))
    away = _points(x, d) if mean is None else _points(x, d) - np.reshape(mean, (d,))
    scaled = np.linalg.solve(root, np.expand_dims(away, -1))
    return d, np.sum(np.square(scaled), axis=(-2, -1)), np.sum(np.log(np.diagonal(root)))


def _normal(x: Any, mean: Any = None, cov: Any = 1) -> Any:
    d, square, half_log_det = _distance(array(x), None if mean is None else array(mean), array(cov))
    return np.squeeze(-square / 2 - half_log_det - d * LOG_TWO_PI / 2)  # as SciPy does


def _normal_entropy(mean: Any = None, cov: Any = 1) -> Any:
    mean, cov = None if mean is None else array(mean), array(cov)
    d = _dimension(mean, cov)
    return d / 2 * (1 + LOG_TWO_PI) + np.sum(np.log(np.diagonal(np.linalg.cholesky(_matrix(cov, d)))))


def _t(x: Any, loc: Any = None, shape: Any = 1, df: Any = 1) -> Any:
    df = array(df)
    d, square, half_log_det = _distance(array(x), None if loc is None else array(loc), array(shape))
    log = special.gammaln((df + d) / 2) - special.gammaln(df / 2) - d / 2 * np.log(df * math.pi) - half_log_det
    return np.squeeze(log - (df + d) / 2 * np.log1p(square / df))


def _concentrations(alpha: Any) -> Any:
    alpha = array(alpha)
    if alpha.ndim != 1 or not np.all(constant_of(alpha) > 0):
        raise ValueError(f"scipy.stats.dirichlet needs a vector alpha of numbers > 0, got the shape {alpha.shape}")
    return alpha


def _dirichlet_entropy(alpha: Any) -> Any:
    alpha = _concentrations(alpha)
    total = np.sum(alpha)
    log_beta = np.sum(special.gammaln(alpha)) - special.gammaln(total)
    return log_beta + (total - len(alpha)) * special.psi(total) - np.sum((alpha - 1) * special.psi(alpha))


def _dirichlet(x: Any, alpha: Any) -> Any:
    x, alpha = array(x), _concentrations(alpha)
    if x.shape[0] + 1 == alpha.shape[0]:
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    if x.shape[0] != alpha.shape[0]:
        raise ValueError(f"x should have {alpha.shape[0]} or {alpha.shape[0] - 1} components along its first axis, got the shape {x.shape}")
    values = constant_of(x)
    if np.any(values < 0) or np.any(values > 1) or np.any(abs(np.sum(values, axis=0) - 1) > 1e-9):
        raise ValueError("the vectors x should lie within the unit simplex: entries in [0, 1] that add up to 1")
    weights = np.reshape(alpha, (-1,) + (1,) * (x.ndim - 1))
    return np.squeeze(np.sum(special.xlogy(weights - 1, x), axis=0) - np.sum(special.gammaln(alpha)) + special.gammaln(np.sum(alpha)))


def _multinomial(x: Any, n: Any, p: Any) -> Any:
    x, n, p = np.asarray(constant_of(array(x))), np.asarray(constant_of(array(n))), array(p)
    p = np.concatenate([p[..., :-1], 1 - np.sum(p[..., :-1], axis=-1, keepdims=True)], axis=-1)
    chances = constant_of(p)
    counts = np.all((x >= 0) & (x == np.floor(x)), axis=-1) & (np.sum(x, axis=-1) == n)
    log = special.gammaln(n + 1) + np.sum(special.xlogy(np.maximum(x, 0), p) - special.gammaln(np.maximum(x, 0) + 1), axis=-1)
    valid = (n >= 0) & np.all((chances >= -1e-12) & (chances <= 1 + 1e-12), axis=-1)
    return np.where(valid, np.where(counts, log, -np.inf), np.nan)


def _wishart(x: Any, df: Any, scale: Any) -> Any:
    x, df, scale = array(x), array(df), array(scale)
    d = int(np.shape(scale)[0]) if np.ndim(scale) == 2 else int(np.size(constant_of(scale)))
    scale = _matrix(scale, d)
    x = np.reshape(x, (1, 1)) if np.ndim(x) == 0 else x
    if x.shape != (d, d):
        raise NoRowError(f"scipy.stats.wishart with Tensors takes one matrix of the shape ({d}, {d}), got {x.shape}; loop over several")
    log_x, log_scale = np.linalg.slogdet(x)[1], np.linalg.slogdet(scale)[1]
    log = (df - d - 1) / 2 * log_x - np.trace(np.linalg.solve(scale, x)) / 2 - df * d / 2 * math.log(2) - df / 2 * log_scale
    return log - _log_multigamma(df / 2, d)


def _log_multigamma(a: Any, d: int) -> Any:
    return d * (d - 1) / 4 * math.log(math.pi) + np.sum(special.gammaln(a - np.arange(d) / 2))


def _inverse_wishart(x: Any, df: Any, scale: Any) -> Any:
    x, df, scale = array(x), array(df), array(scale)
    d = int(np.shape(scale)[0]) if np.ndim(scale) == 2 else int(np.size(constant_of(scale)))
    scale = _matrix(scale, d)
    if x.shape != (d, d):
        raise NoRowError(f"scipy.stats.invwishart with Tensors takes one matrix of the shape ({d}, {d}), got {x.shape}; loop over several")
    log_x, log_scale = np.linalg.slogdet(x)[1], np.linalg.slogdet(scale)[1]
    log = -(df + d + 1) / 2 * log_x - np.trace(np.linalg.solve(x, scale)) / 2 - df * d / 2 * math.log(2) + df / 2 * log_scale
    return log - _log_multigamma(df / 2, d)


def _dirichlet_multinomial(x: Any, alpha: Any, n: Any) -> Any:
    x, n, alpha = np.asarray(constant_of(array(x))), np.asarray(constant_of(array(n))), array(alpha)
    if not np.all(constant_of(alpha) > 0):
        raise ValueError("scipy.stats.dirichlet_multinomial needs numbers alpha > 0")
    total = np.sum(alpha, axis=-1)
    counts = np.all((x >= 0) & (x == np.floor(x)), axis=-1) & (np.sum(x, axis=-1) == n)
    x = np.maximum(x, 0)
    parts = special.gammaln(x + alpha) - special.gammaln(alpha) - special.gammaln(x + 1)
    return np.where(counts, special.gammaln(total) + special.gammaln(n + 1) - special.gammaln(n + total) + np.sum(parts, axis=-1), -np.inf)


class Multivariate(Mirrored):
    """A distribution of SciPy's whose log density, density and, where it is given, entropy take Tensors; other methods refuse them.

    Parameters
    ----------
    real : object
        SciPy's own.
    name : str
        Its name in `scipy.stats`.
    log : callable
        Its log density, with SciPy's names of the arguments, the point first.
    entropy : callable, optional
        Its entropy, of the parameters.
    """

    def __init__(self, real: Any, name: str, log: Callable[..., Any], entropy: Callable[..., Any] | None = None) -> None:
        self._real, self._title = real, f"scipy.stats.{name}"

        @functools.wraps(log)
        def density(*args: Any, **kwargs: Any) -> Any:
            return np.exp(log(*args, **kwargs))

        stem = "pmf" if hasattr(real, "logpmf") else "pdf"
        self._covered: dict[str, Callable[..., Any]] = {f"log{stem}": log, stem: density}
        if entropy is not None:
            self._covered["entropy"] = entropy
        self.__doc__ = real.__doc__

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that take Tensors."""
        return tuple(self._covered)

    def __call__(self, *args: Any, **kwargs: Any) -> FrozenMultivariate:
        """Freeze the parameters."""
        return FrozenMultivariate(self, args, kwargs)

    def _taking_tensors(self, name: str, real: Any) -> Callable[..., Any]:
        method: Callable[..., Any] = covering(real, self._covered[name], f"{self._title}.{name}")
        self.__dict__[name] = method
        return method


class FrozenMultivariate:
    """A distribution of vectors whose parameters are given."""

    def __init__(self, dist: Multivariate, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.dist, self.args, self.kwds = dist, args, kwargs
        self._real = None if holds_tensor(args) or holds_tensor(kwargs) else dist._real(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "dist":
            raise AttributeError(name)
        title = f"{self.dist._title}.{name}"
        instead = f"what takes Tensors is {', '.join(self.dist.methods)}"
        if name not in self.dist.methods:
            if self._real is None:
                raise NoRowError(f"{title} is not differentiable here, and its parameters hold a Tensor; {instead}")
            real = getattr(self._real, name)
            return refusing(real, title, instead) if callable(real) else real

        def method(*point: Any) -> Any:
            if self._real is not None and not holds_tensor(point):
                return getattr(self._real, name)(*point)
            return getattr(self.dist, name)(*point, *self.args, **self.kwds)

        return method

    def __repr__(self) -> str:
        return f"<{self.dist._title} of autograd_np, frozen>"


MULTIVARIATE: dict[str, Callable[..., Any]] = {
    "multivariate_normal": _normal,
    "multivariate_t": _t,
    "dirichlet": _dirichlet,
    "multinomial": _multinomial,
    "dirichlet_multinomial": _dirichlet_multinomial,
    "invwishart": _inverse_wishart,
    "wishart": _wishart,
}
"""SciPy's names, and log densities."""

ENTROPIES: dict[str, Callable[..., Any]] = {"multivariate_normal": _normal_entropy, "dirichlet": _dirichlet_entropy}
"""SciPy's names, and entropies in closed form."""
