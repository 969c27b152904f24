"""A report as a list of blocks, and three writers: rich (terminal), text (pipe, exception), HTML (Jupyter).

Every text is shown as it is: no markup is read out of it, and HTML is escaped.
"""

from __future__ import annotations

import html
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Block", "Excerpt", "Grid", "Line", "to_html", "to_rich", "to_text"]

_RICH = {"pass": "green", "fail": "bold red", "inconclusive": "yellow", "heading": "bold", "": ""}
_CSS = {
    "pass": "color:#1a7f37",
    "fail": "color:#d1242f;font-weight:bold",
    "inconclusive": "color:#9a6700",
    "heading": "font-weight:bold",
    "": "",
}


@dataclass(frozen=True)
class Line:
    """A paragraph; `style` is a verdict, ``"heading"`` or nothing."""

    text: str
    style: str = ""
    indent: int = 0


@dataclass(frozen=True)
class Excerpt:
    """Source lines (number, text); one of them is marked."""

    lines: tuple[tuple[int, str], ...]
    marked: int


@dataclass(frozen=True)
class Grid:
    """A table; each row has a verdict as its style."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    styles: tuple[str, ...]
    left: int = 1  # so many first columns hold words, the others numbers


Block = Line | Excerpt | Grid


def _numbered(block: Excerpt) -> list[tuple[str, str]]:
    width = max(len(str(n)) for n, _ in block.lines)
    return [(f"{'>' if n == block.marked else ' '} {n:{width}} | {text}", "fail" if n == block.marked else "") for n, text in block.lines]


def to_rich(blocks: Sequence[Block]) -> Any:
    """Return a rich renderable."""
    from rich.box import SIMPLE
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    parts: list[Any] = []
    for block in blocks:
        if isinstance(block, Line):
            text = Text(block.text, style=_RICH[block.style], overflow="fold")
            parts.append(Padding(text, (0, 0, 0, block.indent), expand=False) if block.indent else text)
        elif isinstance(block, Excerpt):
            parts += [
                Padding(Text(text, style=_RICH[style], overflow="fold"), (0, 0, 0, 2), expand=False) for text, style in _numbered(block)
            ]
        else:
            table = Table(box=SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
            for i, heading in enumerate(block.headers):
                table.add_column(Text(heading), justify="left" if i < block.left else "right", overflow="fold")
            for row, style in zip(block.rows, block.styles, strict=True):
                table.add_row(*(Text(cell, overflow="fold") for cell in row), style=_RICH[style] if style != "pass" else "")
            parts.append(table)
    return Group(*parts)


def to_text(blocks: Sequence[Block], width: int | None = None) -> str:
    """Return plain text, as wide as the terminal (COLUMNS; 80 when piped) but not wider than 120."""
    from rich.console import Console

    out = io.StringIO()
    width = width or max(20, min(120, shutil.get_terminal_size((80, 24)).columns))
    console = Console(file=out, width=width, color_system=None, force_terminal=False, force_jupyter=False, legacy_windows=False)
    console.print(to_rich(blocks), highlight=False)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def to_html(blocks: Sequence[Block]) -> str:
    """Return one ``<div>``; it brings its own style and no script."""
    parts = ['<div style="font-family:monospace;line-height:1.4;text-align:left">']
    for block in blocks:
        if isinstance(block, Line):
            style = f"white-space:pre-wrap;margin-left:{block.indent}ch;{_CSS[block.style]}"
            parts.append(f'<div style="{style}">{html.escape(block.text) or "&nbsp;"}</div>')
        elif isinstance(block, Excerpt):
            spans = "\n".join(f'<span style="{_CSS[style]}">{html.escape(text)}</span>' for text, style in _numbered(block))
            parts.append(f'<pre style="margin:0 0 0 2ch">{spans}</pre>')
        else:
            aligned = [f"text-align:{'left' if i < block.left else 'right'};padding:0 1em 0 0" for i in range(len(block.headers))]
            parts.append('<table style="border-collapse:collapse;margin:0.5em 0"><thead><tr>')
            parts += [f'<th style="{a}">{html.escape(h)}</th>' for a, h in zip(aligned, block.headers, strict=True)]
            parts.append("</tr></thead><tbody>")
            for row, style in zip(block.rows, block.styles, strict=True):
                cells = "".join(f'<td style="{a}">{html.escape(c)}</td>' for a, c in zip(aligned, row, strict=True))
                parts.append(f'<tr style="{_CSS[style] if style != "pass" else ""}">{cells}</tr>')
            parts.append("</tbody></table>")
    return "".join([*parts, "</div>"])
