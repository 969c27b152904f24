"""The next items of an iterator, made in a thread while the last one is used."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

__all__ = ["prefetched"]

T = TypeVar("T")


class _End:
    """What comes after the last item: the error that ended the iterator, if one did."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(iterator: Iterator[T], ahead: int) -> Generator[T, None, None]:
    """Yield what an iterator yields, up to `ahead` items of which wait in a queue.

    The iterator runs in a thread of its own, under the settings of the caller (`numpy.errstate`, `no_grad`). What it raises is
    raised here, in its turn. The thread ends with this generator: also when a loop over it is left early.
    """
    items: queue.Queue[T | _End] = queue.Queue(ahead)
    stop = threading.Event()

    def work() -> None:
        end = _End(None)
        try:
            for item in iterator:
                items.put(item)
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 (it is raised where the items are taken)
            end = _End(error)
        items.put(end)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="nn.data prefetch", daemon=True)
    thread.start()
    try:
        while not isinstance(item := items.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        while not items.empty():  # so that a put that waits for room gets it; then there is room for one more
            items.get_nowait()
        thread.join()
