"""`derive` and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_np.derivations.arrays import form_of
from autograd_np.derivations.derivation import Derived
from autograd_np.derivations.expression import children
from autograd_np.derivations.numbers import Numbers
from autograd_np.derivations.program import Program
from autograd_np.derivations.recording import Recording, record, recorded
from autograd_np.derivations.whole import calls_as_one
from autograd_np.graph import Graph

__all__ = ["Derivation", "derive", "of_graph"]


class Derivation(Derived):
    """A backward pass that was derived: a program, and mathematics.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> ag.derive(lambda x: np.sum(x**2), np.ones(3))
    <Derivation of dx>
    """

    def to_numpy(self, *, typed: bool = False) -> str:
        """Return the derivation as a program: ``forward``, ``backward`` and ``value_and_grad``.

        Parameters
        ----------
        typed : bool
            Write types.

        Returns
        -------
        str
            Python that needs nothing but NumPy, unless the function calls others (SciPy's).
        """
        return Program(self).source(typed=typed)

    def __repr__(self) -> str:
        return f"<Derivation of {', '.join(f'd{n}' for n in self.wanted)}>"


def derive(f: Callable[..., Any], *inputs: Any, wrt: str | Sequence[str] | None = None) -> Derivation:
    r"""Derive the backward pass of a function, as a person would write it.

    Parameters
    ----------
    f : callable
        Written in NumPy; returns a loss, a loss and what is saved for backward, or an array, whose gradient then arrives from outside.
    *inputs : arrays or nested containers of arrays
        Example arguments. The function is run on some of other sizes too, to tell sizes from other numbers.
    wrt : str or sequence of str, optional
        The variables whose gradients are wanted, by name; entries of containers by their keys. Every floating argument if left out.

    Returns
    -------
    Derivation

    Raises
    ------
    DifferentiationError
        If no variable has a name in `wrt`, the function returns several results and not one scalar, or complex numbers.
    LeavesNumPyError
        If `f` turns a Tensor into a plain array, number or branch.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def loss(w, x, y):
    ...     error = x @ w - y
    ...     return np.mean(error**2)
    >>> derivation = ag.derive(loss, np.ones(3), np.ones((4, 3)), np.ones(4), wrt="w")
    >>> print(derivation.to_numpy().split("\n\n\n")[2])
    def backward(x, error):
        dw = 2 * (x.T @ error) / x.shape[0]  # from error = x @ w - y
        return {"dw": dw}
    """
    return Derivation(_read(f, inputs), wrt)


def of_graph(graph: Graph, wrt: str | Sequence[str] | None = None) -> Derivation:
    """Derive from a graph: of the function that was traced, where that is known, so that sizes can be told from numbers."""
    made_by = graph.made_by
    return Derivation(_read(made_by[0], made_by[1]) if made_by is not None else recorded(graph), wrt)


def _read(f: Callable[..., Any], inputs: Sequence[Any]) -> Recording:
    """Record a function; calls of functions that are made of others are taken apart, unless what they are made of cannot be written."""
    recording = record(f, inputs)
    unwritten = _unwritten(recording)
    if unwritten:
        with calls_as_one():
            again = record(f, inputs)
        if _unwritten(again) < unwritten:
            return again
    return recording


def _unwritten(recording: Recording) -> int:
    """Return how many arrays and numbers there are that nobody named, and that no formula of sizes gives."""
    numbers = Numbers(recording)
    arrays = {n: e for n, e in (recording.inputs | recording.captured).items() if e.kind != "number"}
    found = {x for e in recording.steps for x in children(e) if x.kind in ("array", "number") and not x.name}
    return sum(numbers.text(x.values, arrays) is None if x.kind == "number" else form_of(x.values) is None for x in found)
