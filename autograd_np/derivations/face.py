"""`derive` and what it returns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from autograd_np import errors
from autograd_np.derivations.derivation import Derived
from autograd_np.derivations.mathematics.lesson import Lesson
from autograd_np.derivations.mathematics.pages import equation_in_mathml, html, latex_blocks, latex_document, markdown
from autograd_np.derivations.naming.arrays import form_of
from autograd_np.derivations.naming.numbers import Numbers
from autograd_np.derivations.reading.recording import Recording, record, recorded
from autograd_np.derivations.rules.whole import calls_as_one
from autograd_np.derivations.source.program import Program
from autograd_np.graph import Graph

__all__ = ["Derivation", "derive", "of_graph"]

MOST_OPERATIONS = 1000
"""What computes more is refused: deriving that takes long, and nobody would read what is printed."""


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

    def to_latex(self, *, index: bool = False, document: bool = True) -> str:
        r"""Return the derivation as LaTeX, step by step.

        Parameters
        ----------
        index : bool
            Write elements with their indices instead of whole arrays.
        document : bool
            Return a whole document for pdflatex; if False what stands between its beginning and its end. Either needs amsmath.

        Returns
        -------
        str

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_np as ag
        >>> derivation = ag.derive(lambda x: np.sum(x**2), np.ones(3))
        >>> print(derivation.to_latex(index=True, document=False).splitlines()[-2])
        \frac{\partial L}{\partial x_{i}} &= 2x_{i}
        """
        blocks = Lesson(self, index=index).blocks()
        return latex_document(blocks, self._title()) if document else latex_blocks(blocks)

    def to_markdown(self, *, index: bool = False) -> str:
        """Return the derivation as Markdown with LaTeX between dollars, as Jupyter and code hosts show it.

        Parameters
        ----------
        index : bool
            Write elements with their indices instead of whole arrays.

        Returns
        -------
        str
        """
        return markdown(Lesson(self, index=index).blocks())

    def to_html(self, *, index: bool = False) -> str:
        """Return the derivation and the program as one page, its mathematics as MathML; it loads nothing.

        Parameters
        ----------
        index : bool
            Write elements with their indices instead of whole arrays.

        Returns
        -------
        str
        """
        return html(Lesson(self, index=index).blocks(), self._title(), self.to_numpy())

    def to_mathml(self, variable: str, *, index: bool = False) -> str:
        """Return what the gradient by one variable is, as a ``math`` element.

        Parameters
        ----------
        variable : str
            Of the user's: ``Z1`` for the equation of ``dZ1``.
        index : bool
            Write elements with their indices instead of whole arrays.

        Returns
        -------
        str

        Raises
        ------
        DifferentiationError
            If no gradient by such a variable was derived.

        Examples
        --------
        >>> import numpy as np
        >>> import autograd_np as ag
        >>> print(ag.derive(lambda x: x * 2, 1.0).to_mathml("x")[-34:])
        <mo>=</mo><mn>2</mn></mrow></math>
        """
        return equation_in_mathml(Lesson(self, index=index).equation(variable))

    def _title(self) -> str:
        name = getattr(self.recording.f, "__name__", "<lambda>")
        return f"Derivation of {', '.join(f'd{n}' for n in self.wanted)}" + (f" of {name}" if name.isidentifier() else "")

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def _repr_latex_(self) -> str:
        return self.to_latex(document=False)

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
        If no variable has a name in `wrt`, the function returns several results and not one scalar, or complex numbers, or computes more
        than 1,000 operations: loops are written turn by turn.
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
    """Record a function; differently where there is something in it that cannot be written.

    Calls of functions that are made of others are taken apart, unless what they are made of cannot be written; what is computed from
    sizes and labels alone is recorded where what comes out is no array that NumPy makes.
    """
    best = record(f, inputs, most=MOST_OPERATIONS)
    unwritten = _unwritten(best)
    for makes, whole in ((True, False), (False, True)):
        if not unwritten:
            break
        with calls_as_one() if whole else contextlib.nullcontext():
            try:
                again = record(f, inputs, makes=makes, most=MOST_OPERATIONS)
            except errors.AutogradError:
                continue
        if _unwritten(again) < unwritten:
            best, unwritten = again, _unwritten(again)
    return best


def _unwritten(recording: Recording) -> int:
    """Return how many arrays and numbers there are that are no inputs, and that no formula of sizes gives."""
    arrays = {n: e for n, e in (recording.inputs | recording.captured).items() if e.kind != "number"}
    found = {x for e in recording.steps for x in e.children} - set(arrays.values())
    forms = [form_of(x.values) for x in found if x.kind == "array"]
    several = [x.values for x in found if x.kind == "number" and x.number is None]
    several += [n for form in forms if form is not None for n in form.numbers if len(set(n)) > 1]
    numbers = Numbers(recording) if several else None
    return forms.count(None) + sum(numbers.text(n, arrays) is None and numbers.length(n) is None for n in several if numbers is not None)
