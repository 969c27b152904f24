"""How a network is trained on a table, and the error about a setting."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SettingError", "Settings"]

SMALLEST_BATCH, LARGEST_BATCH, BATCHES = 32, 4096, 1000


class SettingError(ValueError):
    """A setting with which a network cannot be trained, or its files cannot be written.

    Attributes
    ----------
    setting : str
        Its name, such as ``lr`` or ``out``.
    """

    def __init__(self, setting: str, message: str) -> None:
        super().__init__(message)
        self.setting = setting


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a network is made and trained.

    Attributes
    ----------
    hidden : tuple of int
        Units in each hidden layer; none for a linear model.
    activation, optimiser : str
        Names in `network.ACTIVATIONS` and `network.OPTIMISERS`.
    lr : float
    batch_size : int or None
        None is 32, doubled until an epoch has no more than 1000 batches, up to 4096.
    validation, test : float
        Which shares of the rows are not trained on.
    epochs : int
    patience : int
        The training ends after so many epochs without a smaller loss on the validation part; 0 for never.
    clip_norm : float or None
        The largest norm of all gradients.
    seed : int
        Of the parts, the first weights and the order of the rows.
    """

    hidden: tuple[int, ...] = (32, 16)
    activation: str = "relu"
    optimiser: str = "adam"
    lr: float = 0.001
    batch_size: int | None = None
    validation: float = 0.1
    test: float = 0.2
    epochs: int = 100
    patience: int = 10
    clip_norm: float | None = None
    seed: int = 0

    def batch(self, rows: int) -> int:
        """Return how many rows are in a batch, where so many are trained on.

        Examples
        --------
        >>> Settings().batch(500), Settings().batch(700_000), Settings(batch_size=8).batch(500)
        (32, 1024, 8)
        """
        size = self.batch_size or SMALLEST_BATCH
        while self.batch_size is None and rows > BATCHES * size and size < LARGEST_BATCH:
            size *= 2
        return size
