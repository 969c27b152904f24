"""Files that are replaced as a whole: a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where a file that somebody writes cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

__all__ = ["write"]

SUFFIX = ".tmp"


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Replace a file, or make it; what is no file (a device, a pipe) is written to.

    Raises
    ------
    OSError
        If the file cannot be written; what was there is untouched.
    """
    try:
        there = os.stat(path)  # noqa: PTH116 (of what the system finds there: Path.resolve would read links such as /dev/stdout itself)
    except FileNotFoundError:
        there = None
    if there is not None and not stat.S_ISREG(there.st_mode):
        _pour(path, content, there)
    else:
        _replace(Path(path).resolve(), content, there)


def _pour(path: str | os.PathLike[str], content: bytes, there: os.stat_result) -> None:
    """Write into what is there; a pipe that nobody reads is an error, not a wait without an end."""
    try:
        handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if stat.S_ISFIFO(there.st_mode) and error.errno == errno.ENXIO:
            error.strerror = "nobody reads this pipe; start its reader first"
        raise
    with open(handle, "wb") as file:  # noqa: PTH123 (a handle)
        os.set_blocking(handle, True)
        file.write(content)


def _replace(path: Path, content: bytes, there: os.stat_result | None) -> None:
    if there is not None and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "the file that is there may not be written", os.fspath(path))
    prefix = f".{path.name[:40]}.{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:8]}."  # a name may be as long as names can be
    _remove_leftovers(path.parent, prefix)
    temporary, file = _new_file(path, prefix)
    try:
        with file:
            if there is not None and hasattr(os, "fchmod"):
                with contextlib.suppress(OSError):  # only root can give a file to its owner
                    os.fchown(file.fileno(), there.st_uid, there.st_gid)
                os.fchmod(file.fileno(), stat.S_IMODE(there.st_mode))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if fcntl is not None:  # while it is locked
                temporary.replace(path)
        if fcntl is None:  # Windows moves no open file
            temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if os.name == "posix":  # the new name has to reach the disk as well
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


# --- the file beside, until it takes the place ----------------------------------------------------
#
# Whoever writes one holds a lock on it, which ends with the process; one without a lock was left behind.


def _new_file(path: Path, prefix: str) -> tuple[Path, BinaryIO]:
    while True:
        temporary = path.with_name(f"{prefix}{secrets.token_hex(8)}{SUFFIX}")
        try:
            file = temporary.open("xb")
        except OSError as error:
            error.filename = os.fspath(path)
            raise
        if _lock(file, wait=True) and temporary.exists():  # else another save took it for left behind
            return temporary, file
        file.close()


def _remove_leftovers(folder: Path, prefix: str) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(SUFFIX) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError), Path(entry.path).open("rb") as file:
                    if fcntl is None:
                        file.close()  # removed below, unless it is open elsewhere
                    if _lock(file, wait=False):
                        Path(entry.path).unlink()


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Whether a file could be locked; where there are no locks, whoever writes has it, and nothing is left behind."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return wait
    return True
