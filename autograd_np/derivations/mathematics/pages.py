"""A lesson as a LaTeX document, as Markdown with mathematics, and as a page of HTML with MathML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.latex import latex, plain, text
from autograd_np.derivations.mathematics.lesson import Block, Display, Heading, Line, Paragraph
from autograd_np.derivations.mathematics.mathml import mathml
from autograd_np.derivations.mathematics.notation import Node, width
from autograd_np.text import visible

__all__ = ["equation_in_mathml", "html", "latex_blocks", "latex_document", "markdown"]

LINE = 66.0
"""How wide a line may be, in letters."""

_PREAMBLE = r"""\documentclass[10pt,fleqn]{article}
\usepackage{amsmath}
\setlength{\topmargin}{-20mm}
\setlength{\oddsidemargin}{-5mm}
\setlength{\textwidth}{170mm}
\setlength{\textheight}{255mm}
\makeatletter
\renewcommand\subsection{\@startsection{subsection}{2}{0pt}{8pt plus 2pt}{3pt}{\normalfont\normalsize\bfseries}}
\makeatother
\setlength{\parindent}{0pt}
\setlength{\parskip}{3pt}
\setcounter{MaxMatrixCols}{40}
\allowdisplaybreaks
\setlength{\jot}{2pt}
\begin{document}
\small
\abovedisplayskip=3pt plus 2pt
\belowdisplayskip=5pt plus 2pt
"""


def _cut(right: Node, room: float) -> list[Node]:
    """Break what is too wide before its plus and minus signs."""
    if width(right) <= room or not isinstance(right, n.Row):
        return [right]
    found: list[list[Node]] = [[]]
    wide = 0.0
    for item in right.items:
        may_break = isinstance(item, n.Sign) and item.role == "binary" and item.text in "+−⊙" and found[-1]
        if may_break and wide > room * (0.8 if item.text == "⊙" else 0.35):  # type: ignore[union-attr]
            found.append([])
            wide = 0.0
        found[-1].append(item)
        wide += width(item)
    return [n.row(*items) for items in found]


_Row = tuple[Node | None, list[Node], bool]


def _rows(line: Line, longest: float = LINE) -> list[_Row]:
    """Return the rows of an equation: what stands left, what is equal to it, and whether the row goes on with the one before."""
    room = longest - width(line.left)
    found: list[_Row] = []
    for right in line.right:
        if found and not found[-1][2] and sum(width(x) + 3 for x in (*found[-1][1], right)) <= room:
            found[-1][1].append(right)
            continue
        for j, piece in enumerate(_cut(right, room)):
            found.append((None if found else line.left, [piece], j > 0))
    return found


def _aligned(display: Display) -> list[str]:
    found = []
    for line in display.lines:
        for left, sides, goes_on in _rows(line):
            right = r"\quad {}" + latex(sides[0]) if goes_on else "= " + " = ".join(map(latex, sides))
            found.append(f"{'' if left is None else latex(left)} &{right}")
    return found


def _in_latex(paragraph: Paragraph) -> str:
    return "".join(text(p) if isinstance(p, str) else f"\\({latex(p)}\\)" for p in paragraph.pieces)


def latex_blocks(blocks: Sequence[Block]) -> str:
    """Return a lesson as LaTeX without a document around it."""
    found = []
    before: Block | None = None
    for block in blocks:
        before, last = block, before
        match block:
            case Heading(words):
                found.append(rf"\subsection*{{{text(words)}}}")
            case Paragraph():
                found.append(_in_latex(block))
            case Display():
                body = (
                    ("\\vspace{-\\baselineskip}\n" if isinstance(last, Heading) else "")
                    + "\\begin{align*}\n"
                    + " \\\\\n".join(_aligned(block))
                    + "\n\\end{align*}"
                )
                widest = max(sum(width(x) + 3 for x in sides) + width(line.left) for line in block.lines for _, sides, _ in _rows(line))
                found.append(body if widest < LINE * 1.15 else f"{{\\{'footnotesize' if widest < LINE * 1.3 else 'tiny'}\n{body}}}")
    return re.sub(r"\n\n(\{\\\w+\n)?(\\begin\{align)", r"\n\1\2", "\n\n".join(found)) + "\n"


def latex_document(blocks: Sequence[Block], title: str) -> str:
    """Return a lesson as a document for pdflatex."""
    return plain(f"{_PREAMBLE}\\textbf{{\\large {text(title)}}}\n\n{latex_blocks(blocks)}\\end{{document}}\n")


def markdown(blocks: Sequence[Block]) -> str:
    """Return a lesson as Markdown, its formulas between dollars."""
    found = []
    for block in blocks:
        match block:
            case Heading(words):
                found.append(f"### {words}")
            case Paragraph(pieces):
                found.append("".join(p if isinstance(p, str) else f"${latex(p)}$" for p in pieces))
            case Display():
                found.append("$$\n\\begin{aligned}\n" + " \\\\\n".join(_aligned(block)) + "\n\\end{aligned}\n$$")
    return "\n\n".join(found) + "\n"


_STYLE = """
:root { color-scheme: light dark }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid #8886 }
.equations { overflow-x: auto; margin: .5rem 0 1rem 2rem }
.equations > math { text-align: left; width: fit-content; margin: 0 }
math { font-size: 1.1em } math .shape { font-size: .62em; opacity: .7 }
mtd { padding: .25em .2em; text-align: left } mtd:first-child { text-align: right }
pre { overflow-x: auto; padding: .8rem; background: #8881; border-radius: 4px }
"""


def _math(node: Node) -> str:
    return f"<math>{mathml(node)}</math>"


def equation_in_mathml(line: Line, longest: float = math.inf) -> str:
    """Return an equation as a ``math`` element; what would be longer, in letters, has a row for each side."""
    rows = _rows(line, longest)
    if len(rows) > 1:
        return _in_rows(rows)
    sides = n.joined([line.left, *line.right], n.Sign("=", "relation"))
    return f'<math display="block">{mathml(sides)}</math>'


def _in_rows(rows: Iterable[_Row]) -> str:
    found = []
    for left, sides, goes_on in rows:
        equal = n.joined(sides, n.Sign("=", "relation"))
        first = "<mspace width='2em'/>" if goes_on else "<mo>=</mo>"
        found.append(f"<mtr><mtd>{'' if left is None else mathml(left)}</mtd><mtd><mrow>{first}{mathml(equal)}</mrow></mtd></mtr>")
    return f'<math display="block"><mtable displaystyle="true">{"".join(found)}</mtable></math>'


def _table(display: Display) -> str:
    return f'<div class="equations">{_in_rows(row for line in display.lines for row in _rows(line))}</div>'


def html(blocks: Sequence[Block], title: str, program: str) -> str:
    """Return a lesson as one page, with the program below it; nothing is loaded from elsewhere."""
    found = []
    for block in blocks:
        match block:
            case Heading(words):
                found.append(f"<h2>{escape(words)}</h2>")
            case Paragraph(pieces):
                found.append(f"<p>{''.join(escape(visible(p)) if isinstance(p, str) else _math(p) for p in pieces)}</p>")
            case Display():
                found.append(_table(block))
    title = escape(visible(title))
    code = escape(visible(program, "\n", 10**6))
    body = "\n".join([*found, "<h2>As NumPy</h2>", f"<pre>{code}</pre>"])
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )
