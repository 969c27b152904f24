"""What differentiating over Dask arrays costs beside a lazy backward pass by hand: ``python -m benchmarks.dask_overhead [--samples 1e6]``.

A step of gradient descent of the notebook's network in the three ways of `examples/dask_cluster.py`, with data that are made anew at
each step. Everything is computed in this process and its processor time is taken, Dask's own work included, so that what else the
machine does disturbs little; the ways take turns, and the fastest of the rounds counts. The example itself measures clusters.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"


def measure(samples: int, chunk: int, rounds: int) -> dict[str, float]:
    """Return the processor time of a step in each way, in seconds."""
    import dask
    import dask_cluster

    X, Y = dask_cluster.make_data(samples, chunk)
    ways: dict[str, Any] = {name: make() for name, make in dask_cluster.CONTENDERS.items()}
    best = dict.fromkeys(ways, float("inf"))
    with dask.config.set(scheduler="synchronous"):
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.process_time()
                way.step(X, Y)
                best[name] = min(best[name], time.process_time() - start)
    return best


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", nargs="+", type=float, default=[1e5, 1e6, 1e7])
    parser.add_argument("--chunk", type=float, default=1e5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sys.path.insert(0, str(EXAMPLES))
    print("| samples | by hand, µs/sample | value_and_grad | nn |\n| ---: | ---: | ---: | ---: |")
    for m in map(int, options.samples):
        best = measure(m, min(m, int(options.chunk)), options.rounds)
        ratios = " | ".join(f"{best[name] / best['by hand']:.2f}" for name in ("value_and_grad", "nn"))
        print(f"| {m:,} | {1e6 * best['by hand'] / m:.3f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
