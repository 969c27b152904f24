"""Which of SciPy's functions `autograd_np.scipy` has: names alone, so that a refusal can tell the import line without SciPy's modules.

Only names may live here; a test holds them to what the modules of `autograd_np.scipy` have.
"""

from __future__ import annotations

__all__ = ["MIRRORED", "import_line"]

MIRRORED: dict[str, str] = {
    "scipy.integrate": "cumulative_trapezoid odeint quad simpson solve_ivp trapezoid",
    "scipy.interpolate": (
        "Akima1DInterpolator BSpline CubicHermiteSpline CubicSpline PPoly PchipInterpolator RegularGridInterpolator interp1d interpn "
        "make_interp_spline splev"
    ),
    "scipy.linalg": (
        "block_diag cho_factor cho_solve cholesky circulant det eig eigh eigvals eigvalsh expm expm_frechet hankel inv logm lstsq lu "
        "lu_factor lu_solve norm pinv qr solve solve_banded solve_continuous_lyapunov solve_discrete_lyapunov solve_lyapunov "
        "solve_sylvester solve_triangular sqrtm svd svdvals toeplitz"
    ),
    "scipy.ndimage": "convolve convolve1d correlate correlate1d gaussian_filter gaussian_filter1d uniform_filter uniform_filter1d",
    "scipy.optimize": (
        "bisect brenth brentq fixed_point fsolve least_squares minimize minimize_scalar newton ridder root root_scalar toms748"
    ),
    "scipy.signal": "convolve convolve2d correlate correlate2d fftconvolve lfilter oaconvolve",
    "scipy.sparse": "",
    "scipy.sparse.linalg": "factorized splu spsolve",
    "scipy.special": "comb lambertw log_softmax logsumexp multigammaln polygamma softmax softplus zeta",
    "scipy.stats": """
        bernoulli beta betabinom betaprime binom burr12 cauchy chi chi2 dirichlet dirichlet_multinomial entropy expon
        exponnorm f fisk gamma genextreme gennorm genpareto geom gompertz gumbel_l gumbel_r halfcauchy halflogistic halfnorm
        invgamma invgauss invweibull invwishart laplace laplace_asymmetric levy loggamma logistic lognorm loguniform lomax
        maxwell moyal multinomial multivariate_normal multivariate_t nakagami nbinom norm pareto poisson powerlaw rayleigh
        rice skewnorm t triang truncnorm uniform vonmises weibull_min wishart zscore""",
}
"""A module of SciPy's -> the names in it that understand Tensors only when they are imported from `autograd_np.scipy`."""


def import_line(name: str) -> str:
    """Return the line that imports a function of SciPy's which takes Tensors, or nothing if there is none.

    Parameters
    ----------
    name : str
        Such as ``"scipy.stats.norm.logpdf"``; what stands after the function's name does not matter.

    Examples
    --------
    >>> import_line("scipy.special.logsumexp")
    'from autograd_np.scipy.special import logsumexp'
    >>> import_line("scipy.special.erf_zeros")
    ''
    """
    parts = name.split(".")
    for n in range(len(parts) - 1, 0, -1):
        where = ".".join(parts[:n])
        if parts[n] in MIRRORED.get(where, "").split():
            return f"from autograd_np.{where} import {parts[n]}"
    return "from autograd_np.scipy import stats" if name.startswith("scipy.stats.") and "frozen" in name else ""
