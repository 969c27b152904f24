"""Metrics: how good predictions are, for people; scikit-learn computes what is more than a mean.

A prediction is a probability (binary), a row of probabilities (classes) or a number (regression). Labels also will do.
"""

from __future__ import annotations

import importlib
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nn.errors import MissingExtraError, ShapeMismatchError
from nn.state import held

__all__ = ["accuracy", "confusion_matrix", "f1", "precision", "r2", "recall", "roc_auc"]

Array: TypeAlias = Any


def accuracy(prediction: Array, target: Array) -> float:
    """Return the share of samples whose class is right.

    Parameters
    ----------
    prediction : array of shape (samples, classes) or (samples, classes, ...); or of the target's shape
        Probabilities or other scores of each class, of which the largest counts; or, in the shape of the target, probabilities
        of class 1, at least 0.5 for a 1, or class numbers (integers).
    target : array of integers, or of floats 0.0 and 1.0
        Classes.

    Raises
    ------
    ShapeMismatchError
        If the shapes do not belong together.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    >>> metrics.accuracy(np.array([[0.7], [0.2], [0.5]]), np.array([[1.0], [0.0], [0.0]]))
    0.6666666666666666
    """
    predicted, wanted = classes_of(prediction, target)
    return float(np.mean(predicted == wanted))


def r2(prediction: Array, target: Array) -> float:
    """Return the share of the target's variance that is explained: 1 - sum (y - p)^2 / sum (y - mean y)^2, the mean over columns.

    It is NaN where a target does not vary.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    0.7857142857142857
    """
    p, y = _plain(prediction) + 0.0, _plain(target) + 0.0  # bytes would wrap around
    if p.shape != y.shape:
        raise ShapeMismatchError(f"r2 got predictions of shape {p.shape} and a target of shape {y.shape}; expected one shape")
    rest, all_of_it = np.square(y - p).sum(axis=0), np.square(y - y.mean(axis=0)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.where(all_of_it > 0, 1 - rest / all_of_it, np.nan)))


def precision(prediction: Array, target: Array, average: str = "") -> float:
    """Return the share of those that were predicted to be of a class that are; arguments as for `f1`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.precision(np.array([0.9, 0.8, 0.1, 0.2]), np.array([1, 0, 0, 1]))
    0.5
    """
    return _scored("precision_score", prediction, target, average)


def recall(prediction: Array, target: Array, average: str = "") -> float:
    """Return the share of those of a class that were predicted to be; arguments as for `f1`.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.recall(np.array([0.9, 0.8, 0.1, 0.2]), np.array([1, 0, 1, 1]))
    0.3333333333333333
    """
    return _scored("recall_score", prediction, target, average)


def f1(prediction: Array, target: Array, average: str = "") -> float:
    """Return the harmonic mean of precision and recall.

    Parameters
    ----------
    prediction, target : arrays
        As for `accuracy`.
    average : {"", "binary", "macro", "micro", "weighted"}
        Of the classes; if not given, class 1 alone where a prediction is one probability, else the mean over the classes.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed (extra ``sklearn``).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.f1(np.array([0.9, 0.8, 0.1, 0.2]), np.array([1, 0, 0, 1]))
    0.5
    """
    return _scored("f1_score", prediction, target, average)


def roc_auc(prediction: Array, target: Array) -> float:
    """Return the area under the curve of true against false positives: how often a 1 is ranked above a 0.

    Parameters
    ----------
    prediction : array
        Probabilities or other scores, of the target's shape; or probabilities of shape (samples, classes): each class against the
        others, the mean over the classes.
    target : array
        Classes.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed (extra ``sklearn``).
    ValueError
        If there is only one class in the target.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.roc_auc(np.array([0.9, 0.4, 0.1, 0.6]), np.array([1, 0, 0, 0]))
    1.0
    """
    score = _sklearn("roc_auc_score")
    p, y = _plain(prediction), _plain(target)
    if p.shape == y.shape:
        p, y = p.ravel(), y.ravel()
    if len(np.unique(y)) < 2:
        raise ValueError("roc_auc needs two classes in the target, or more; got one")
    return float(score(y, p[:, 1] if p.ndim == 2 and p.shape[1] == 2 else p, multi_class="ovr"))


def confusion_matrix(prediction: Array, target: Array) -> NDArray[np.int64]:
    """Return how often which class was taken for which: a row for each class of the target, a column for each predicted one.

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed (extra ``sklearn``).

    Examples
    --------
    >>> import numpy as np
    >>> from nn import metrics
    >>> metrics.confusion_matrix(np.array([0.9, 0.8, 0.1]), np.array([1, 0, 0]))
    array([[1, 1],
           [0, 1]])
    """
    predicted, wanted = classes_of(prediction, target)
    p = _plain(prediction)
    count = p.shape[1] if p.shape != np.shape(target) else int(max(predicted.max(initial=0), wanted.max(initial=0), 1)) + 1
    return np.asarray(_sklearn("confusion_matrix")(wanted, predicted, labels=range(count)), np.int64)


# --- shared ---------------------------------------------------------------------------------------


def classes_of(prediction: Array, target: Array) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the predicted and the right class of each sample, in one axis."""
    p, y = _plain(prediction), _plain(target)
    if y.dtype.kind == "f" and (y != np.floor(y)).any():
        raise ValueError(f"a metric of classes got the target {y[y != np.floor(y)][0]}, which is no class; of numbers, take nn.metrics.r2")
    if p.shape == y.shape:
        return (p >= 0.5 if p.dtype.kind == "f" else p).astype(np.int64).ravel(), y.astype(np.int64).ravel()
    if p.ndim < 2 or p.shape[:1] + p.shape[2:] != y.shape:
        raise ShapeMismatchError(
            f"a metric of classes got predictions of shape {p.shape} and a target of shape {y.shape}; expected (samples, classes) and "
            f"(samples,), or one shape"
        )
    return p.argmax(axis=1).ravel(), y.astype(np.int64).ravel()


def _plain(x: Array) -> NDArray[Any]:
    return np.asarray(held(x))


def _scored(name: str, prediction: Array, target: Array, average: str) -> float:
    score = _sklearn(name)
    predicted, wanted = classes_of(prediction, target)
    binary = np.shape(prediction) == np.shape(target) and max(predicted.max(initial=0), wanted.max(initial=0)) < 2
    return float(score(wanted, predicted, average=average or ("binary" if binary else "macro"), zero_division=0.0))


def _sklearn(name: str) -> Any:
    try:
        return getattr(importlib.import_module("sklearn.metrics"), name)
    except ImportError:
        raise MissingExtraError(
            f"nn.metrics.{name.removesuffix('_score')} needs scikit-learn, which is not installed; run pip install 'autograd-np[sklearn]'"
        ) from None
