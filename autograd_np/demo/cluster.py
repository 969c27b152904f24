"""A Dask cluster to train on: one that is there, or one that is started on this machine."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Iterator

from autograd_np.tabular.settings import SettingError

__all__ = ["cluster"]

LOCAL = "local"
PATIENCE = "10s"


@contextlib.contextmanager
def cluster(address: str) -> Iterator[None]:
    """Have Dask compute on a cluster inside the block.

    Parameters
    ----------
    address : str
        Of a scheduler, such as ``tcp://host:8786``; ``local`` starts one on this machine, with a worker for each processor.

    Raises
    ------
    SettingError
        If Dask is not installed, or there is no scheduler.
    """
    try:
        for name in ("dask.array", "distributed"):
            importlib.import_module(name)
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        missing = error.name or str(error).splitlines()[0]
        raise SettingError("dask", f"{missing} is not installed; run pip install 'autograd-np[dask]'") from None
    with contextlib.ExitStack() as stack:
        try:
            if address == LOCAL:
                here = stack.enter_context(
                    distributed.LocalCluster(threads_per_worker=1, dashboard_address=":0", silence_logs=logging.ERROR)
                )
                stack.enter_context(distributed.Client(here))
            else:
                stack.enter_context(distributed.Client(address, timeout=PATIENCE))
        except (OSError, ValueError) as error:
            raise SettingError(
                "dask", f"no scheduler answers at {address!r}, expected such as tcp://host:8786, or local: {' '.join(str(error).split())}"
            ) from None
        yield
