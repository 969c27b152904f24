"""What ``autograd-np train`` takes for a large CSV file: when something is to be seen, how long, and how much memory.

``python -m benchmarks.train_table``. The file is written first, by a seed: normal numbers, and two classes by a rule of three of them.
"""

from __future__ import annotations

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Run", "run", "write_table"]

CHUNK = 10_000


class Run(NamedTuple):
    """What one run took.

    Attributes
    ----------
    first_seconds, first_cpu : float
        Until the first sign on the terminal: seconds, and seconds of processor time.
    seconds, cpu : float
        In all.
    peak : float
        Most memory, in MB; Linux counts in what the process that starts it has, so that has to be a small one.
    """

    first_seconds: float
    first_cpu: float
    seconds: float
    cpu: float
    peak: float


def write_table(path: Path, rows: int, columns: int, seed: int = 0) -> None:
    """Write a CSV file of `columns` numbers and a target of words, `CHUNK` rows at a time."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*(f"c{i}" for i in range(columns)), "kind"]) + "\n")
        for start in range(0, rows, CHUNK):
            x = rng.normal(size=(min(CHUNK, rows - start), columns))
            kinds = np.where(x[:, 0] * x[:, 1] + x[:, 2] > 0, "yes", "no").tolist()
            lines = (",".join([*map("{:.6g}".format, row), kind]) for row, kind in zip(x.tolist(), kinds, strict=True))
            file.write("\n".join(lines) + "\n")


def run(file: Path, *options: str) -> Run:
    """Train on a terminal, in a process of its own."""
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "autograd_np", "train", file.name, "--target", "kind", *options]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=file.parent, stdout=terminal, stderr=terminal, env=environment)  # noqa: S603 (our own)
    os.close(terminal)
    first = first_cpu = 0.0
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other end is closed
            break
        if piece and not first:
            first, first_cpu = time.perf_counter() - began, _cpu(process.pid)
    os.close(main)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)  # it is told, since the memory is known by waiting here
    if status:
        raise RuntimeError(f"training ended with {process.returncode}")
    return Run(first, first_cpu, time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _cpu(pid: int) -> float:
    """Return the processor time of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=1)
    given = parser.parse_args()
    print("| rows | file | first sign | its processor time | in all | its processor time | peak memory |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for rows in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "table.csv")
            write_table(file, rows, given.columns)
            found = run(file, "--epochs", str(given.epochs))
            size = file.stat().st_size / 1e6
        cells = (f"{rows:,}", f"{size:.0f} MB", *(f"{value:.1f} s" for value in found[:4]), f"{found.peak:.0f} MB")
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    _main()
