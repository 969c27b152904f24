"""Rows that were read, kept for many epochs: in memory while they are few, in a file without a name once they are many."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import nn

__all__ = ["MEMORY", "Spool"]

Array: TypeAlias = NDArray[np.float64]

MEMORY = 2**26
"""So many bytes of rows are in memory, and are shuffled together."""

BLOCK = 2**21
"""So many bytes of the file are read together."""


class Spool:
    """Takes rows one array after the other, and gives them out as a dataset.

    Parameters
    ----------
    width : int
        Numbers in a row.
    folder : Path
        Where the file is made, if one is needed. It has no name there, so that nothing is left behind however the process ends.

    Examples
    --------
    >>> import numpy as np
    >>> spool = Spool(2, ".")
    >>> spool.write(np.array([[1.0, 2.0], [3.0, 4.0]]))
    >>> spool.rows, spool.dataset()[1][0].tolist()
    (2, [3.0, 4.0])
    """

    def __init__(self, width: int, folder: str | Path) -> None:
        self.width, self.rows = width, 0
        self.file = tempfile.SpooledTemporaryFile(max_size=MEMORY, dir=str(folder))  # noqa: SIM115 (it lives as long as this object)
        weakref.finalize(self, self.file.close)

    def write(self, rows: Array) -> None:
        """Append rows of shape (n, width)."""
        self.file.write(np.ascontiguousarray(rows, np.float64).tobytes())
        self.rows += len(rows)

    def dataset(self) -> nn.data.Dataset:
        """Return all rows; nothing can be written afterwards."""
        if 8 * self.width * self.rows <= MEMORY:
            self.file.seek(0)
            with self.file as file:
                return nn.data.TensorDataset(np.frombuffer(file.read()).reshape(self.rows, self.width))
        self.file.flush()
        return _OnDisk(self)


class _OnDisk(nn.data.Dataset):
    """Rows of float64 in a file, of which some blocks are in memory at a time."""

    def __init__(self, spool: Spool) -> None:
        self.spool, self.rows, self.width = spool, spool.rows, spool.width
        width = self.width
        self.block = max(1, BLOCK // (8 * width))  # rows
        self.most = max(self.block, MEMORY // (8 * width))
        self.buffer = self.most
        self._kept: OrderedDict[int, Array] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self.rows

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return (self.batch(np.array([index]))[0][0],)

    def batch(self, indices: NDArray[np.intp]) -> tuple[Array]:
        """Return the rows of these numbers."""
        which = indices // self.block
        out = np.empty((len(indices), self.width))
        with self._lock:
            for number in np.unique(which).tolist():
                places = np.flatnonzero(which == number)
                out[places] = self._read(number)[indices[places] - number * self.block]
        return (out,)

    def blocks(self) -> Sequence[range]:
        """Return which rows are read together."""
        return [range(start, min(start + self.block, self.rows)) for start in range(0, self.rows, self.block)]

    def _read(self, number: int) -> Array:
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        self.spool.file.seek(8 * self.width * self.block * number)
        content = self.spool.file.read(8 * self.width * min(self.block, self.rows - number * self.block))
        block = self._kept[number] = np.frombuffer(content).reshape(-1, self.width)
        while len(self._kept) * self.block > self.most + self.block:
            self._kept.popitem(last=False)
        return block
