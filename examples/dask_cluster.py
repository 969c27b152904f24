"""Train the notebook's network, and the same model of `nn`, on a Dask cluster, with data that no worker could hold.

The functions are those of `notebook.py`, unchanged: X and Y are Dask arrays instead of NumPy's, and the gradients of the
parameters come back as NumPy's. The data are made in blocks, or read from files in blocks, where they are needed.

Run it: ``python examples/dask_cluster.py`` starts a small cluster of its own, whose workers have little memory;
``python examples/dask_cluster.py tcp://scheduler:8786 --samples 1e7 1e8`` takes one that is there. It needs
``pip install 'autograd-np[dask]'``.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import dask
import dask.array as da
import notebook
import numpy as np
from dask.distributed import Client, LocalCluster

import autograd_np as ag
import nn

RATE = 0.5
NAMES = ("W1", "b1", "W2", "b2")


def make_data(m, chunk, seed=0):
    """Return what `notebook.example_data` does, X (2, m) and Y (1, m), in blocks of `chunk` samples that nobody has made yet."""
    X = da.random.default_rng(seed).normal(size=(2, m), chunks=(2, chunk))
    Y = (da.sum(X**2, axis=0, keepdims=True) < 1.2**2).astype(float)
    return X, Y


def through_files(X, Y, folder):
    """Write the data to files, a block each, and return arrays that read them; every worker has to see the folder."""
    for name, array in (("X", X), ("Y", Y)):
        da.to_npy_stack(folder / name, array, axis=1)
    return da.from_npy_stack(folder / "X"), da.from_npy_stack(folder / "Y")


# --- three ways to do a step of gradient descent --------------------------------------------------


def cost_of(parameters, X, Y):
    """Return the cost as the notebook computes it."""
    A2, _ = notebook.forward_propagation(X, parameters)
    return notebook.compute_cost(A2, Y)


class ByHand:
    """The notebook's own backward pass: a lazy graph of cost and gradients, computed in one go."""

    def __init__(self):
        self.parameters = notebook.initialize_parameters()

    def step(self, X, Y):
        """Move the parameters and return the cost."""
        A2, cache = notebook.forward_propagation(X, self.parameters)
        cost = notebook.compute_cost(A2, Y)
        grads = notebook.backward_propagation(self.parameters, cache, X, Y)
        cost, grads = dask.compute(cost, grads)
        self.parameters = notebook.update_parameters(self.parameters, grads, RATE)
        return float(cost)


class ValueAndGrad:
    """The notebook's forward pass, differentiated."""

    def __init__(self):
        self.parameters = notebook.initialize_parameters()

    def step(self, X, Y):
        """Move the parameters and return the cost."""
        cost, grads = ag.value_and_grad(cost_of)(self.parameters, X, Y)
        self.parameters = {name: self.parameters[name] - RATE * grads[name] for name in NAMES}
        return float(cost)


class Model:
    """The same network from `nn`, which holds one sample a row."""

    def __init__(self):
        self.model = notebook.build_model(notebook.initialize_parameters())
        self.optimizer = nn.SGD(self.model.parameters(), lr=RATE)
        self.loss = nn.BCELoss()

    @property
    def parameters(self):
        """The parameters in the notebook's shapes."""
        return notebook.as_parameters(self.model.state_dict())

    def step(self, X, Y):
        """Move the parameters and return the cost."""
        self.optimizer.zero_grad()
        cost = self.loss(self.model(X.T), Y.T)
        cost.backward()
        self.optimizer.step()
        return cost.item()


CONTENDERS = {"by hand": ByHand, "value_and_grad": ValueAndGrad, "nn": Model}


# --- training, timing, and what may go wrong on the way ------------------------------------------


def train(X, Y, steps):
    """Do so many steps in each way, in turn; return the costs, the parameters, and the seconds of the fastest step."""
    ways = {name: make() for name, make in CONTENDERS.items()}
    costs = {name: [] for name in ways}
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(steps):
        for name, way in ways.items():
            start = time.perf_counter()
            costs[name].append(way.step(X, Y))
            best[name] = min(best[name], time.perf_counter() - start)
    return costs, {name: way.parameters for name, way in ways.items()}, best


