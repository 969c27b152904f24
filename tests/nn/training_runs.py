"""A training with everything that a checkpoint has to keep: run by itself, it is the process that test_training_killed kills."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import nn


class Noise(nn.Module):
    """A layer that draws, as Dropout does."""

    def __init__(self, rng):
        self.generator = np.random.default_rng(rng)

    def forward(self, x):
        return x * (self.generator.random(x.shape) < 0.8) if self.training else x * 0.8


class Centre(nn.Module):
    """A layer whose buffers move when it runs, as those of BatchNorm do; one of them is not in its state."""

    def __init__(self, n):
        self.register_buffer("mean", np.zeros(n))
        self.register_buffer("calls", np.zeros((), np.int64), persistent=False)

    def forward(self, x):
        if self.training:
            self.calls = self.calls + 1
            self.mean = self.mean + (x.numpy().mean(axis=0) - self.mean) / float(self.calls)
        return x - self.mean


class Halving:
    """A schedule: the learning rate becomes half of it when the loss falls too slowly."""

    def __init__(self, optimiser):
        self.optimiser, self.last, self.seen = optimiser, float("inf"), []

    def step(self, metrics):
        self.seen.append(metrics)
        if metrics > 0.97 * self.last:
            self.optimiser.lr /= 2
        self.last = metrics

    def state_dict(self):
        return {"last": self.last, "seen": self.seen, "lr": np.array(self.optimiser.lr)}

    def load_state_dict(self, state):
        self.last, self.seen, self.optimiser.lr = state["last"], list(state["seen"]), float(state["lr"])


def parts(epochs=6):
    """Return what fit takes, the same each time."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3))
    y = np.sin(x[:, :1]) + 0.1 * rng.normal(size=(90, 1))
    model = nn.Sequential(nn.Linear(3, 8, rng=1), Centre(8), nn.Tanh(), Noise(2), nn.Linear(8, 1, rng=3, dtype=np.float32))
    optimiser = nn.Adam(model.parameters(), lr=0.02)
    settings = {
        "validation": (x[:30], y[:30]),
        "metrics": [nn.metrics.r2],
        "callbacks": [nn.EarlyStopping(patience=3)],
        "scheduler": Halving(optimiser),
        "clip_grad_norm": 2.0,
        "progress": False,
    }
    loader = nn.data.DataLoader((x[30:], y[30:]), batch_size=8, shuffle=True, rng=4, prefetch=2)
    return (model, loader, nn.MSELoss(), optimiser, epochs), settings


class Tell(nn.Callback):
    """Prints a line a batch."""

    def on_batch_end(self, training):
        print(training.step, flush=True)


def run(folder: Path, epochs: int) -> None:
    arguments, settings = parts(epochs)
    settings["callbacks"] = [nn.EarlyStopping(patience=epochs), Tell(), nn.CSVLog(folder / "log.csv")]
    history = nn.fit(*arguments, **settings, checkpoint=folder / "run.safetensors", checkpoint_every=2, resume=True)
    nn.save(arguments[0], folder / "model.safetensors")
    print("done", len(history), flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
