"""What a case is: a loss in the words of any array package, arrays of any size, and the same by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Arrays", "Case", "Problem", "Running"]

Arrays = tuple[np.ndarray, ...]


class Problem(NamedTuple):
    """The parameters, and what else the loss is given."""

    parameters: Arrays
    data: Arrays


class Running(NamedTuple):
    """A contender at work.

    Attributes
    ----------
    call : callable
        Does all that is timed, and returns the loss.
    results : callable
        What it computed, as arrays.
    settled : callable
        Whether calls are now what they will be: who chooses among ways has chosen.
    """

    call: Callable[[], Any]
    results: Callable[[], Arrays]
    settled: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Case:
    """What is computed, and at which sizes.

    Attributes
    ----------
    title : str
        Of its table and its plot.
    size : str
        What the size is called.
    sizes : tuple of int
        At which it is timed.
    small : int
        A size that is smaller than all these: to see that everything runs, and to load what a contender loads when it is first used.
    problem : callable
        ``problem(size, rng) -> Problem``.
    loss : callable
        ``loss(words, parameters, *data)``; `words` are the functions of an array package.
    by_hand : callable
        ``by_hand(parameters, *data) -> (loss, gradients)``, as a person writes it.
    tuned : callable or None
        ``tuned(parameters, *data) -> (call, gradients)``: every array is made beforehand, and `call` fills them and returns the loss.
        None where nobody would write that.
    rate : float or None
        Of the gradient descent, of which a step is timed; None where the gradients are what is wanted.
    hessian : bool
        Whether the second derivatives by the only parameter are wanted; `by_hand` and `tuned` then give the Hessian for the gradient.
    needs : frozenset of str
        What not every package has: ``"hessian"``, ``"cholesky"``.
    in_place : bool
        Whether parameters are so large that whoever compiles NumPy code would have it write the step into them.
    tolerance : float
        How far results may differ, of the largest.
    """

    title: str
    size: str
    sizes: tuple[int, ...]
    small: int
    problem: Callable[[int, np.random.Generator], Problem]
    loss: Callable[..., Any]
    by_hand: Callable[..., tuple[Any, Arrays]]
    tuned: Callable[..., tuple[Callable[[], Any], Arrays]] | None = None
    rate: float | None = None
    hessian: bool = False
    needs: frozenset[str] = frozenset()
    tolerance: float = 1e-9
    in_place: bool = False
