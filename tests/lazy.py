"""What the tests on Dask arrays share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

dask = pytest.importorskip("dask")


@contextmanager
def nothing_computed() -> Iterator[None]:
    """Fail if any Dask graph is executed inside the block."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        pytest.fail("a Dask array was computed while the graph was recorded")

    with dask.config.set(scheduler=refuse):
        yield


@contextmanager
def computations() -> Iterator[list[Any]]:
    """Compute in this thread inside the block, and count how often a Dask graph is executed."""
    counted: list[Any] = []

    def count(graph: Any, keys: Any, **kwargs: Any) -> Any:
        counted.append(keys)
        return dask.get(graph, keys, **kwargs)

    with dask.config.set(scheduler=count):
        yield counted
