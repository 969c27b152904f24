"""The figures as tables, for the terminal, for Markdown and for JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.table import Table as RichTable

from benchmarks.graph_cost import Cost
from benchmarks.harness import Timing
from benchmarks.nn_step import BASELINE, Figures

__all__ = ["Table", "about", "costs", "environment", "models", "ratios", "seconds"]

_PACKAGES = ("numpy", "numba", "autograd-np", "autograd", "mygrad", "torch", "jax")


@dataclass(frozen=True)
class Table:
    """A title, a header, rows of text, and a note on how to read them."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str

    def rich(self) -> RichTable:
        """Return the table for the terminal."""
        table = RichTable(title=self.title, caption=self.note, title_justify="left", caption_justify="left")
        for i, name in enumerate(self.header):
            table.add_column(name, justify="right" if i else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """Return the table in Markdown, under its title."""
        lines = [self.header, ["---"] + ["---:"] * (len(self.header) - 1), *self.rows]
        return "\n".join([f"### {self.title}", "", *(f"| {' | '.join(line)} |" for line in lines), "", self.note, ""])


def seconds(s: float) -> str:
    """Return a time with three figures and its unit.

    Examples
    --------
    >>> seconds(0.0000312), seconds(1.5)
    ('31.2 µs', '1.50 s')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if s >= scale:
            return f"{_figures(s / scale)} {unit}"
    return f"{_figures(s / 1e-9)} ns"


def _figures(x: float) -> str:
    return f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:,.0f}"


def ratios(title: str, timings: Sequence[Timing], sizes: str = "", note: str = "") -> Table:
    """Lay timings out with a row a contender and a column a size; the baseline's cell is its time.

    Parameters
    ----------
    title : str
        What was timed.
    timings : sequence of Timing
        Of any number of sizes.
    sizes : str
        What the sizes are called, for the header; empty where there is only one.
    note : str
        Added to the explanation of the cells.
    """
    columns = list(dict.fromkeys(t.size for t in timings))
    names = list(dict.fromkeys(t.name for t in timings))
    cells = {(t.name, t.size): t for t in timings}
    header = ["", *(f"{sizes} = {size:,}" if sizes else "time" for size in columns)]
    baseline = names[0]
    rows = []
    for name in names:
        found = [cells.get((name, size)) for size in columns]
        rows.append([name, *("–" if t is None else seconds(t.seconds) if name == baseline else _ratio(t) for t in found)])
    fewest = min(t.rounds for t in timings)
    over = f"{fewest} to {timings[0].rounds}" if fewest < timings[0].rounds else f"{fewest}"
    explained = f"Ratios to {baseline}: medians over {over} interleaved rounds ± half the interquartile range."
    return Table(title, header, rows, f"{explained} {note}".strip())


def _ratio(t: Timing) -> str:
    if t.rounds == 1:
        return _figures(t.ratio)
    return f"{_figures(t.ratio)} ± {_figures((t.high - t.low) / 2)}"


def costs(title: str, found: Sequence[Cost]) -> Table:
    """Lay the costs of a node out with a row a length and state of the collector."""
    header = ["nodes", "gc", "record", "backward", "free", "memory", "peak", "kept"]
    rows = [
        [
            f"{c.nodes:,}",
            "on" if c.collector else "off",
            *(seconds(s) for s in (c.record, c.backward, c.free)),
            *(f"{size:,.0f} B" for size in (c.graph, c.peak)),
            f"{c.kept:,.1f} B",
        ]
        for c in found
    ]
    note = (
        f"Per node of a chain of float64 scalars; times are medians over {found[0].rounds} rounds. Memory: the graph with its data; "
        "peak: during the backward pass; kept: after the loss is dropped. gc: the garbage collector."
    )
    return Table(title, header, rows, note)


def models(title: str, found: Sequence[Figures]) -> Table:
    """Lay out what models cost with a row a model; empty if none could be timed."""
    header = ["", BASELINE, "nn", "of the fastest", f"memory, {BASELINE}", "memory, nn"]
    rows = [
        [
            f.title,
            seconds(f.seconds),
            f"{_figures(f.ratio)} ± {_figures((f.high - f.low) / 2)}",
            _figures(f.of_fastest),
            *(f"{size / 1e6:,.1f} MB" for size in f.memory.values()),
        ]
        for f in found
    ]
    if not found:
        return Table(title, header, rows, "PyTorch is not installed: nothing was timed.")
    note = (
        f"Ratios to {BASELINE}: medians over {found[0].rounds} interleaved rounds ± half the interquartile range, and that of the fastest "
        "rounds. Memory: the peak of training in a fresh process, beyond imports, model and data. float32; gradients were equal before "
        "timing."
    )
    return Table(title, header, rows, note)


def environment() -> dict[str, Any]:
    """Return what the figures depend on: the processor, the system, and the versions of the packages."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads used": 1,
        "system": platform.system(),
        "python": platform.python_version(),
        "linear algebra": _kernels(),
        "freed memory": "kept" if os.environ.get("AUTOGRAD_NP_KEEP_MEMORY", "1") == "1" else "left to the allocator",
        "packages": versions,
    }


def about(environment: dict[str, Any]) -> str:
    """Return the machine and the versions in a sentence."""
    told = [
        environment["processor"], f"{environment['cores']} cores (one used)", environment["system"], f"Python {environment['python']}",
        *([f"NumPy's linear algebra {environment['linear algebra']}"] if environment["linear algebra"] else []),
        f"freed memory {environment['freed memory']}",
    ]  # fmt: skip
    return f"{', '.join(told)}; {', '.join(f'{name} {number}' for name, number in environment['packages'].items())}."


def _kernels() -> str:
    """Return which kernels NumPy's BLAS took for this processor, where threadpoolctl is there to tell."""
    if find_spec("threadpoolctl") is None:
        return ""
    from threadpoolctl import threadpool_info

    pools = [p for p in threadpool_info() if p["user_api"] == "blas" and "numpy" in p["filepath"]]
    return ", ".join(f"{p['internal_api']} {p['version']} for {p.get('architecture', 'unknown')}" for p in pools)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def as_json(timings: Sequence[Timing] | Sequence[Cost] | Sequence[Figures]) -> list[dict[str, Any]]:
    """Return the raw figures, times in seconds."""
    return [asdict(t) for t in timings]
