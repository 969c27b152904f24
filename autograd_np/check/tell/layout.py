"""A report as a list of blocks, for the terminal (rich) and as plain text; `html` writes the same blocks for a notebook.

Every text is shown as it is: no markup is read out of it. No line is wider than the terminal: texts are wrapped under their
own beginning, and a table gives up columns, in the order in which they can be missed, before its cells are broken.
"""

from __future__ import annotations

import difflib
import io
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_np.text import visible

__all__ = ["Block", "Diff", "Drawing", "Excerpt", "Grid", "Line", "edited", "fitting", "numbered", "to_rich", "to_text"]

_RICH = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "heading": "bold", "-": "red", "+": "green", "": ""}
GAP = 2  # between the columns of a table


@dataclass(frozen=True)
class Line:
    """A paragraph; `style` is a verdict, ``"heading"`` or nothing; `mark` stands before it, and its further lines under it."""

    text: str
    style: str = ""
    indent: int = 0
    mark: str = ""


@dataclass(frozen=True)
class Excerpt:
    """Source lines (number, text); those from `marked` to `last` are marked."""

    lines: tuple[tuple[int, str], ...]
    marked: int
    last: int = 0


@dataclass(frozen=True)
class Diff:
    """Lines as they are, and as they should be."""

    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table; each row has a verdict as its style, and maybe a note.

    `given_up` are the columns that a narrow terminal does without, in this order. Notes are the last column, or stand below
    the table where they do not fit.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    styles: tuple[str, ...]
    left: int = 1  # so many first columns hold words, the others numbers
    notes: tuple[str, ...] = ()
    given_up: tuple[int, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """A picture as SVG, which only HTML shows."""

    svg: str
    title: str


Block = Line | Excerpt | Diff | Grid | Drawing


def numbered(block: Excerpt) -> list[tuple[str, str, str]]:
    """Return what stands before each line of an excerpt, the line, and its style."""
    width = max(len(str(n)) for n, _ in block.lines)
    marked = range(block.marked, max(block.marked, block.last) + 1)
    return [(f"{'>' if n in marked else ' '} {n:{width}} | ", text, "fail" if n in marked else "") for n, text in block.lines]


def edited(block: Diff) -> list[tuple[str, str, str]]:
    """Return what stands before each line of a diff, the line, and its style."""
    changes = difflib.SequenceMatcher(None, block.old, block.new, autojunk=False).get_opcodes()
    lines: list[tuple[str, str, str]] = []
    for change, i, j, k, n in changes:
        if change == "equal":
            lines += [("  ", text, "") for text in block.old[i:j]]
        else:
            lines += [*(("- ", text, "-") for text in block.old[i:j]), *(("+ ", text, "+") for text in block.new[k:n])]
    return lines


def fitting(grid: Grid, width: int) -> tuple[list[int], bool]:
    """Return the columns of a table that fit, and whether its notes fit beside them."""
    from rich.cells import cell_len

    widths = [max(cell_len(row[i]) for row in (grid.headers, *grid.rows)) for i in range(len(grid.headers))]
    noted = max(map(cell_len, grid.notes), default=0)
    kept = list(range(len(widths)))
    for column in (None, *grid.given_up):
        if column is not None:
            kept.remove(column)
        needed = sum(widths[i] for i in kept) + GAP * (len(kept) - 1)
        if column is None and noted and needed + GAP + noted <= width:
            return kept, True
        if needed <= width:
            break
    return kept, False


class _Hanging:
    """A text whose further lines begin under its first one, behind what is set before it."""

    def __init__(self, before: str, text: str, style: str, under: str | None = None) -> None:
        self.before, self.text, self.style = before, text, style
        self.under = " " * len(before) if under is None else under

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.text import Text

        text = Text(visible(self.text, keep="\n\t"), style=self.style)
        room = max(options.max_width - len(self.before), 8)
        for i, line in enumerate(text.wrap(console, room, overflow="fold", tab_size=4) or [Text("")]):
            yield Text.assemble((self.under if i else self.before, self.style), line)


class _Table:
    """A grid as wide as it may be."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.box import SIMPLE
        from rich.table import Table
        from rich.text import Text

        grid = self.grid
        kept, beside = fitting(grid, options.max_width)
        table = Table(box=SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
        for i in kept:
            table.add_column(Text(grid.headers[i]), justify="left" if i < grid.left else "right", overflow="fold")
        if beside:
            table.add_column(Text("note"))
        notes = grid.notes or ("",) * len(grid.rows)
        for row, note, style in zip(grid.rows, notes, grid.styles, strict=True):
            cells = [*(row[i] for i in kept), *([note] if beside else [])]
            table.add_row(*(Text(visible(c, keep="\n\t"), overflow="fold") for c in cells), style=_RICH[style] if style != "pass" else "")
        yield table
        if not beside:
            yield from (_Hanging("", f"{row[0]}: {note}", "", "  ") for row, note in zip(grid.rows, notes, strict=True) if note)


def to_rich(blocks: Sequence[Block]) -> Any:
    """Return a rich renderable."""
    from rich.console import Group

    parts: list[Any] = []
    for block in blocks:
        if isinstance(block, Line):
            parts += [_Hanging(" " * block.indent + block.mark, text, _RICH[block.style]) for text in block.text.split("\n")]
        elif isinstance(block, Excerpt):
            parts += [_Hanging(f"  {before}", text, _RICH[style], " " * len(before) + "| ") for before, text, style in numbered(block)]
        elif isinstance(block, Diff):
            parts += [_Hanging(f"    {before}", text, _RICH[style]) for before, text, style in edited(block)]
        elif isinstance(block, Grid):
            parts.append(_Table(block))
    return Group(*parts)


def to_text(blocks: Sequence[Block], width: int | None = None) -> str:
    """Return plain text, as wide as the terminal (COLUMNS; 80 when piped) but not wider than 120."""
    from rich.console import Console

    out = io.StringIO()
    width = width or max(20, min(120, shutil.get_terminal_size((80, 24)).columns))
    console = Console(file=out, width=width, color_system=None, force_terminal=False, force_jupyter=False, legacy_windows=False)
    console.print(to_rich(blocks), highlight=False)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))
