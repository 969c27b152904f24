"""Random numbers that a model draws, as data: they are drawn outside, from the same generators in the same order, and handed in.

`Recorder` stands for a model's generators in a run that finds out what is drawn; `Replay` while the model runs on numbers that are there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag

__all__ = ["Call", "OtherDrawsError", "draw", "recording", "replaying", "states_of"]

METHODS = (
    "beta", "binomial", "chisquare", "choice", "exponential", "f", "gamma", "geometric", "gumbel", "integers", "laplace", "logistic",
    "lognormal", "multinomial", "multivariate_normal", "normal", "pareto", "permutation", "poisson", "random", "rayleigh",
    "standard_cauchy", "standard_exponential", "standard_gamma", "standard_normal", "standard_t", "triangular", "uniform", "vonmises",
    "wald", "weibull", "zipf",
)  # fmt: skip


class OtherDrawsError(ag.CompileError):
    """A model drew something else than what was recorded."""


class Call(NamedTuple):
    """One call of a generator."""

    generator: np.random.Generator
    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class _Standing(np.random.Generator):
    """Stands for a generator, and hands each call on; to other threads it is the generator."""

    def __init__(self, generator: np.random.Generator) -> None:
        super().__init__(generator.bit_generator)
        self._of = generator
        self._thread = threading.get_ident()

    def _called(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise NotImplementedError


def _method(name: str) -> Any:
    def method(self: _Standing, *args: Any, **kwargs: Any) -> Any:
        if self._thread != threading.get_ident():
            return getattr(self._of, name)(*args, **kwargs)
        return self._called(name, args, kwargs)

    return method


for _name in METHODS:
    setattr(_Standing, _name, _method(_name))


class _Recorder(_Standing):
    def __init__(self, generator: np.random.Generator, calls: list[Call]) -> None:
        super().__init__(generator)
        self._calls = calls

    def _called(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self._calls.append(Call(self._of, method, args, kwargs))
        return getattr(self._of, method)(*args, **kwargs)


class _Replay(_Standing):
    def __init__(self, generator: np.random.Generator, left: Iterator[tuple[Call, Any]]) -> None:
        super().__init__(generator)
        self._left = left

    def _called(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call, found = next(self._left, (None, None))
        if call is None or call.generator is not self._of or not _same((call.method, call.args, call.kwargs), (method, args, kwargs)):
            raise OtherDrawsError(
                f"random numbers are drawn otherwise than before ({method}): with arguments that are computed, or by a branch"
            )
        return found


def _same(x: Any, y: Any) -> bool:
    """Whether two calls are alike; arrays and what stands for data are not looked into."""
    if isinstance(x, (tuple, list)):
        return type(x) is type(y) and len(x) == len(y) and all(map(_same, x, y))
    if isinstance(x, dict):
        return isinstance(y, dict) and x.keys() == y.keys() and all(_same(x[k], y[k]) for k in x)
    return type(x) is type(y) and not isinstance(x, (np.ndarray, ag.Tensor)) and bool(x == y)


def _standing(generators: dict[tuple[int, str], np.random.Generator], make: Any) -> dict[tuple[int, str], Any]:
    made: dict[int, Any] = {}
    for g in generators.values():
        if id(g) not in made:
            made[id(g)] = make(g)
    return {place: made[id(g)] for place, g in generators.items()}


def recording(generators: dict[tuple[int, str], np.random.Generator], calls: list[Call]) -> dict[tuple[int, str], Any]:
    """Return what to put in the place of generators, which notes every call in `calls`."""
    return _standing(generators, lambda g: _Recorder(g, calls))


def replaying(
    generators: dict[tuple[int, str], np.random.Generator], calls: Sequence[Call], found: Sequence[Any]
) -> tuple[dict[tuple[int, str], Any], Iterator[Any]]:
    """Return what to put in the place of generators, which gives what these calls have given; and what is left of that."""
    left = iter(list(zip(calls, found, strict=True)))
    return _standing(generators, lambda g: _Replay(g, left)), left


def draw(calls: Sequence[Call]) -> list[Any]:
    """Draw from the generators themselves."""
    return [getattr(c.generator, c.method)(*c.args, **c.kwargs) for c in calls]


def states_of(generators: dict[tuple[int, str], np.random.Generator]) -> list[tuple[Any, Any]]:
    """Return the bit generators with their states, to be put back."""
    return [(g.bit_generator, g.bit_generator.state) for g in generators.values()]
