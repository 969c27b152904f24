"""The network that learns a table, and the file it is kept in with all that a prediction needs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd_np as ag
import nn
from autograd_np import DataError
from autograd_np.tabular.tasks import KINDS, Kind

__all__ = ["ACTIVATIONS", "MODEL", "OPTIMISERS", "RATES", "Model", "load", "network", "save"]

Array: TypeAlias = NDArray[np.float64]

MODEL = "model.safetensors"
"""What the file is called in the folder of a training."""

TEXT = "autograd_np.tabular"
"""The name of the text in the file's metadata, which is JSON."""

VERSION = 1

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}

OPTIMISERS: dict[str, Callable[..., nn.Optimizer]] = {
    "sgd": nn.SGD,
    "adam": nn.Adam,
    "adamw": nn.AdamW,
    "nadam": nn.NAdam,
    "rmsprop": nn.RMSprop,
    "adagrad": nn.Adagrad,
}

RATES = {"sgd": 0.1, "adagrad": 0.01}
"""Learning rates that are taken where none is asked for; otherwise 0.001."""


@dataclass(frozen=True)
class Model:
    """A trained network, and what it was trained for.

    Attributes
    ----------
    features : tuple of str
        The columns it takes, in order.
    target : str
        The column it predicts.
    kind : {"binary", "multiclass", "regression"}
    classes : tuple of str
        Their names, in order; empty for a regression.
    hidden : tuple of int
        Units in each hidden layer.
    activation : str
        Between the layers; a name in `ACTIVATIONS`.
    mean, scale : tuple of float
        Of the features: the network takes ``(x - mean) / scale``.
    target_mean, target_scale : float
        Of a regression's target: what the network gives is multiplied by the scale, and the mean added.
    network : Sequential
        Gives logits, or one number.
    """

    features: tuple[str, ...]
    target: str
    kind: Kind
    classes: tuple[str, ...]
    hidden: tuple[int, ...]
    activation: str
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    target_mean: float
    target_scale: float
    network: nn.Sequential

    def predict(self, x: Array) -> Array:
        """Return the probability of each class, of shape (n, classes), or the number, (n, 1), for features of shape (n, features)."""
        with ag.no_grad(), np.errstate(over="ignore"):
            return self.told(self.network((x - np.array(self.mean)) / np.array(self.scale)).data)

    def told(self, output: Array) -> Array:
        """Return what an output of the network means, as `predict` does."""
        if self.kind == "regression":
            return output * self.target_scale + self.target_mean
        if self.kind == "multiclass":
            return np.asarray(ag.softmax(output, axis=1))
        one = np.asarray(ag.sigmoid(output))
        return np.hstack([1 - one, one])


def network(features: int, hidden: Sequence[int], outputs: int, activation: str, seed: int) -> nn.Sequential:
    """Return a network of affine layers with an activation between them, with PyTorch's first weights."""
    rng = np.random.default_rng(seed)
    layers: list[nn.Module] = []
    for n, m in itertools.pairwise([features, *hidden, outputs]):
        layers += [nn.Linear(n, m, rng=rng), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def save(model: Model, path: str | Path) -> None:
    """Write a model as a safetensors file: the arrays of `nn.Sequential`, and all else as JSON in its metadata.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    about = {name: value for name, value in vars(model).items() if name != "network"}
    nn.save(model.network, path, metadata={TEXT: json.dumps({"version": VERSION, **about})})


def load(path: str | Path) -> Model:
    """Read a model.

    Parameters
    ----------
    path : str or Path
        The file, or the folder in which a training wrote it.

    Raises
    ------
    DataError
        If there is none, or the file is damaged or another one.
    """
    path = Path(path)
    if path.is_dir():
        path = path / MODEL
    try:
        return _built(json.loads(nn.io.read_metadata(path).get(TEXT, "{}")), nn.load(path))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; expected the folder, or the {MODEL}, that autograd-np train wrote") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except nn.StateDictError as error:
        raise DataError(str(error)) from None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: this is no model that autograd-np train wrote: {error}") from None


def _built(about: dict[str, Any], arrays: dict[str, Any]) -> Model:
    """Return the model of a file; its arrays are compared with what it says before anything is made of that."""
    if about.get("version") != VERSION:
        raise ValueError(f"its version is {about.get('version')}, expected {VERSION}")
    if about["kind"] not in KINDS or about["activation"] not in ACTIVATIONS:
        raise ValueError(f"kind {about['kind']!r}, activation {about['activation']!r}")
    lists: dict[str, Any] = {name: tuple(about[name]) for name in ("features", "classes", "hidden", "mean", "scale")}
    if not len(lists["features"]) == len(lists["mean"]) == len(lists["scale"]):
        raise ValueError("features, mean and scale are not of one length")
    outputs = len(lists["classes"]) if about["kind"] == "multiclass" else 1
    sizes = list(itertools.pairwise([len(lists["features"]), *lists["hidden"], outputs]))
    expected = {f"{2 * i}.weight": (m, n) for i, (n, m) in enumerate(sizes)} | {f"{2 * i}.bias": (m,) for i, (_, m) in enumerate(sizes)}
    if {name: a.shape for name, a in arrays.items()} != expected:
        raise ValueError(f"its arrays are not those of a network {'-'.join(str(n) for n, _ in sizes)}-{outputs}")
    made = network(len(lists["features"]), lists["hidden"], outputs, about["activation"], 0)
    made.load_state_dict(arrays)
    rest: dict[str, Any] = {name: about[name] for name in ("target", "kind", "activation", "target_mean", "target_scale")}
    return Model(**lists, **rest, network=made)
