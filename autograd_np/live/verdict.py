"""What a check found, as the page tells it above the drawing: headline, mistakes with the lines that should stand there, and the rest."""

from __future__ import annotations

from typing import Any

from autograd_np.check.tell.layout import Block, Diff, Excerpt, Grid, Line, edited, numbered
from autograd_np.check.tell.report import BackwardReport
from autograd_np.text import visible

__all__ = ["verdict_of"]


def verdict_of(report: BackwardReport) -> dict[str, Any]:
    """Return the verdict and the headline, the mistakes, and the whole report as blocks of text, code and tables."""
    blocks = list(report.blocks())
    return {
        "verdict": report.verdict,
        "headline": visible(report.headline()),
        "mistakes": [
            {
                "where": visible(f"line {f.line}" + (f", in {f.function}" if f.function else "")),
                "what": visible("\n".join([f.message, *(f"or line {r.line}: {r.message}" for r in f.rivals)]), "\n"),
                "diff": _code(diff),
            }
            for f, diff in zip(report.findings, _diffs(blocks, report), strict=True)
        ],
        "blocks": [told for block in blocks[1:] if (told := _told(block))],
    }


def _diffs(blocks: list[Block], report: BackwardReport) -> list[Diff | None]:
    """Return the diff of each finding that has a fix."""
    diffs = iter([b for b in blocks if isinstance(b, Diff)])
    each = [[next(diffs) if one.fix is not None else None for one in (f, *f.rivals)] for f in report.findings]
    return [own for own, *_ in each]


def _code(block: Excerpt | Diff | None) -> list[list[str]]:
    if block is None:
        return []
    lines = numbered(block) if isinstance(block, Excerpt) else edited(block)
    return [[before, visible(text, "\t"), style] for before, text, style in lines]


def _told(block: Block) -> dict[str, Any]:
    if isinstance(block, Line):
        return {"text": visible(block.mark + block.text, "\n"), "style": block.style, "indent": block.indent} if block.text else {}
    if isinstance(block, (Excerpt, Diff)):
        return {"code": _code(block)}
    if isinstance(block, Grid):
        rows = [list(map(visible, row)) for row in (block.headers, *block.rows)]
        return {"rows": rows, "styles": ["", *block.styles], "notes": ["", *map(visible, block.notes or ("",) * len(block.rows))]}
    return {}