def largest_difference(parameters):
    """Return the largest difference between what was trained by hand and what was trained otherwise."""
    return max(float(np.max(abs(parameters[name][k] - parameters["by hand"][k]))) for name in parameters for k in NAMES)


def peak_memory():
    """Return the most memory that this process has had, in bytes (Linux)."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


@contextlib.contextmanager
def killing_a_worker(client, after):
    """Kill the process of a worker of this machine while the block runs; the nanny beside it starts another."""
    pids = list(client.run(os.getpid).values())
    timer = threading.Timer(after, os.kill, (pids[0], signal.SIGKILL))
    timer.start()
    yield pids[0]
    timer.join()


def survive(client, X, Y):
    """Return whether a worker died during a step, and how far its gradients are from those of a step in peace."""
    parameters = notebook.initialize_parameters()
    start = time.perf_counter()
    _, expected = ag.value_and_grad(cost_of)(parameters, X, Y)
    usual = time.perf_counter() - start
    with killing_a_worker(client, usual / 3) as pid:
        _, found = ag.value_and_grad(cost_of)(parameters, X, Y)
    gone = pid not in client.run(os.getpid).values()
    return gone, max(float(np.max(abs(found[k] - expected[k]))) for k in NAMES)


# --- the command ---------------------------------------------------------------------------------


def count(text):
    """Return a number of samples such as 1e6."""
    value = int(float(text))
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of samples")
    return value


def parse(arguments=None):
    """Return the options."""
    parser = argparse.ArgumentParser(description="Train the notebook's network on a Dask cluster.")
    parser.add_argument("address", nargs="?", help="of a scheduler, such as tcp://host:8786; without one a cluster is started here")
    parser.add_argument("--samples", nargs="+", type=count, default=[count("1e5"), count("1e6")], help="how many, such as 1e5 1e6 1e8")
    parser.add_argument("--steps", type=count, default=5, help="of gradient descent, in each of the three ways")
    parser.add_argument("--chunk", type=count, default=count("1e5"), help="samples a block")
    parser.add_argument("--files", action="store_true", help="write the data to files first, and read them at every step")
    parser.add_argument("--workers", type=count, default=2, help="of a cluster that is started here, of one thread each")
    parser.add_argument("--memory", default="400MB", help="of a worker that is started here; one that needs more is killed")
    parser.add_argument("--kill", action="store_true", help="kill a worker of a cluster that is started here, during a step")
    return parser.parse_args(arguments)


def main():
    """Train at every size and print what it costs."""
    options = parse()
    with contextlib.ExitStack() as stack:
        if options.address:
            client = stack.enter_context(Client(options.address))
        else:
            limits = {"n_workers": options.workers, "threads_per_worker": 1, "memory_limit": options.memory}
            cluster = stack.enter_context(LocalCluster(**limits, dashboard_address=":0", silence_logs=logging.ERROR))
            client = stack.enter_context(Client(cluster))
        head = f"{'samples':>11}{'data':>9}   {'':16}{'µs/sample':>10}{'ratio':>7}   {'cost':22}{'difference':>11}"
        print(f"{head}{'worker':>10}{'here':>10}")
        for m in options.samples:
            X, Y = make_data(m, min(options.chunk, m))
            size = X.nbytes + Y.nbytes
            if options.files:
                X, Y = through_files(X, Y, Path(stack.enter_context(tempfile.TemporaryDirectory())))
            costs, parameters, best = train(X, Y, options.steps)
            worker, here = max(client.run(peak_memory).values()), peak_memory()
            for i, name in enumerate(CONTENDERS):
                first = f"{m:11.0e}{size / 1e6:6.0f} MB" if i == 0 else " " * 20
                last = f"{largest_difference(parameters):11.1e}{worker / 1e6:7.0f} MB{here / 1e6:7.0f} MB" if i == 0 else ""
                told = f"{costs[name][0]:.6f} -> {costs[name][-1]:.6f}"
                print(f"{first}   {name:16}{1e6 * best[name] / m:10.3f}{best[name] / best['by hand']:7.2f}   {told:22}{last}", flush=True)
        if options.kill and not options.address:
            gone, difference = survive(client, X, Y)
            print(f"a worker was {'killed' if gone else 'to be killed, too late'} during a step; largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
