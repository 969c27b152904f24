"""How good a model is on a part of the data, counted batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd_np as ag
import nn
from autograd_np.tabular.network import Model

__all__ = ["ClassFigures", "Figures", "NumberFigures", "evaluate"]

BATCH = 4096
POINTS = 1000
"""So many predictions are kept for the picture."""


@dataclass
class ClassFigures:
    """Of a model that predicts classes.

    Attributes
    ----------
    confusion : array of shape (classes, classes), int64
        A row for each true class, a column for each predicted one.
    """

    confusion: NDArray[np.int64]

    @property
    def samples(self) -> int:
        """How many samples were predicted."""
        return int(self.confusion.sum())

    @property
    def right(self) -> int:
        """How many of them rightly."""
        return int(np.trace(self.confusion))

    @property
    def accuracy(self) -> float:
        """The share of those that are right."""
        return self.right / self.samples

    def most(self, trained: NDArray[np.int64]) -> tuple[int, float]:
        """Return the class that most of the `trained` samples have, and how accurate it would be to predict it always."""
        most = int(trained.argmax())
        return most, float(self.confusion[most].sum() / self.samples)

    def scores(self) -> NDArray[np.float64]:
        """Return precision, recall and F1 of each class, of shape (classes, 3); 0 where there is nothing to divide by."""
        right, true, told = np.diag(self.confusion), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        parts = ((right, told), (right, true), (2 * right, told + true))
        return np.stack([np.divide(a, b, out=np.zeros(len(right)), where=b > 0) for a, b in parts], axis=1)


@dataclass
class NumberFigures:
    """Of a model that predicts numbers.

    Attributes
    ----------
    samples : int
    rmse, mae : float
        The root of the mean squared error, and the mean absolute error, in the target's unit.
    r2 : float
        The share of the variance that is explained; NaN where the target does not vary.
    rmse_of_mean : float
        The root of the mean squared error of the training part's mean.
    points : array of shape (n, 2)
        Some samples: what is true and what was predicted.
    """

    samples: int
    rmse: float
    mae: float
    r2: float
    rmse_of_mean: float
    points: NDArray[np.float64]


Figures: TypeAlias = ClassFigures | NumberFigures


def evaluate(model: Model, data: nn.data.Dataset) -> Figures:
    """Return the figures of a model on data as it was trained on: standardised features, and the target as the network gives it."""
    loader = nn.data.DataLoader(data, BATCH)
    with ag.no_grad(), np.errstate(over="ignore"):
        return _numbers(model, loader) if model.kind == "regression" else _classes(model, loader)


def _classes(model: Model, loader: Any) -> ClassFigures:
    k = len(model.classes)
    counts = np.zeros(k * k, np.int64)
    for x, y in loader:
        predicted = model.told(model.network(x).data).argmax(axis=1)
        counts += np.bincount(y.astype(np.int64).ravel() * k + predicted, minlength=k * k)
    return ClassFigures(counts.reshape(k, k))


def _numbers(model: Model, loader: Any) -> NumberFigures:
    n, squares, absolute, total, total_squares = 0, 0.0, 0.0, 0.0, 0.0
    points, step = [], max(1, len(loader.dataset) // POINTS)
    for x, y in loader:
        p = model.network(x).data
        squares += float(np.square(p - y).sum())
        absolute += float(abs(p - y).sum())
        total += float(y.sum())  # the mean of the training part is 0 here, so that little is lost to rounding
        total_squares += float(np.square(y).sum())
        points.append(model.told(np.hstack([y, p])[-n % step :: step]))
        n += len(y)
    variance = total_squares - total**2 / n
    return NumberFigures(
        samples=n,
        rmse=float(np.sqrt(squares / n)) * model.target_scale,
        mae=absolute / n * model.target_scale,
        r2=1 - squares / variance if variance > 0 else float("nan"),
        rmse_of_mean=float(np.sqrt(total_squares / n)) * model.target_scale,
        points=np.concatenate(points),
    )
