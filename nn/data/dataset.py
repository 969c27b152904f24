"""Datasets: samples by their numbers, and many of them by an array of numbers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from nn.data.batches import Indices, collate, demand_indices, leaves
from nn.errors import ShapeMismatchError
from nn.state import held

__all__ = ["ConcatDataset", "Dataset", "Indices", "MappedDataset", "Subset", "TensorDataset", "random_split"]


class Dataset:
    """Base of datasets: write ``__len__`` and ``__getitem__``.

    Where many samples can be had at once (an index of an array, a query), write `batch` as well, which otherwise takes them one by one.

    Attributes
    ----------
    buffer : int or None
        How many rows are in memory at a time; None where every row is as near as any other.

    Examples
    --------
    >>> import nn
    >>> class Squares(nn.data.Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, i):
    ...         return float(i), float(i**2)
    >>> for x, y in nn.data.DataLoader(Squares(), batch_size=3):
    ...     print(x, y)
    [0. 1. 2.] [0. 1. 4.]
    [3.] [9.]
    """

    buffer: int | None = None

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} needs a method __len__(self)")

    def __getitem__(self, index: int) -> Any:
        """Return a sample: an array, or a tuple or dict of arrays."""
        raise NotImplementedError(f"{type(self).__name__} needs a method __getitem__(self, index)")

    def batch(self, indices: Indices) -> Any:
        """Return the samples of these numbers, stacked along a new first axis."""
        return collate([self[i] for i in indices.tolist()])

    def blocks(self) -> Sequence[range | Indices]:
        """Return which samples are read together; shuffling keeps those of few blocks together (see `DataLoader`)."""
        return [range(len(self))]

    def map(self, function: Callable[..., Any]) -> MappedDataset:
        """Return a dataset of what a function makes of each batch, when it is read.

        Parameters
        ----------
        function : callable
            Takes the arrays of a batch, and returns as many rows: a tuple of arrays, or one array.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> pixels = nn.data.TensorDataset(np.array([[0, 255]]), np.array([1]))
        >>> pixels.map(lambda x, y: (x / 255, y))[0]
        (array([0., 1.]), np.int64(1))
        """
        return MappedDataset(self, function)


class TensorDataset(Dataset):
    """Arrays with a row for each sample; a batch is one index of each.

    Parameters
    ----------
    *arrays : array_like of shape (samples, ...)
        Not copied: of a `numpy.memmap` only the rows that are asked for are read.

    Raises
    ------
    ShapeMismatchError
        If the numbers of rows differ, or an array has no axis.
    TypeError
        If one is no array of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> data = nn.data.TensorDataset(np.arange(6.0).reshape(3, 2), np.array([0, 1, 0]))
    >>> len(data), data[1]
    (3, (array([2., 3.]), np.int64(1)))
    """

    def __init__(self, *arrays: Any) -> None:
        self.arrays = tuple(np.asarray(held(a)) for a in arrays)
        if not self.arrays:
            raise TypeError("TensorDataset takes one array or more, got none")
        for i, a in enumerate(self.arrays):
            if a.dtype.kind == "O":
                raise TypeError(f"TensorDataset takes arrays of numbers; argument {i} has dtype object: are its rows of one length?")
            if a.ndim == 0:
                raise ShapeMismatchError(f"TensorDataset takes arrays of shape (samples, ...); argument {i} has shape ()")
        if len({len(a) for a in self.arrays}) > 1:
            shapes = ", ".join(str(a.shape) for a in self.arrays)
            raise ShapeMismatchError(f"TensorDataset takes arrays with a row for each sample, as many in each; got shapes {shapes}")

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        """Return a row of each array, or the rows of a slice or an array of numbers."""
        return tuple(a[index] for a in self.arrays)

    def batch(self, indices: Indices) -> tuple[Any, ...]:
        """Return the rows of these numbers."""
        return self[indices]


def dataset_of(data: Any) -> Dataset:
    """Return a dataset as it is, and arrays as a `TensorDataset`."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, tuple):
        return TensorDataset(*data)
    if hasattr(data, "__array__"):
        return TensorDataset(data)
    raise TypeError(
        f"expected an nn.data.Dataset, an array or a tuple of arrays (X, y), got {type(data).__name__}; write arrays as a tuple, and "
        f"derive what gives one sample after another from nn.data.Dataset"
    )


class Subset(Dataset):
    """Some samples of a dataset.

    Parameters
    ----------
    dataset : Dataset, array, or tuple of arrays
    indices : sequence or array of int
        Their numbers, in order.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.data.Subset(nn.data.TensorDataset(np.arange(5.0)), [3, 1])[0]
    (np.float64(3.0),)
    """

    def __init__(self, dataset: Any, indices: Any) -> None:
        self.dataset = dataset = dataset_of(dataset)
        self.indices: Indices = demand_indices(indices, len(dataset))
        if dataset.buffer is not None:  # a block is read as a whole, however few of its rows are wanted
            self.buffer = max(1, dataset.buffer * len(self.indices) // max(1, len(dataset)))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        """Return a sample."""
        return self.dataset[int(self.indices[index])]

    def batch(self, indices: Indices) -> Any:
        """Return the samples of these numbers."""
        return self.dataset.batch(self.indices[indices])

    def blocks(self) -> Sequence[range | Indices]:
        """Return which samples are read together."""
        of_all = self.dataset.blocks()
        if len(of_all) == 1:
            return super().blocks()
        block_of = np.searchsorted(np.cumsum([len(block) for block in of_all]), self.indices, side="right")
        order = np.argsort(block_of, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(block_of[order])) + 1)


