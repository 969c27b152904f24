"""What one call returned when it returned several arrays: a decomposition, a quotient with its remainder.

The call is one record, and what it holds is `Results`; each array is read from it by a record of its own (`RESULT`). The
cotangents of a call, and its tangents, are `Results` too, with ``None`` where nothing flows, so that the sweeps add and pass
them on as they do arrays. Nothing here knows Tensors or Nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_np.typing import Array

__all__ = ["Results"]


class _Dtypes(tuple[Any, ...]):
    """The dtypes of several arrays."""

    __slots__ = ()

    @property
    def kind(self) -> str:
        """``"c"`` if any of the arrays is complex, otherwise ``"f"``."""
        return "c" if any(t.kind == "c" for t in self) else "f"

    def __str__(self) -> str:
        return ", ".join(map(str, self))


class Results:
    """Several arrays under one name.

    Attributes
    ----------
    parts : tuple
        The arrays. Among cotangents and tangents, ``None`` is zero.
    shape, dtype : tuple
        Those of the arrays that the call returned, also for its cotangents and tangents.
    form : callable
        Puts arrays into the container that the function returns: a tuple, or a named tuple of NumPy's.

    Examples
    --------
    >>> import numpy as np
    >>> found = Results.of(np.modf(np.array([1.5, -0.25])))
    >>> found.shape
    ((2,), (2,))
    >>> (found.only(0, 1.0) + found.only(0, 2.0)).parts
    (3.0, None)
    """

    __slots__ = ("dtype", "form", "parts", "shape")

    def __init__(self, parts: Sequence[Any], form: Callable[[Any], Any], shape: tuple[Any, ...], dtype: tuple[Any, ...]) -> None:
        self.parts = tuple(parts)
        self.form = form
        self.shape = shape
        self.dtype = dtype

    @classmethod
    def of(cls, returned: Sequence[Array]) -> Results:
        """Gather what a function returned."""
        form = getattr(type(returned), "_make", tuple)
        returned = [a if hasattr(a, "dtype") else np.asarray(a) for a in returned]  # the rank of lstsq is Python's
        return cls(returned, form, tuple(tuple(a.shape) for a in returned), _Dtypes(a.dtype for a in returned))

    def __iter__(self) -> Iterator[Any]:
        return iter(self.parts)

    def __getitem__(self, i: int) -> Any:
        return self.parts[i]

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def ndim(self) -> int:
        """More axes than a number has."""
        return 1

    @property
    def size(self) -> int:
        """How many arrays there are."""
        return len(self.parts)

    def name_of(self, i: int) -> str:
        """Return how the i-th array is read: ``.eigenvalues`` of a named tuple, ``[0]`` of a tuple."""
        fields = getattr(getattr(self.form, "__self__", None), "_fields", ())
        return f".{fields[i]}" if fields else f"[{i}]"

    def like(self, parts: Sequence[Any]) -> Results:
        """Return others for these arrays: their cotangents, or their tangents."""
        return Results(parts, self.form, self.shape, self.dtype)

    def only(self, i: int, part: Any) -> Results:
        """Return the cotangents that say `part` of the i-th array and nothing of the others."""
        return self.like([part if j == i else None for j in range(len(self.parts))])

    def map(self, f: Callable[[Any], Any]) -> Results:
        """Apply `f` to each array that is there."""
        return self.like([None if a is None else f(a) for a in self.parts])

    def __add__(self, other: Results) -> Results:
        """Add array by array; where one has nothing, the sum is the other's."""
        pairs = zip(self.parts, other.parts, strict=True)
        return self.like([b if a is None else a if b is None else a + b for a, b in pairs])

    def __repr__(self) -> str:
        return f"<Results of shapes {', '.join(map(str, self.shape))}>"
