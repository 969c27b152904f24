"""DataLoader: a dataset in batches, in an order that a seed decides."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from nn.data.batches import Indices, demand_indices
from nn.data.dataset import dataset_of
from nn.data.prefetch import prefetched
from nn.errors import StateDictError

__all__ = ["DataLoader"]


class DataLoader:
    """A dataset in batches; each ``for`` over it is an epoch.

    The order is a function of the seed and the number of the epoch, and of nothing else: it does not matter what was drawn
    before, nor whether the earlier epochs were run in this process.

    Where rows are read in blocks (`TableDataset`), shuffling takes the blocks in random order, as many together as fill the
    dataset's `buffer`, and mixes the rows of these: rows that are read together stay near one another. Where files are
    sorted by the target, take a buffer that holds many blocks; one that holds all data mixes all.

    Parameters
    ----------
    dataset : Dataset, array, or tuple of arrays
        Arrays are made a `TensorDataset`.
    batch_size : int, default 1
        Samples in a batch; the last one may be smaller.
    shuffle : bool, default False
        A new order in each epoch.
    sampler : sequence of int, or callable, optional
        The numbers of the samples, in order; or a function that takes the epoch's Generator and returns them, such as
        ``lambda rng: rng.choice(n, n, p=weights)``. Not together with `shuffle`.
    drop_last : bool, default False
        Leave out a last batch that is smaller.
    collate_fn : callable, optional
        Makes a batch of a list of samples. Without it, a batch is one index of each array, where the dataset allows that.
    prefetch : int, default 0
        So many batches are made ahead, in a thread that lives as long as the loop.
    rng : Generator, int or None
        The seed, or what it is drawn from; None is a new one.

    Attributes
    ----------
    epoch : int
        The number of the epoch that runs, or comes next.
    position : int
        How many of its batches have been handed out.
    seed : int or None
        None until it is drawn, by the first loop.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> loader = nn.data.DataLoader(np.arange(5), batch_size=2, shuffle=True, rng=0)
    >>> [x.tolist() for x, in loader], [x.tolist() for x, in loader]
    ([[2, 4], [3, 0], [1]], [[1, 4], [3, 0], [2]])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        sampler: Any = None,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        *,
        prefetch: int = 0,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        for name, value, least in (("batch_size", batch_size, 1), ("prefetch", prefetch, 0)):
            if not isinstance(value, (int, np.integer)) or value < least:
                raise ValueError(f"{name}={value!r} must be an integer, at least {least}")
        if shuffle and sampler is not None:
            raise ValueError("a sampler gives the order, so shuffle=True cannot be given with it; draw in the sampler: lambda rng: ...")
        if isinstance(rng, (int, np.integer)) and rng < 0:
            raise ValueError(f"rng={rng} must be at least 0")
        self.dataset = dataset_of(dataset)
        self.batch_size, self.shuffle, self.drop_last = int(batch_size), bool(shuffle), bool(drop_last)
        self.sampler, self.collate_fn, self.prefetch = sampler, collate_fn, int(prefetch)
        self.seed = int(rng.integers(2**63)) if isinstance(rng, np.random.Generator) else None if rng is None else int(rng)
        self.epoch = self.position = 0
        self._continues = False

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        n = len(self.dataset) if self.sampler is None else len(self._sampled())
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of an epoch: of the next one, or the rest of the one that a state was loaded of."""
        if self.position and not self._continues:  # the last loop was left early
            self.epoch, self.position = self.epoch + 1, 0
        self._continues = False
        epoch, position = self.epoch, self.position
        indices = self._batches(epoch, position)
        batches = (self._read(i) for i in indices)
        with contextlib.closing(prefetched(batches, self.prefetch) if self.prefetch else batches) as made:
            for number, batch in enumerate(made, position + 1):
                self.epoch, self.position = epoch, number
                yield batch
        self.epoch, self.position = epoch + 1, 0

    # --- state

    def state_dict(self) -> dict[str, Any]:
        """Return where in the data the loop is, as a dict of numbers.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> a, b = (nn.data.DataLoader(np.arange(6), 2, shuffle=True, rng=seed) for seed in (0, 1))
        >>> batches = iter(a)
        >>> first = next(batches)
        >>> b.load_state_dict(a.state_dict())
        >>> [x.tolist() for x, in b] == [x.tolist() for x, in batches]
        True
        """
        return {
            "seed": self._seed(),
            "epoch": self.epoch,
            "position": self.position,
            "samples": len(self.dataset),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where a state was taken, with its seed; the next loop yields the batches that were left.

        Raises
        ------
        StateDictError
            If the state is of another dataset or other batches, so that its place would be another one here.
        """
        own = self.state_dict()
        if set(state_dict) != set(own):
            raise StateDictError(f"the state for DataLoader has {', '.join(map(str, state_dict))}; expected {', '.join(own)}")
        for name in ("samples", "batch_size", "shuffle", "drop_last"):
            if int(state_dict[name]) != int(own[name]):
                raise StateDictError(
                    f"the state is of a DataLoader with {name} = {state_dict[name]}, and here it is {own[name]}: its place would be another"
                )
        self.seed, self.epoch, self.position = (int(state_dict[name]) for name in ("seed", "epoch", "position"))
        self._continues = True

    # --- order

    def _seed(self) -> int:
        if self.seed is None:
            drawn = self.shuffle or callable(self.sampler)
            self.seed = int(np.random.default_rng().integers(2**63)) if drawn else 0
        return self.seed

    def _read(self, indices: Indices) -> Any:
        if self.collate_fn is not None:
            return self.collate_fn([self.dataset[i] for i in indices.tolist()])
        return self.dataset.batch(indices)

    def _batches(self, epoch: int, position: int) -> Iterator[Indices]:
        """Yield the numbers of the samples of each batch from `position` on."""
        skip, size = position * self.batch_size, self.batch_size
        left: Indices = np.zeros(0, np.intp)
        for part in self._order(np.random.default_rng([self._seed(), epoch])):
            rows = part[skip:]
            skip -= len(part) - len(rows)
            rows = np.concatenate([left, rows]) if len(left) else rows
            whole = len(rows) - len(rows) % size
            yield from (rows[start : start + size] for start in range(0, whole, size))
            left = rows[whole:]
        if len(left) and not self.drop_last:
            yield left

    def _order(self, rng: np.random.Generator) -> Iterator[Indices]:
        """Yield the numbers of all samples, part by part."""
        if self.sampler is not None:
            yield self._sampled(rng)
            return
        blocks = self.dataset.blocks()
        if not self.shuffle:
            yield from map(np.asarray, blocks)
            return
        group: list[Indices] = []
        for i in rng.permutation(len(blocks)).tolist():
            group.append(np.asarray(blocks[i]))
            if sum(map(len, group)) >= (self.dataset.buffer or 0):
                yield rng.permutation(np.concatenate(group))
                group = []
        if group:
            yield rng.permutation(np.concatenate(group))

    def _sampled(self, rng: np.random.Generator | None = None) -> Indices:
        if not callable(self.sampler):
            return demand_indices(self.sampler, len(self.dataset))
        return demand_indices(self.sampler(rng or np.random.default_rng([self._seed(), self.epoch])), len(self.dataset))
