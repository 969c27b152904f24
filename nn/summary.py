"""A table of what a model is made of, and of what shapes go through it."""

from __future__ import annotations

import html
import io
from typing import Any, NamedTuple

import autograd_np as ag
from nn.module import Module
from nn.module.functional import with_values
from nn.parameter import Parameter

__all__ = ["Summary", "SummaryRow", "summary"]


class SummaryRow(NamedTuple):
    """One Module: what is its own, without that of Modules inside.

    Attributes
    ----------
    path, type : str
    output_shape : tuple, or a list of tuples where it returned several arrays, or None where it was not called
    parameters, trainable : int
        Elements of Parameters, and of those that require a gradient; of one that is shared, where it comes first.
    memory : int
        Bytes of Parameters and buffers.
    output_memory : int
        Bytes of the output.
    """

    path: str
    type: str
    output_shape: Any
    parameters: int
    trainable: int
    memory: int
    output_memory: int


class Summary:
    """What `summary` returns; printed, or at the end of a cell in Jupyter, a table.

    Attributes
    ----------
    rows : list of SummaryRow
        The Module itself first.
    """

    def __init__(self, rows: list[SummaryRow]) -> None:
        self.rows = rows

    @property
    def parameters(self) -> int:
        """The elements of all Parameters."""
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self) -> int:
        """The elements of all Parameters that require a gradient."""
        return sum(row.trainable for row in self.rows)

    @property
    def memory(self) -> int:
        """The bytes of all Parameters and buffers."""
        return sum(row.memory for row in self.rows)

    def _cells(self) -> list[list[str]]:
        lines = []
        for row in self.rows:
            shape = "" if row.output_shape is None else str(row.output_shape).strip("[]")
            lines.append([row.path or "(model)", row.type, shape, f"{row.parameters:,}", _bytes(row.memory), _bytes(row.output_memory)])
        return lines

    def _totals(self) -> str:
        frozen = self.parameters - self.trainable
        told = f", {frozen:,} of them frozen" if frozen else ""
        return f"{self.parameters:,} parameters{told}; {_bytes(self.memory)} with buffers"

    def __str__(self) -> str:
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE, pad_edge=False)
        for i, title in enumerate(_TITLES):
            table.add_column(title, justify="right" if i > 2 else "left", no_wrap=True)
        for line in self._cells():
            table.add_row(*(Text(_printable(cell)) for cell in line))
        out = io.StringIO()
        console = Console(file=out, width=10_000, color_system=None, legacy_windows=False)
        console.print(table)
        lines = [line.rstrip() for line in out.getvalue().splitlines() if line.strip()]
        return "\n".join([*lines, self._totals()])

    def __repr__(self) -> str:
        return f"<Summary of {len(self.rows)} modules, {self._totals()}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in _TITLES)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(_printable(cell))}</td>" for cell in line) + "</tr>" for line in self._cells())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{html.escape(self._totals())}</p>"


_TITLES = ("module", "type", "output", "parameters", "memory", "output memory")


def summary(model: Module, *input: Any, **kwargs: Any) -> Summary:  # noqa: A002
    """Return a table of the Modules inside a model: their paths, types, output shapes, parameters and memory.

    The model is called once, in evaluation mode, without recording; its buffers and modes are left as they are.

    Parameters
    ----------
    model : Module
    *input, **kwargs
        What the model is called with. Without any it is not called, and there are no output shapes.

    Returns
    -------
    Summary
        Printed, a table; `rows` for programs.

    Raises
    ------
    TypeError
        If `model` is no Module.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh(), nn.Linear(3, 1, rng=1))
    >>> table = nn.summary(model, np.ones((5, 2)))
    >>> table.parameters
    13
    >>> [(row.path, row.output_shape) for row in table.rows]
    [('', (5, 1)), ('0', (5, 3)), ('1', (5, 3)), ('2', (5, 1))]
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary needs a Module, got {type(model).__name__}")
    outputs: dict[int, Any] = {}
    copy: Module = with_values(model, {}, {}).eval()
    modules = dict(copy.named_modules())
    for module in modules.values():
        module.register_forward_hook(lambda module, _, output: outputs.__setitem__(id(module), _arrays(output)))
    if input or kwargs:
        with ag.no_grad():
            copy(*input, **kwargs)
    counted: set[int] = set()
    return Summary([_row(path, module, outputs.get(id(module)), counted) for path, module in modules.items()])


def _row(path: str, module: Module, arrays: list[Any] | None, counted: set[int]) -> SummaryRow:
    own = [p for _, p in module._members() if isinstance(p, Parameter) and id(p) not in counted]
    counted.update(map(id, own))
    buffers = [b for b in (getattr(module, name) for name in module._buffers) if b is not None]
    shapes = None if arrays is None else [tuple(a.shape) for a in arrays]
    return SummaryRow(
        path,
        type(module).__name__,
        shapes[0] if shapes is not None and len(shapes) == 1 else shapes,
        sum(p.size for p in own),
        sum(p.size for p in own if p.requires_grad),
        sum(x.nbytes for x in (*own, *buffers)),
        sum(a.size * a.dtype.itemsize for a in arrays or ()),
    )


def _arrays(output: Any) -> list[Any]:
    """Return the arrays in what a Module returned, which may be nested."""
    if isinstance(output, dict):
        return [a for item in output.values() for a in _arrays(item)]
    if isinstance(output, (list, tuple)):
        return [a for item in output for a in _arrays(item)]
    return [output] if hasattr(output, "shape") else []


def _bytes(n: int) -> str:
    if n < 1000:
        return f"{n} B" if n else "0"
    for unit in ("kB", "MB", "GB"):
        n_in_unit = n / 1000 ** (("kB", "MB", "GB").index(unit) + 1)
        if n_in_unit < 1000 or unit == "GB":
            break
    return f"{n_in_unit:.3g} {unit}"


def _printable(text: str) -> str:
    return text if text.isprintable() else repr(text)[1:-1]
