"""What the mirrored distributions have in common: arguments as SciPy takes them, supports, frozen distributions, refusals.

A `Law` is a distribution in standard form, without location and scale, as NumPy formulas made of rows. On plain arguments
everything is SciPy's own.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.calls import plain
from autograd_np.creating import gathered
from autograd_np.errors import NoRowError
from autograd_np.op import constant_of, is_numpys
from autograd_np.scipy.mirror import holds_tensor, refusing

__all__ = ["Distribution", "Frozen", "Law", "Mirrored", "array", "checked", "named"]


def _positive(*shapes: Any) -> Any:
    ok: Any = True
    for shape in shapes:
        ok = ok & (shape > 0)
    return ok


def _nowhere_below(*_shapes: Any) -> float:
    return -np.inf


def _nowhere_above(*_shapes: Any) -> float:
    return np.inf


@dataclass(frozen=True)
class Law:
    """A distribution in standard form; each function takes the point, or a probability, and the shapes.

    Attributes
    ----------
    log_density : callable
        The logarithm of the density, or of the probability; only asked inside the support.
    cdf, sf, logcdf, logsf, ppf, isf : callable, optional
        What is missing is made of what is there, ``log(cdf)`` and ``1 - cdf``; without `cdf` all are refused.
    low, high : callable
        The ends of the support, of the shapes.
    valid : callable
        Of the shapes: where they are allowed. The result is NaN elsewhere.
    middle : float
        A point inside every support, which stands where the argument is outside.
    """

    log_density: Callable[..., Any]
    cdf: Callable[..., Any] | None = None
    sf: Callable[..., Any] | None = None
    logcdf: Callable[..., Any] | None = None
    logsf: Callable[..., Any] | None = None
    ppf: Callable[..., Any] | None = None
    isf: Callable[..., Any] | None = None
    low: Callable[..., Any] = _nowhere_below
    high: Callable[..., Any] = _nowhere_above
    valid: Callable[..., Any] = _positive
    middle: float = 0.5

    def has(self, method: str) -> bool:
        """Whether a method is there, or can be made of others."""
        if method in ("logpdf", "pdf", "logpmf", "pmf"):
            return True
        return getattr(self, method) is not None or (method in ("sf", "logcdf", "logsf") and self.cdf is not None)

    def evaluate(self, method: str, z: Any, shapes: tuple[Any, ...]) -> Any:
        """Return what a method gives inside the support."""
        given = getattr(self, method)
        if given is not None:
            return given(z, *shapes)
        if method == "sf":
            return 1 - self.evaluate("cdf", z, shapes)
        inner = self.evaluate(method.removeprefix("log"), z, shapes)
        zero = inner <= 0
        return np.where(zero, -np.inf, np.log(np.where(zero, 1, inner)))


def array(x: Any) -> Any:
    """Return an argument as an array, a Tensor or a number of double precision: SciPy computes with no other."""
    x = gathered(x)
    if isinstance(x, (int, float)):
        return float(x)
    if not hasattr(x, "dtype"):
        x = np.asarray(x)
    return x if x.dtype == np.float64 or x.dtype.kind == "c" else x.astype(np.float64)


def checked(valid: Any, result: Any) -> Any:
    """Return the result, with NaN where the parameters are not allowed."""
    ok = constant_of(valid)
    if ok is True or (is_numpys(ok) and np.all(ok)):
        return result
    return np.where(ok, result, np.nan)


OF_POINTS = ("logpdf", "pdf", "logpmf", "pmf", "cdf", "logcdf", "sf", "logsf")
OF_PROBABILITIES = ("ppf", "isf")
_UNDERFLOW = -746.0
"""The exponential of this, and of less, is 0."""


class Mirrored:
    """A distribution of SciPy's: some of its methods take Tensors, others are SciPy's own, and refused with them."""

    _real: Any
    _title: str

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that take Tensors."""
        raise NotImplementedError

    def _taking_tensors(self, name: str, real: Any) -> Callable[..., Any]:
        """Return one of these methods; `real` is SciPy's."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        real = getattr(self._real, name)
        if name.startswith("_") or not callable(real):
            return real
        if name not in self.methods:
            return refusing(real, f"{self._title}.{name}", f"what takes Tensors is {', '.join(self.methods)}")
        return self._taking_tensors(name, real)

    def __dir__(self) -> list[str]:
        return dir(self._real)

    def __repr__(self) -> str:
        return f"<{self._title} of autograd_np>"

    def __reduce__(self) -> tuple[Any, ...]:  # pickled by its name, as SciPy's
        return named, (self._title.rpartition(".")[2],)


class Distribution(Mirrored):
    """A distribution of SciPy's whose methods take Tensors; methods that are not covered are SciPy's, and refused with them.

    Parameters
    ----------
    real : scipy.stats.rv_continuous or rv_discrete
        SciPy's own.
    law : Law
        Its formulas.
    """

    def __init__(self, real: Any, law: Law) -> None:
        self._real, self._law = real, law
        self.discrete = hasattr(real, "pmf")
        shapes = [s.strip() for s in (real.shapes or "").split(",") if s.strip()]
        self._names = (*shapes, "loc") if self.discrete else (*shapes, "loc", "scale")
        self._title = f"scipy.stats.{real.name}"
        self.__doc__ = real.__doc__

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that take Tensors."""
        return tuple(m for m in (*OF_POINTS, *OF_PROBABILITIES) if hasattr(self._real, m) and self._covers(m))

    def _covers(self, method: str) -> bool:
        return self._law.has(method) and not (self.discrete and method in OF_PROBABILITIES)

    def __call__(self, *args: Any, **kwargs: Any) -> Frozen:
        """Freeze the parameters: ``norm(loc, scale).logpdf(x)``."""
        return Frozen(self, args, kwargs)

    def _taking_tensors(self, name: str, real: Any) -> Callable[..., Any]:

        def method(*args: Any, **kwargs: Any) -> Any:
            if not holds_tensor(args) and not holds_tensor(kwargs):
                return real(*args, **kwargs)
            return self._compute(name, args, kwargs)

        method.__name__, method.__doc__ = name, getattr(real, "__doc__", None)
        return method

    def _sorted(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the point, the shapes, loc and scale of a call."""
        point = "q" if method in OF_PROBABILITIES else "k" if self.discrete else "x"
        names = (point, *self._names)
        if len(args) > len(names):
            raise TypeError(f"{self._title}.{method} takes {len(names)} arguments ({', '.join(names)}), got {len(args)}")
        given: dict[str, Any] = {"loc": 0, "scale": 1} | dict(zip(names, args, strict=False))
        for key, value in kwargs.items():
            name = point if key in ("x", "k", "q") and key not in self._names else key
            if name not in names:
                raise TypeError(f"{self._title}.{method} got an unexpected argument {key!r}; it takes {', '.join(names)}")
            if name in names[: len(args)]:
                raise TypeError(f"{self._title}.{method} got two values for the argument {key!r}")
            given[name] = value
        missing = [name for name in names if name not in given]
        if missing:
            raise TypeError(f"{self._title}.{method} needs a value for {', '.join(missing)}")
        shapes = tuple(array(given[name]) for name in names[1:] if name not in ("loc", "scale"))
        return given[point], shapes, given["loc"], given["scale"]

    def _compute(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        point, shapes, loc, scale = self._sorted(method, args, kwargs)
        if self.discrete:
            return self._of_count(method, point, shapes, loc)
        valid = self._law.valid(*shapes)
        loc, scale = array(loc), array(scale)
        unit = isinstance(scale, float) and scale == 1
        if not unit:
            valid = valid & (scale > 0)
            scale = np.where(scale > 0, scale, 1) if not is_numpys(v := constant_of(scale)) or not np.all(v > 0) else scale
        if method in OF_PROBABILITIES:
            z = self._quantile(method, array(point), shapes)
            return checked(valid, z * scale + loc)
        z = array(point)
        z = z if isinstance(loc, float) and loc == 0 else z - loc
        z = z if unit else z / scale
        if method in ("logpdf", "pdf"):
            found = self._density(method, z, shapes, 0 if unit else np.log(scale))
        else:
            found = self._cumulative(method, z, shapes)
        return checked(valid, found)

    def _density(self, method: str, z: Any, shapes: tuple[Any, ...], log_scale: Any, also_out: Any = False) -> Any:
        out = constant_of((z < self._law.low(*shapes)) | (z > self._law.high(*shapes)) | (abs(z) == np.inf) | also_out)
        found = self._inside(z, out, shapes, log_scale)
        lost = constant_of(found) <= (-np.inf if method.startswith("log") else _UNDERFLOW)  # nothing flows there, as outside
        if is_numpys(lost, out) and np.any(lost & ~out):
            found = self._inside(z, out | lost, shapes, log_scale)
        return found if method.startswith("log") else np.exp(found)

    def _inside(self, z: Any, out: Any, shapes: tuple[Any, ...], log_scale: Any) -> Any:
        """Return the log density, minus infinity where `out` says so."""
        if is_numpys(out) and not np.any(out):
            return self._law.log_density(z, *shapes) - log_scale
        return np.where(out, -np.inf, self._law.log_density(np.where(out, self._law.middle, z), *shapes) - log_scale)

    def _cumulative(self, method: str, z: Any, shapes: tuple[Any, ...]) -> Any:
        law = self._law
        below, above = constant_of(z <= law.low(*shapes)), constant_of(z >= law.high(*shapes))
        out = below | above
        if is_numpys(out) and not np.any(out):
            return law.evaluate(method, z, shapes)
        at_ends = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-np.inf, 0.0), "logsf": (0.0, -np.inf)}[method]
        return np.where(out, np.where(below, *at_ends), law.evaluate(method, np.where(out, law.middle, z), shapes))

    def _quantile(self, method: str, q: Any, shapes: tuple[Any, ...]) -> Any:
        given = getattr(self._law, method)
        return given(q, *shapes) if given is not None else self._law.evaluate("ppf", 1 - q, shapes)

    def _of_count(self, method: str, point: Any, shapes: tuple[Any, ...], loc: Any) -> Any:
        counts = [np.asarray(plain(gathered(v), f"{self._title}.{method}(..., {name}=)", [])) for name, v in (("k", point), ("loc", loc))]
        k = (counts[0] - counts[1]).astype(float)
        valid = self._law.valid(*shapes)
        if method in ("logpmf", "pmf"):
            return checked(valid & ~np.isnan(k), self._density(method, k, shapes, 0, k != np.floor(k)))
        k = np.floor(k)
        law = self._law
        below, above = k < constant_of(law.low(*shapes)), k >= constant_of(law.high(*shapes))
        at_ends = {"cdf": (0.0, 1.0), "sf": (1.0, 0.0), "logcdf": (-np.inf, 0.0), "logsf": (0.0, -np.inf)}[method]
        out = below | above
        safe = np.where(out, constant_of(law.low(*shapes)), k)
        found = law.evaluate(method, safe, shapes)
        found = np.where(out, np.where(below, *at_ends), found) if np.any(out) else found
        return checked(valid & ~np.isnan(k), found)


def named(name: str) -> Any:
    """Return a mirrored distribution."""
    return importlib.import_module("autograd_np.scipy.stats").GIVEN[name]


class Frozen:
    """A distribution whose parameters are given; its methods take Tensors, and so may the parameters.

    Where neither holds Tensors, everything is that of SciPy's frozen distribution.
    """

    def __init__(self, law: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.dist, self.args, self.kwds = law, args, kwargs
        self._has_tensors = holds_tensor(args) or holds_tensor(kwargs)
        self._real = None if self._has_tensors else law._real(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "dist":
            raise AttributeError(name)
        if name not in self.dist.methods:
            if self._real is None:
                if not hasattr(self.dist._real, name):
                    raise AttributeError(f"{self.dist!r} has no attribute {name!r}")
                raise NoRowError(
                    f"{self.dist._title}.{name} is not differentiable here, and its parameters hold a Tensor; what takes Tensors is "
                    f"{', '.join(self.dist.methods)}"
                )
            real = getattr(self._real, name)
            return (
                refusing(real, f"{self.dist._title}.{name}", f"what takes Tensors is {', '.join(self.dist.methods)}")
                if callable(real)
                else real
            )

        def method(x: Any, *args: Any, **kwargs: Any) -> Any:
            if self._real is not None and not holds_tensor((x, *args)) and not holds_tensor(kwargs):
                return getattr(self._real, name)(x, *args, **kwargs)
            return getattr(self.dist, name)(x, *self.args, *args, **self.kwds, **kwargs)

        return method

    def __repr__(self) -> str:
        return f"<{self.dist._title} of autograd_np, frozen>"
