"""What differentiating over Dask arrays costs beside a lazy backward pass by hand: ``python -m benchmarks.dask_overhead [--samples 1e6]``.

A step of gradient descent of the notebook's network in the three ways of `examples/dask_cluster.py`, and by the chain rule written
out by hand, one operation after the other: what is more than that is the engine's, what is less is algebra. The data are made anew at
each step. Everything is computed in this process and its processor time is taken, Dask's own work included, so that what else the
machine does disturbs little; the ways take turns, and the fastest of the rounds counts. The example itself measures clusters.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

CHAIN_RULE = "chain rule by hand"
EXAMPLES = Path(__file__).parents[1] / "examples"


class ChainRule:
    """The backward pass by hand as the engine has to find it: each operation of the forward pass has its line, and nothing cancels."""

    def __init__(self) -> None:
        import notebook

        self.parameters = notebook.initialize_parameters()

    def step(self, X: Any, Y: Any) -> float:
        """Move the parameters and return the cost."""
        import dask
        import dask_cluster
        import notebook

        W1, b1, W2, b2 = (self.parameters[name] for name in ("W1", "b1", "W2", "b2"))
        E1 = np.exp(-(np.dot(W1, X) + b1))
        D1 = 1 + E1
        A1 = 1 / D1
        E2 = np.exp(-(np.dot(W2, A1) + b2))
        D2 = 1 + E2
        A2 = 1 / D2
        R2 = 1 - A2
        cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(R2))

        mean = 1 / X.shape[1]
        dA2 = mean * -Y * (1 / A2) - -mean * (1 - Y) * (1 / R2)
        dZ2 = -(dA2 * (-A2 / D2) * E2)
        dA1 = np.dot(W2.T, dZ2)
        dZ1 = -(dA1 * (-A1 / D1) * E1)
        grads = {
            "dW1": np.dot(dZ1, X.T),
            "db1": np.sum(dZ1, axis=1, keepdims=True),
            "dW2": np.dot(dZ2, A1.T),
            "db2": np.sum(dZ2, axis=1, keepdims=True),
        }
        cost, grads = dask.compute(cost, grads)
        self.parameters = notebook.update_parameters(self.parameters, grads, dask_cluster.RATE)
        return float(cost)


def measure(samples: int, chunk: int, rounds: int) -> dict[str, float]:
    """Return the processor time of a step in each way, in seconds, once all have moved the parameters alike."""
    import dask
    import dask_cluster

    X, Y = dask_cluster.make_data(samples, chunk)
    ways: dict[str, Any] = {name: make() for name, make in {**dask_cluster.CONTENDERS, CHAIN_RULE: ChainRule}.items()}
    best = dict.fromkeys(ways, float("inf"))
    with dask.config.set(scheduler="synchronous"):
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.process_time()
                way.step(X, Y)
                best[name] = min(best[name], time.process_time() - start)
    apart = dask_cluster.largest_difference({name: way.parameters for name, way in ways.items()})
    if apart > 1e-9:
        raise AssertionError(f"the ways differ by {apart} after {rounds} steps")
    return best


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", nargs="+", type=float, default=[1e5, 1e6, 1e7])
    parser.add_argument("--chunk", type=float, default=1e5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sys.path.insert(0, str(EXAMPLES))
    print(f"| samples | by hand, µs/sample | {CHAIN_RULE} | value_and_grad | nn |\n| ---: | ---: | ---: | ---: | ---: |")
    for m in map(int, options.samples):
        best = measure(m, min(m, int(options.chunk)), options.rounds)
        ratios = " | ".join(f"{best[name] / best['by hand']:.2f}" for name in (CHAIN_RULE, "value_and_grad", "nn"))
        print(f"| {m:,} | {1e6 * best['by hand'] / m:.3f} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
