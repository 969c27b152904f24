"""Models of `nn` beside the same models of PyTorch.

They are a perceptron and a convolutional network, of which an epoch on digits is timed, an LSTM and a transformer's encoder, of which a
step is. They are written once, in the names that both packages have, in float32. Both start from the same parameters, and train with
the same optimiser on the same batches, slices of arrays, so that what makes batches is not compared.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.harness import Settings, compare, interleave, repeated, same, without

__all__ = ["BASELINE", "CONTENDERS", "PEERS", "PROBLEMS", "Contender", "Figures", "check", "contender", "memory", "run"]

BASELINE = "PyTorch eager"
CONTENDERS = (BASELINE, "nn")
PEERS = {BASELINE: "torch", "digits": "sklearn"}
Batches = list[tuple[np.ndarray, np.ndarray]]


# --- the models -----------------------------------------------------------------------------------


def mlp(nn: Any, dtype: Any) -> Any:
    """Return the perceptron of examples/digits_mlp.py, without dropout, whose random numbers would differ."""
    return nn.Sequential(nn.Linear(64, 128, dtype=dtype), nn.ReLU(), nn.Linear(128, 10, dtype=dtype))


def cnn(nn: Any, dtype: Any) -> Any:
    """Return the convolutional network of examples/digits_cnn.py, without dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1, dtype=dtype), nn.BatchNorm2d(32, dtype=dtype), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1, dtype=dtype), nn.BatchNorm2d(64, dtype=dtype), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 4 * 4, 10, dtype=dtype),
    )  # fmt: skip


