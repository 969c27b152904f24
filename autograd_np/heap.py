"""The memory of a graph that has died, kept by the process for the next one.

A training step allocates some twenty arrays and frees them together. As it comes, glibc's allocator then gives the pages back to the
system (above ``M_TRIM_THRESHOLD``, 128 KiB at the top of the heap; arrays above ``M_MMAP_THRESHOLD`` at once), and the next step pays a
page fault for each 4 KiB of them: from some thousand elements on that is most of its time. Both thresholds are dynamic: freeing a block
that was mapped raises the first to twice its size and the second to its size, up to 32 MiB (mallopt(3),
https://man7.org/linux/man-pages/man3/mallopt.3.html).
"""

from __future__ import annotations

import ctypes
import os

import numpy as np

from autograd_np.errors import AutogradError
from autograd_np.text import shown

__all__ = ["SWITCH", "give_back", "keep_freed_memory"]

SWITCH = "AUTOGRAD_NP_KEEP_MEMORY"
"""The environment variable: ``0`` leaves the allocator as it is."""

_BLOCK = 31 << 20


def keep_freed_memory() -> bool:
    """Have the process keep up to 62 MiB of freed memory, and return whether it was asked to.

    Called once, by ``import autograd_np``, unless the environment says ``AUTOGRAD_NP_KEEP_MEMORY=0``. One block is allocated, never
    touched, and freed, which raises the thresholds of glibc's allocator, and does nothing to any other. Where ``MALLOC_TRIM_THRESHOLD_`` or
    ``MALLOC_MMAP_THRESHOLD_`` is set, glibc's thresholds are not dynamic, and stay what they are set to.

    Raises
    ------
    AutogradError
        If the variable is neither 0 nor 1.

    Examples
    --------
    >>> from autograd_np.heap import keep_freed_memory
    >>> keep_freed_memory()
    True
    """
    asked = os.environ.get(SWITCH, "1")
    if asked not in ("0", "1"):
        raise AutogradError(f"{SWITCH} must be 0 or 1 in the environment, got {shown(asked)}")
    if asked == "1":
        np.empty(_BLOCK, np.uint8)
    return asked == "1"


def give_back() -> bool:
    """Give memory that is free now back to the system, and return whether there was some: after work that is done once, and takes more.

    It asks glibc's allocator (malloc_trim(3)); no other has such a function. What is freed later is kept as before.

    Examples
    --------
    >>> from autograd_np.heap import give_back
    >>> type(give_back())
    <class 'bool'>
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another allocator, another system
        return False
    return bool(trim(ctypes.c_size_t(0)))
