"""The base of losses."""

from __future__ import annotations

from typing import Any, ClassVar

from nn.module import Module

__all__ = ["Loss"]


class Loss(Module):
    """A Module with a reduction, and perhaps weights.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    """

    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")

    def __init__(self, reduction: Any = "mean") -> None:
        if reduction not in self.reductions:
            known = ", ".join(map(repr, self.reductions[:-1]))
            raise ValueError(f"reduction={reduction!r} is not known; expected {known} or {self.reductions[-1]!r}")
        self.reduction = reduction

    def _weigh(self, **weights: Any) -> None:
        """Keep arrays, or None, as buffers."""
        for name, weight in weights.items():
            if isinstance(weight, str):
                raise TypeError(f"{type(self).__name__} got {name}={weight!r}; the reduction is a keyword: reduction={weight!r}")
            self.register_buffer(name, weight)

    def extra_repr(self) -> str:
        """Return the settings that are not the default."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"
