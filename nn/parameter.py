"""Parameter: a leaf that a Module counts as its own."""

from __future__ import annotations

from typing import Any

import autograd_np as ag
from nn.names import Label

__all__ = ["Parameter"]


class Parameter(ag.Tensor):
    """A Tensor that a Module registers when it becomes an attribute.

    It stays a leaf: under `autograd_np.no_grad`, ``p -= step`` and ``p[...] = values`` give it new values; views of it
    follow, and results recorded earlier keep the old ones.

    Parameters
    ----------
    data : array_like
        Floats; copied.
    requires_grad : bool, default True
        Whether gradients accumulate in `.grad`.
    name : str, optional
        Shown in drawings and messages, in the place of the path in the outermost Module that has it, such as ``encoder.0.weight``.

    Raises
    ------
    autograd_np.DifferentiationError
        If `data` are not floats.

    Examples
    --------
    >>> from nn import Parameter
    >>> Parameter([1.0, 2.0])
    Parameter([1., 2.], requires_grad=True)
    """

    __slots__ = ("label",)
    label: Label

    def __init__(self, data: Any, requires_grad: bool = True, name: str | None = None) -> None:
        self.label = Label()
        super().__init__(data, requires_grad, self.label if name is None else name)

    def become(self, data: Any) -> None:
        """Take other values, of any dtype, and stay the object that it is; the gradient is cast, and earlier views follow no longer.

        Parameters
        ----------
        data : array_like
            Floats of the same shape; copied.
        """
        given = None if self.name == self.label() else self.name
        grad, requires_grad = self.grad, self.requires_grad
        ag.Tensor.__init__(self, data, requires_grad, self.label if given is None else given)
        self.grad = None if grad is None else grad.astype(self.dtype)

    def __repr__(self) -> str:
        return super().__repr__().replace("Tensor(", "Parameter(", 1).replace("\n       ", "\n          ")
