"""The figures as a page with plots, docs/benchmarks.md; and as tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.compiled.case import Case
from benchmarks.compiled.contenders import BASELINE, CONTENDERS
from benchmarks.compiled.measure import CASES, Figures
from benchmarks.report import Table, ratios, seconds

__all__ = ["summary", "tables", "write"]

COLUMNS = ("ag.compile, auto", "NumPy, tuned by hand", "jax.jit", "PyTorch eager", "torch.compile")
"""Of the summary, beside the time of the code by hand."""

INTRODUCTION = """\
# Benchmarks

What a call costs once it is compiled, beside NumPy written by hand and beside other packages. This page is written by
`python -m benchmarks.compiled --page`, in one run; [benchmarks/](../benchmarks/README.md) has the code, how it is measured,
and what else is measured.

- *Together*: everybody in one process, which keeps freed memory, in rounds of shuffled order. A cell is the median of a contender's
  times over those of the code by hand in the same round, ± half the interquartile range; the first row has that code's time.
- *In a process of its own*: the same as a user has it, in rounds of processes; who takes long to compile is in fewer, and at the
  largest size only. By hand, large arrays are given back to the system and had anew at each
  call; `import autograd_np` and PyTorch keep memory.
- *Peak memory*: what the process has at most during later calls, beyond the arrays of the problem and what is loaded: what it keeps
  of freed memory is in it. *Peak memory of the first call* has what compiling needs, too. *Arrays of a later call*: the same as
  Python and NumPy count it, in use at one time, the result included; arrays of JAX and PyTorch are not counted.
- *First call*: what compiling takes is in it. It is in none of the other figures.
- One thread for everybody, and nobody's kernels of linear algebra are chosen for them. float64 where nothing else is said.
- Networks in float32 have parameters large enough that it pays to write a step into them: PyTorch does, the tuned code does, and
  `ag.compile(step, in_place=True)`. Elsewhere compiled steps return new ones.
- *Tuned by hand*: all arrays made beforehand, filled in place.
- Losses and gradients of all were equal before anything was timed.
"""


def tables(figures: Sequence[Figures]) -> list[Table]:
    """Return the tables of one case."""
    case = CASES[figures[0].case]
    names = list(CONTENDERS)
    figures = sorted(figures, key=lambda f: names.index(f.together.name))
    together = ratios("Together", [f.together for f in figures], case.size)
    alone = ratios("In a process of its own", [f.alone for f in figures if f.alone.rounds], case.size)
    peak = _sizes("Peak memory", case, figures, lambda f: _megabytes(f.peak))
    first_peak = _sizes("Peak memory of the first call", case, figures, lambda f: _megabytes(f.first_peak))
    arrays = _sizes("Arrays of a later call", case, [f for f in figures if _is_counted(f.together.name)], lambda f: _megabytes(f.arrays))
    first = _sizes("First call", case, figures, lambda f: seconds(f.first))
    return [together, alone, peak, first_peak, arrays, first]


def _is_counted(name: str) -> bool:
    """Whether the arrays of a contender are NumPy's."""
    return CONTENDERS[name].module not in ("jax", "torch")


def summary(found: Mapping[str, Sequence[Figures]]) -> str:
    """Return a table with a line for each size of each case: who takes how much of the time of the code by hand, in one process."""
    lines = [["", BASELINE, *COLUMNS], ["---"] + ["---:"] * (1 + len(COLUMNS))]
    for key, figures in found.items():
        case = CASES[key]
        of = {(f.together.name, f.together.size): f.together for f in figures}
        for size in dict.fromkeys(f.together.size for f in figures):
            cells = [of.get((name, size)) for name in COLUMNS]
            least = min((t.ratio for t in cells if t is not None), default=math.nan)
            told = ["–" if t is None else f"**{t.ratio:.2f}**" if t.ratio == least else f"{t.ratio:.2f}" for t in cells]
            lines.append([f"{case.title}, {case.size} = {size:,}", seconds(of[BASELINE, size].seconds), *told])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _sizes(title: str, case: Case, figures: Sequence[Figures], cell: Any) -> Table:
    sizes = list(dict.fromkeys(f.together.size for f in figures))
    cells = {(f.together.name, f.together.size): cell(f) for f in figures}
    names = list(dict.fromkeys(f.together.name for f in figures))
    rows = [[name, *(cells.get((name, size), "–") for size in sizes)] for name in names]
    return Table(title, ["", *(f"{case.size} = {size:,}" for size in sizes)], rows, "")


def _megabytes(size: float) -> str:
    return "–" if math.isnan(size) else f"{size / 1e6:,.1f} MB" if size < 1e8 else f"{size / 1e6:,.0f} MB"


def write(page: Path, about: str, found: Mapping[str, Sequence[Figures]], left_out: Mapping[str, str]) -> None:
    """Write the page, and its plots beside it in ``images``.

    Parameters
    ----------
    page : Path
        The file.
    about : str
        The machine and the versions.
    found : mapping
        For each case, the figures of all contenders at all sizes.
    left_out : mapping
        Whoever did not run, with the case, and why.
    """
    parts = [INTRODUCTION, about, ""]
    parts += [f"Left out, {who}: {why}" for who, why in left_out.items()]
    parts += ["\n## In short\n", "Of the time of the code by hand, together in one process; the least is bold.\n", summary(found)]
    for key, figures in found.items():
        case = CASES[key]
        parts += [f"\n## {case.title}\n"]
        if len(case.sizes) > 1:
            picture = page.parent / "images" / f"benchmark-{key}.svg"
            plot(picture, case, figures)
            parts += [f"![{case.title}: time and memory against size](images/{picture.name})\n"]
        parts += [table.markdown() for table in tables(figures)]
    text = "\n".join(parts)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    page.write_text(text.rstrip() + "\n", encoding="utf-8")


def plot(file: Path, case: Case, figures: Sequence[Figures]) -> None:
    """Draw time and memory against size, a line a contender."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    panels: list[tuple[str, Any]] = [
        ("together", lambda f: 1e6 * f.together.seconds),
        ("in a process of its own", lambda f: 1e6 * f.alone.seconds),
        ("peak memory", lambda f: f.peak / 1e6 if f.peak > 1e5 else math.nan),
    ]
    style = {"svg.hashsalt": "autograd_np", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9}
    with plt.rc_context(style):
        drawing, axes = plt.subplots(1, 3, figsize=(11, 4.2), layout="constrained")
        for axis, (title, value) in zip(axes, panels, strict=True):
            for i, name in enumerate(CONTENDERS):
                own = [f for f in figures if f.together.name == name]
                line = "-" if name.startswith(("ag.", "autograd_np")) else "--" if "hand" in name else ":"
                color = f"C{i % 10}" if i < 10 else "black"
                axis.loglog(
                    [f.together.size for f in own], [value(f) for f in own], line, color=color, marker=".", label=name if own else None
                )
            axis.set(title=title, xlabel=case.size, ylabel="MB" if title == "peak memory" else "µs a call")
            sizes = sorted({f.together.size for f in figures})
            axis.set_xticks(sizes, [f"{n:,}" for n in sizes], minor=False)
            axis.minorticks_off()
            axis.grid(visible=True, alpha=0.25)
        handles, labels = axes[0].get_legend_handles_labels()
        drawing.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
        file.parent.mkdir(exist_ok=True)
        drawing.savefig(file, metadata={"Date": None})
        plt.close(drawing)
