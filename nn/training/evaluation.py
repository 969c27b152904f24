"""Loss and metrics of a model on data that it is not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

import autograd_np as ag
from nn import functional as F  # noqa: N812
from nn.data import DataLoader
from nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, NLLLoss
from nn.module import Module
from nn.training.core import Callback, Training, parts

__all__ = ["Metrics", "Validation", "evaluate", "named"]

Metric: TypeAlias = Callable[[Any, Any], Any]
Metrics: TypeAlias = Iterable[Metric] | Mapping[str, Metric]


def evaluate(
    model: Module,
    data: Any,
    loss: Callable[[Any, Any], Any] | None = None,
    metrics: Metrics = (),
    *,
    batch_size: int = 256,
    prediction: Callable[[Any], Any] | None = None,
) -> dict[str, Any]:
    """Return the loss and metrics of a model on data, computed under `Module.eval` and `autograd_np.no_grad`.

    Parameters
    ----------
    model : Module
        Afterwards each Module in it is in the mode in which it was.
    data : DataLoader, Dataset, or tuple of arrays (inputs, ..., target)
    loss : callable, optional
        ``loss(output, target)``, a mean over the samples.
    metrics : iterable of callables, or mapping of names and callables
        ``metric(prediction, target)`` of all samples at once, a number or an array; see `nn.metrics`.
    batch_size : int, default 256
        Where `data` is no DataLoader.
    prediction : callable, optional
        Makes what metrics take of an output. If not given: a sigmoid if the loss is `BCEWithLogitsLoss`, a softmax over
        axis 1 if it is `CrossEntropyLoss`, the exponential if it is `NLLLoss`, and nothing otherwise.

    Returns
    -------
    dict
        ``"loss"``, and each metric by its name.

    Raises
    ------
    ValueError
        If there is no sample.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model, x = nn.Linear(1, 1, rng=0), np.array([[0.0], [1.0]])
    >>> _ = nn.fit(model, (x, 2 * x), nn.MSELoss(), nn.SGD(model.parameters(), lr=0.5), 100, progress=False)
    >>> nn.evaluate(model, (x, 2 * x), metrics=[nn.metrics.r2])
    {'r2': 1.0}
    """
    loader = data if isinstance(data, DataLoader) else DataLoader(data, batch_size)
    wanted = named(metrics)
    prediction = prediction or _predictor(loss)
    modes = [(module, module.training) for module in model.modules()]
    total, samples = 0.0, 0
    predictions, targets = [], []
    model.eval()
    try:
        with ag.no_grad():
            for batch in loader:
                *inputs, target = parts(batch)
                output = model(*inputs)
                if loss is not None:
                    total += _number(loss(output, target)) * len(target)
                samples += len(target)
                if wanted:
                    predictions.append(_array(prediction(output) if prediction else output))
                    targets.append(target)
    finally:
        for module, mode in modes:
            module.training = mode
    if not samples:
        raise ValueError("there is no sample to evaluate on")
    found: dict[str, Any] = {} if loss is None else {"loss": total / samples}
    if wanted:
        whole, whole_target = np.concatenate(predictions), np.concatenate(targets)
        for name, metric in wanted.items():
            value = np.asarray(metric(whole, whole_target))
            found[name] = value.item() if value.ndim == 0 else value.tolist()
    return found


class Validation(Callback):
    """Evaluates the model at the end of each epoch.

    Parameters
    ----------
    loader : DataLoader
    loss : callable or None
        None where only metrics are wanted.
    metrics : iterable or mapping
    prefix : str
        Of the names in the logs: ``"val_"``.
    prediction : callable, optional
        As for `evaluate`, of the training's loss.
    """

    def __init__(self, loader: DataLoader, loss: Any, metrics: Metrics, prefix: str, prediction: Callable[[Any], Any] | None) -> None:
        self.loader, self.loss, self.metrics, self.prefix, self.prediction = loader, loss, named(metrics), prefix, prediction

    def on_epoch_end(self, training: Training) -> None:
        """Add loss and metrics to the logs."""
        prediction = self.prediction or _predictor(training.loss)
        found = evaluate(training.model, self.loader, self.loss, self.metrics, prediction=prediction)
        training.logs.update({f"{self.prefix}{name}": value for name, value in found.items()})

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is: its next order depends on it, and on that how sums are rounded."""
        return self.loader.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue with the loader's state."""
        self.loader.load_state_dict(state_dict)


_PREDICTIONS: dict[Any, Callable[[Any], Any]] = {
    BCEWithLogitsLoss: ag.sigmoid,
    F.binary_cross_entropy_with_logits: ag.sigmoid,
    CrossEntropyLoss: lambda output: ag.softmax(output, axis=1),
    F.cross_entropy: lambda output: ag.softmax(output, axis=1),
    NLLLoss: np.exp,
    F.nll_loss: np.exp,
}


def _predictor(loss: Any) -> Callable[[Any], Any] | None:
    """Return what makes probabilities of the outputs that a loss takes."""
    return _PREDICTIONS.get(loss) or _PREDICTIONS.get(type(loss))


def named(metrics: Metrics) -> dict[str, Metric]:
    """Return metrics by their names."""
    if isinstance(metrics, Mapping):
        return dict(metrics)
    if callable(metrics):
        raise TypeError(f"metrics must be a list of functions (prediction, target), got {metrics!r:.80}; pass metrics=[...]")
    found = {}
    for metric in metrics:
        name = getattr(metric, "__name__", "")
        if not callable(metric) or not name:
            raise TypeError(f"metrics must be functions (prediction, target), or a dict of names and functions; got {metric!r:.80}")
        if name in found:
            raise ValueError(f"two metrics have the name {name!r}, and one would hide the other; pass a dict: metrics={{name: function}}")
        found[name] = metric
    return found


def _number(x: Any) -> float:
    return float(x.data if isinstance(x, ag.Tensor) else x)


def _array(x: Any) -> Any:
    if isinstance(x, ag.Tensor):
        return x.numpy()
    if isinstance(x, np.ndarray):
        return x
    raise TypeError(f"metrics take arrays, and the model returned a {type(x).__name__}; pass prediction=, a function that picks the array")
