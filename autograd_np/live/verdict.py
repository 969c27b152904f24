"""A report of a check as the page tells it: its headline, and the blocks that a terminal would print."""

from __future__ import annotations

from typing import Any

from autograd_np.check.tell.layout import Block, Diff, Excerpt, Grid, Line, edited, numbered
from autograd_np.check.tell.report import BackwardReport
from autograd_np.text import visible

__all__ = ["told"]


def told(report: BackwardReport) -> dict[str, Any]:
    """Return the verdict, the headline, and the rest as blocks of text, code and tables; all as JSON can hold it."""
    blocks = [_told(block) for block in report.blocks()]
    return {"verdict": report.verdict, "headline": visible(report.headline()), "blocks": [b for b in blocks[1:] if b]}


def _told(block: Block) -> dict[str, Any]:
    if isinstance(block, Line):
        return {"text": visible(block.mark + block.text, "\n"), "style": block.style, "indent": block.indent} if block.text else {}
    if isinstance(block, (Excerpt, Diff)):
        lines = numbered(block) if isinstance(block, Excerpt) else edited(block)
        return {"code": [[before, visible(text, "\t"), style] for before, text, style in lines]}
    if isinstance(block, Grid):
        rows = [list(map(visible, row)) for row in (block.headers, *block.rows)]
        return {"rows": rows, "styles": ["", *block.styles], "notes": ["", *map(visible, block.notes or ("",) * len(block.rows))]}
    return {}