def lstm(nn: Any, dtype: Any) -> Any:
    """Return an LSTM of 128 units that reads sequences of 64 features, and tells ten classes by its last state."""

    class Reader(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.states = nn.LSTM(64, 128, batch_first=True, dtype=dtype)
            self.scores = nn.Linear(128, 10, dtype=dtype)

        def forward(self, x: Any) -> Any:
            states, _ = self.states(x)
            return self.scores(states[:, -1])

    return Reader()


def transformer(nn: Any, dtype: Any) -> Any:
    """Return an encoder of two layers of 128 features and 4 heads, and ten scores of the first place."""

    class Encoder(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(128, 4, 512, 0.0, "gelu", batch_first=True, dtype=dtype)
            self.encoder = nn.TransformerEncoder(layer, 2)
            self.scores = nn.Linear(128, 10, dtype=dtype)

        def forward(self, x: Any) -> Any:
            return self.scores(self.encoder(x)[:, 0])

    return Encoder()


def _digits(images: bool) -> Batches:
    import nn

    x, y = nn.data.digits(images=images, dtype=np.float32)
    return [(x[i : i + 32], y[i : i + 32]) for i in range(0, len(x), 32)]


def _sequences(samples: int, length: int, features: int) -> Batches:
    rng = np.random.default_rng(0)
    return [(rng.standard_normal((samples, length, features)).astype(np.float32), rng.integers(0, 10, samples))]


class Problem(NamedTuple):
    """A model, and the batches that it is trained on in one go."""

    model: Callable[[Any, Any], Any]
    batches: Callable[[], Batches]
    title: str


PROBLEMS = {
    "mlp": Problem(mlp, lambda: _digits(False), "perceptron, epoch of the digits"),
    "cnn": Problem(cnn, lambda: _digits(True), "convolutional network, epoch of the digits"),
    "lstm": Problem(lstm, lambda: _sequences(32, 50, 64), "LSTM, step"),
    "transformer": Problem(transformer, lambda: _sequences(16, 64, 128), "transformer's encoder, step"),
}


# --- the contenders -------------------------------------------------------------------------------


class Contender(NamedTuple):
    """`train` goes through the batches and returns the last loss; `gradients` are those of the first batch, at the start."""

    train: Callable[[], Any]
    gradients: Callable[[], list[np.ndarray]]


def contender(problem: str, name: str, seed: int = 0) -> Contender:
    """Return a contender, at parameters that depend on the seed alone."""
    model_of, batches_of, _ = PROBLEMS[problem]
    rng = np.random.default_rng(seed)
    if name == BASELINE:
        import torch
        from torch import nn, optim

        torch.set_num_threads(1)
        model = model_of(nn, torch.float32)
        batches: Any = [(torch.tensor(x), torch.tensor(y)) for x, y in batches_of()]
        with torch.no_grad():
            for p in model.parameters():
                p.copy_(torch.tensor(_initial(tuple(p.shape), rng)))
    else:
        import nn  # type: ignore[no-redef]
        from nn import optim  # type: ignore[no-redef]

        model, batches = model_of(nn, np.float32), batches_of()
        for p in model.parameters():
            p.data = _initial(p.shape, rng)
    optimiser, loss_of = optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()

    def loss_at(x: Any, y: Any) -> Any:
        optimiser.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        return loss

    def train() -> Any:
        total = 0.0
        for x, y in batches:
            loss = loss_at(x, y)
            optimiser.step()
            total += loss.item()
        return total / len(batches)

    def gradients() -> list[np.ndarray]:
        loss_at(*batches[0])
        return [np.asarray(p.grad).copy() for p in model.parameters()]

    return Contender(train, gradients)


def _initial(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return small weights; and vectors near 1, since those of norms are factors."""
    if len(shape) == 1:
        return (1 + 0.1 * rng.standard_normal(shape)).astype(np.float32)
    return (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def check(field: dict[str, Contender]) -> None:
    """Demand equal gradients, to the rounding of float32.

    Raises
    ------
    AssertionError
        Naming the contender that disagrees with PyTorch.
    """
    found = {name: c.gradients() for name, c in field.items()}
    for name, gradients in found.items():
        same(name, gradients, found[BASELINE], rtol=1e-3)


# --- the comparison -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """What a model costs in nn, beside PyTorch.

    Attributes
    ----------
    title : str
        The model, and what is timed.
    seconds : float
        PyTorch's median.
    ratio, low, high : float
        Median and quartiles of the rounds' ratios.
    of_fastest : float
        The ratio of the fastest rounds, which a busy machine disturbs least.
    memory : dict of str and float
        By contender: how many bytes a fresh process needs for training beyond those it has before; NaN where the system does not say.
    rounds : int
        How many there were.
    """

    title: str
    seconds: float
    ratio: float
    low: float
    high: float
    of_fastest: float
    memory: dict[str, float]
    rounds: int


_CHILD = """
import json, sys
from pathlib import Path
from benchmarks.harness import one_thread
one_thread()
from benchmarks import nn_step

def kilobytes(name):
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))

train = nn_step.contender(sys.argv[1], sys.argv[2]).train
before = kilobytes("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
for _ in range(3):
    train()
print(json.dumps(1024 * (kilobytes("VmHWM") - before)))
"""


def memory(problem: str, name: str) -> float:
    """Return what training needs at its peak, in bytes beyond what a fresh process has with its imports, model and data (Linux).

    Raises
    ------
    RuntimeError
        If the process fails; with its message.
    """
    if not Path("/proc/self/clear_refs").exists():
        return float("nan")
    command = [sys.executable, "-c", _CHILD, problem, name]
    folder = Path(__file__).parents[1]
    child = subprocess.run(command, env=dict(os.environ), cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 (a list of our own)
    if child.returncode != 0:
        raise RuntimeError(f"training {problem} with {name} failed in a fresh process:\n{child.stderr}")
    return float(json.loads(child.stdout))


def run(settings: Settings) -> list[Figures]:
    """Time every model whose packages are there; nothing without PyTorch."""
    missing = without(PEERS)
    figures = []
    for key, problem in PROBLEMS.items():
        if BASELINE in missing or ("digits" in missing and "digits" in problem.title):
            continue
        field = {name: contender(key, name, settings.seed) for name in CONTENDERS}
        check(field)
        tasks = {name: repeated(c.train, settings.min_seconds) for name, c in field.items()}
        samples = interleave(tasks, settings.rounds, settings.seed)
        base, own = compare(samples)
        fastest = min(samples["nn"]) / min(samples[BASELINE])
        told = {name: statistics.median(memory(key, name) for _ in range(1 if settings.quick else 3)) for name in CONTENDERS}
        figures.append(Figures(problem.title, base.seconds, own.ratio, own.low, own.high, fastest, told, own.rounds))
    return figures
