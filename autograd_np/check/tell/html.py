"""The blocks of a report as HTML, for a notebook.

Text keeps the colour it has where it stands, and what is to be noticed gets a tint behind it: that is legible on a light
page and on a dark one. There is no script and no style sheet; every text is escaped.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from autograd_np.check.tell.layout import Block, Diff, Drawing, Excerpt, Grid, Line, edited, numbered
from autograd_np.text import visible

__all__ = ["to_html"]

_TINTS = {
    "pass": "background:rgba(46,160,67,.18)",
    "fail": "background:rgba(229,60,60,.18);font-weight:bold",
    "inconclusive": "background:rgba(212,150,20,.2);font-weight:bold",
    "heading": "font-weight:bold",
    "-": "background:rgba(229,60,60,.18)",
    "+": "background:rgba(46,160,67,.18)",
    "": "",
}
_EDGES = {"pass": "46,160,67", "fail": "229,60,60", "inconclusive": "212,150,20"}
_CODE = "margin:0;padding:0;border:0;background:none;color:inherit;font:inherit;white-space:pre-wrap;overflow-wrap:anywhere"
_MONO = "font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"


def to_html(blocks: Sequence[Block]) -> str:
    """Return one ``<div>``."""
    return "".join((f'<div style="{_MONO};line-height:1.45;text-align:left;color:inherit">', *(_block(b) for b in blocks), "</div>"))


def _block(block: Block) -> str:
    if isinstance(block, Line):
        return _line(block)
    if isinstance(block, Excerpt):
        return _code(numbered(block), 2)
    if isinstance(block, Diff):
        return _code(edited(block), 4)
    if isinstance(block, Grid):
        return _table(block)
    return _drawing(block)


def _line(line: Line) -> str:
    style = [f"white-space:pre-wrap;overflow-wrap:anywhere;margin-left:{line.indent}ch", _TINTS[line.style]]
    if line.mark:
        style.append(f"padding-left:{len(line.mark)}ch;text-indent:-{len(line.mark)}ch")
    if line.style in _EDGES:
        style.append(f"padding:.25em .6em;border-left:4px solid rgb({_EDGES[line.style]})")
    return f'<div style="{";".join(s for s in style if s)}">{_text(line.mark + line.text) or "&nbsp;"}</div>'


def _code(lines: Sequence[tuple[str, str, str]], indent: int) -> str:
    rows = []
    for before, text, style in lines:
        hanging = f"display:block;padding-left:{len(before)}ch;text-indent:-{len(before)}ch"
        rows.append(f'<span style="{hanging};{_TINTS[style]}">{_text(before + text)}\n</span>')
    return f'<pre style="{_CODE};margin-left:{indent}ch">{"".join(rows)}</pre>'


def _table(grid: Grid) -> str:
    headers, rows = list(grid.headers), [list(row) for row in grid.rows]
    sides = ["left" if i < grid.left else "right" for i in range(len(headers))]
    if any(grid.notes):
        headers, sides = [*headers, "note"], [*sides, "left"]
        rows = [[*row, note] for row, note in zip(rows, grid.notes, strict=True)]
    cell = "padding:.1em .8em;border:0;color:inherit;vertical-align:top;text-align:"
    head = "".join(
        f'<th style="{cell}{side};border-bottom:1px solid currentColor;font-weight:bold;background:none">{_text(h)}</th>'
        for h, side in zip(headers, sides, strict=True)
    )
    body = []
    for row, style in zip(rows, grid.styles, strict=True):
        tint = _TINTS[style] if style != "pass" else "background:none"
        cells = "".join(f'<td style="{cell}{side};{tint}">{_text(c)}</td>' for c, side in zip(row, sides, strict=True))
        body.append(f"<tr>{cells}</tr>")
    table = f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody>"
    style = "border-collapse:collapse;margin:0;border:0;font:inherit;color:inherit"
    return f'<div style="overflow-x:auto;margin:.4em 0"><table style="{style}">{table}</table></div>'


def _drawing(drawing: Drawing) -> str:
    summary = f'<summary style="cursor:pointer;font-weight:bold">{_text(drawing.title)}</summary>'
    return f'<details open="open" style="margin:.4em 0">{summary}<div style="overflow-x:auto;max-width:100%">{drawing.svg}</div></details>'


def _text(text: str) -> str:
    return html.escape(visible(text, keep="\n\t"))
