"""What a check found, as plain records: a mistake, a gradient of the table, a derivative of the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from autograd_np.check.judge.compare import Comparison
from autograd_np.check.tell.words import quotient

__all__ = ["Finding", "GradientCheck", "GradientRow", "because_of", "row_of"]


@dataclass
class Finding:
    """One mistake, at its line.

    Attributes
    ----------
    line : int
        1-based, in the user's file.
    variable : str
        The variable of the backward function that is wrong.
    kind : str
        ``"sign"``, ``"scale"``, ... or ``"unknown"``; see the design.
    message : str
        What is wrong, in the user's own names.
    factor : float or None
        For ``"scale"`` and ``"sign"``.
    source, function, file : str
        The text of the line, and where it stands.
    expected, actual : float
        At `worst_index`, the element that differs most.
    shape_expected, shape_actual : tuple of int or None
    end_line : int
        The last line of the statement that begins at `line`; 0 if it is that line.
    fix : str or None
        The lines from `line` to `end_line` as they should be, indented and in the style of the code. Given only if the whole
        pass was run with it, on all points, and this mistake was gone.
    call : str
        Where the line is inside a helper: ``"net.py:23: dA, dW = linear_backward(dZ, cache)"``, the call that showed it.
    consequences : list of str
        What is wrong only because of this mistake: ``"dW1 (line 19)"``.
    rivals : list of Finding
        The other statements that may be the mistaken one instead: a change there cures all of it as well, and nothing in the code
        tells which was meant. At most two; each has the change as its own `message` and `fix`, and no rivals.
    """

    line: int
    variable: str
    kind: str
    message: str
    factor: float | None = None
    source: str = ""
    function: str = ""
    file: str = ""
    expected: float = math.nan
    actual: float = math.nan
    worst_index: tuple[int, ...] = ()
    shape_expected: tuple[int, ...] | None = None
    shape_actual: tuple[int, ...] | None = None
    end_line: int = 0
    fix: str | None = None
    call: str = ""
    consequences: list[str] = field(default_factory=list)
    rivals: list[Finding] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Actual by expected; NaN where that is 0 / 0."""
        return quotient(self.actual, self.expected)


@dataclass
class GradientCheck:
    """One gradient, or one line's variable, compared with the engine.

    Attributes
    ----------
    name, variable : str
        The forward variable, and what the backward function calls its gradient.
    ok : bool
    max_abs_error, max_rel_error : float
    worst_index : tuple of int
        Where they are largest; `expected` and `actual` are the values there.
    shape : tuple of int
    note : str
        Such as ``"m × ∂L/∂Z2, by convention"``.
    line : int or None
    verdict : str
        ``"pass"``, ``"fail"`` or ``"inconclusive"``; follows `ok` if left out.
    """

    name: str
    variable: str
    ok: bool
    max_abs_error: float = 0.0
    max_rel_error: float = 0.0
    worst_index: tuple[int, ...] = ()
    expected: float = math.nan
    actual: float = math.nan
    shape: tuple[int, ...] = ()
    note: str = ""
    line: int | None = None
    verdict: str = ""

    def __post_init__(self) -> None:
        self.verdict = self.verdict or ("pass" if self.ok else "fail")

    @property
    def ratio(self) -> float:
        """Actual by expected; NaN where that is 0 / 0."""
        return quotient(self.actual, self.expected)


@dataclass
class GradientRow:
    """One derivative of a table of `autograd_np.check_gradients`.

    Attributes
    ----------
    name : str
        The argument, or for containers ``params['W']``.
    index : tuple of int or None
        The element; ``None`` for a random direction through all of them.
    mode : str
        ``"reverse"``, ``"forward"``, ``"second order"`` or ``"value"`` (of the function itself, on Tensors and on arrays).
    expected, actual : float
        The numeric value and the engine's.
    error : float
        The estimated error of the numeric value.
    verdict : str
        ``"pass"``, ``"fail"`` or ``"inconclusive"``.
    """

    name: str
    index: tuple[int, ...] | None
    mode: str
    expected: float
    actual: float
    error: float
    verdict: str

    @property
    def ratio(self) -> float:
        """Actual by expected; NaN where that is 0 / 0."""
        return quotient(self.actual, self.expected)


def row_of(found: Comparison, note: str = "") -> GradientCheck:
    """Return the row of a table for a comparison."""
    shown = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "constant"}
    return GradientCheck(**shown, note=note)


def because_of(check: GradientCheck, findings: Sequence[Finding]) -> str:
    """Say so if a gradient is wrong only because of a mistake elsewhere."""
    causes = [f for f in findings if not check.ok and any(c.partition(" (")[0] == check.variable for c in f.consequences)]
    return f"wrong only because of line {' and '.join(str(f.line) for f in causes)}" if causes else ""