class ConcatDataset(Dataset):
    """Datasets one after another.

    Parameters
    ----------
    datasets : iterable of Dataset, array, or tuple of arrays
        Their samples have the same form.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> a, b = nn.data.TensorDataset(np.zeros(2)), nn.data.TensorDataset(np.ones(3))
    >>> both = nn.data.ConcatDataset([a, b])
    >>> len(both), both[2], both[-1]
    (5, (np.float64(1.0),), (np.float64(1.0),))
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = [dataset_of(d) for d in datasets]
        if not self.datasets:
            raise ValueError("ConcatDataset takes one dataset or more, got none")
        self.starts = np.cumsum([0, *map(len, self.datasets)])
        buffers = [d.buffer for d in self.datasets if d.buffer is not None]
        self.buffer = min(buffers) if buffers else None

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, index: int) -> Any:
        """Return a sample."""
        i = int(demand_indices([index], len(self))[0])
        which = int(np.searchsorted(self.starts, i, side="right")) - 1
        return self.datasets[which][i - int(self.starts[which])]

    def batch(self, indices: Indices) -> Any:
        """Return the samples of these numbers."""
        which = np.searchsorted(self.starts, indices, side="right") - 1
        parts = [(w, np.flatnonzero(which == w)) for w in np.unique(which)]
        read = [self.datasets[w].batch(indices[places] - self.starts[w]) for w, places in parts]
        if len(read) == 1:
            return read[0]
        back = np.argsort(np.concatenate([places for _, places in parts]))
        return leaves(lambda *arrays: np.concatenate(arrays)[back], *read)

    def blocks(self) -> Sequence[range | Indices]:
        """Return which samples are read together."""
        if self.buffer is None:
            return super().blocks()
        parts: list[range | Indices] = []
        for start, dataset in zip(self.starts.tolist(), self.datasets, strict=False):
            parts += [range(b.start + start, b.stop + start) if isinstance(b, range) else b + start for b in dataset.blocks()]
        return parts


class MappedDataset(Dataset):
    """What a function makes of each batch of another dataset; see `Dataset.map`."""

    def __init__(self, dataset: Dataset, function: Callable[..., Any]) -> None:
        self.dataset, self.function, self.buffer = dataset, function, dataset.buffer

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        """Return a sample."""
        return leaves(lambda a: a[0], self.batch(demand_indices([index], len(self))))

    def batch(self, indices: Indices) -> Any:
        """Return what the function makes of the samples of these numbers."""
        read = self.dataset.batch(indices)
        made = self.function(*read) if isinstance(read, tuple) else self.function(read)

        def demand_rows(a: Any) -> Any:
            if np.shape(a)[:1] != (len(indices),):
                raise ShapeMismatchError(
                    f"the function of map() got {len(indices)} samples and returned an array of shape {np.shape(a)}; expected as many rows"
                )
            return a

        return leaves(demand_rows, made)

    def blocks(self) -> Sequence[range | Indices]:
        """Return which samples are read together."""
        return self.dataset.blocks()


def random_split(dataset: Any, lengths: Sequence[float], *, rng: np.random.Generator | int | None = None) -> list[Subset]:
    """Split a dataset at random into parts without common samples.

    Parameters
    ----------
    dataset : Dataset, array, or tuple of arrays
    lengths : sequence of int or of float
        How many samples each part has; or their shares, which sum up to 1. What rounding leaves over goes to the first parts.
    rng : Generator, int or None
        The same seed gives the same split.

    Returns
    -------
    list of Subset
        In the order of `lengths`. They keep eight bytes a sample.

    Raises
    ------
    ValueError
        If the lengths do not sum up to the dataset's.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> train, test = nn.data.random_split(nn.data.TensorDataset(np.arange(10.0)), [0.8, 0.2], rng=0)
    >>> len(train), len(test)
    (8, 2)
    """
    dataset = dataset_of(dataset)
    n = len(dataset)
    if any(not length >= 0 for length in lengths):
        raise ValueError(f"lengths={list(lengths)} must be at least 0")
    if all(isinstance(length, (int, np.integer)) for length in lengths) and sum(lengths) == n:
        counts = [int(length) for length in lengths]
    elif abs(sum(lengths) - 1) < 1e-6:
        counts = [int(n * share) for share in lengths]
        for i in range(n - sum(counts)):
            counts[i % len(counts)] += 1
    else:
        raise ValueError(f"lengths={list(lengths)} must sum up to the {n} samples of the dataset, or to 1 as shares of it")
    order = np.random.default_rng(rng).permutation(n)
    return [
        Subset(dataset, order[start : start + count]) for start, count in zip(itertools.accumulate(counts, initial=0), counts, strict=False)
    ]
