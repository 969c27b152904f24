"""Parameters in files: safetensors, with a checksum; PyTorch's files too."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from nn.errors import StateDictError
from nn.replace import write
from nn.state import array_of

__all__ = ["load", "read_metadata", "save"]

METADATA = "__metadata__"
CHECKSUM = "sha256"

DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "C64": "<c8", "BOOL": "?",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
}  # fmt: skip
"""What the format calls NumPy's dtypes."""

WRAPPERS = {"module.": "torch.nn.DataParallel", "_orig_mod.": "torch.compile"}
"""What PyTorch puts before the names of a model that it wraps."""


class Stateful(Protocol):
    """What has a state: a Module or an Optimizer."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any: ...


def _demand_path(path: Any) -> None:
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"path must be a string or a path, got {type(path).__name__}; the file is opened here")


def save(state: Stateful | Mapping[str, Any], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
    """Write the state of a Module or an Optimizer, or a dict of arrays, as a safetensors file.

    The file is written under another name in the same directory and then put in place, so that a file that was there
    is replaced as a whole or not at all; it keeps its permissions. Links are followed; devices and pipes are written to.
    What a save that was killed left behind goes with the next one. A checksum goes into the metadata.

    Parameters
    ----------
    state : Module, Optimizer or mapping
        What to keep.
    path : str or path
        Where; the directory must exist.
    metadata : mapping of str, optional
        Texts that go into the file beside the arrays; `read_metadata` returns them. The name ``sha256`` is that of the checksum.

    Raises
    ------
    StateDictError
        If a name is not a string or is reserved by the format, or a value has a dtype that safetensors does not know.
    OSError
        If the file cannot be written; what was there is untouched.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(model, pathlib.Path(folder, "model.safetensors"))
    ...     sorted(nn.load(pathlib.Path(folder, "model.safetensors")))
    ['bias', 'weight']
    """
    import safetensors.numpy

    _demand_path(path)
    values = state if isinstance(state, Mapping) else state.state_dict()
    for name in values:
        if not isinstance(name, str):
            raise StateDictError(f"names in a state must be strings, got {name!r}")
    if METADATA in values:
        raise StateDictError(f"the name {METADATA} is reserved by the safetensors format; give the array another name")
    arrays = {name: array_of(value) for name, value in values.items()}
    try:
        texts = dict(metadata or {})
        content = safetensors.numpy.save(arrays, metadata=texts | {CHECKSUM: _digest(arrays, texts)})
    except (KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        dtypes = ", ".join(f"{name}: {a.dtype}" for name, a in arrays.items())
        raise StateDictError(f"safetensors cannot hold these arrays ({dtypes:.1000}): {error}") from error
    write(path, content)


def load(path: str | os.PathLike[str], into: Stateful | None = None, *, prefix: str = "") -> dict[str, Any]:
    """Read a safetensors file, this library's or PyTorch's.

    Parameters
    ----------
    path : str or path
        A file that `save`, PyTorch (``safetensors.torch.save_file(model.state_dict(), path)``, or ``save_model``) or any
        other writer of safetensors made.
    into : Module or Optimizer, optional
        Takes the values over, all of them or none, in the dtypes that it has.
    prefix : str, optional
        What the names that are wanted begin with; it is taken off, and other names are left out. ``"module."`` reads what
        PyTorch saved of a model in ``DataParallel``, ``"encoder."`` a part of a model.

    Returns
    -------
    dict
        Name -> array. bfloat16, which NumPy lacks, is float32, which holds its every value. What `save_model` left out, because
        it is tied to another name, has the array of that name.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StateDictError
        If the file is truncated or damaged, has a name twice, or a dtype that NumPy has no place for, if nothing begins with
        `prefix`, or if it does not fit `into`, which then is as it was.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import nn
    >>> teacher, student = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save({f"module.{k}": v for k, v in teacher.state_dict().items()}, pathlib.Path(folder, "a.safetensors"))
    ...     state = nn.load(pathlib.Path(folder, "a.safetensors"), into=student, prefix="module.")
    >>> bool((student.weight == teacher.weight).all())
    True
    """
    _demand_path(path)
    content = _read(path)
    arrays = {name: _widened(a) for name, a in content.arrays.items()}
    for name, kept in content.metadata.items():
        if not content.is_own and name not in arrays and kept in arrays and name != "format":
            arrays[name] = arrays[kept].copy()
    chosen = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
    if arrays and not chosen:
        raise StateDictError(f"{os.fspath(path)} has no name that begins with {prefix!r}; it has {', '.join(arrays):.500}")
    if into is not None:
        try:
            into.load_state_dict(chosen)
        except StateDictError as error:
            raise StateDictError(f"{os.fspath(path)}: {error}{_hint(chosen, into)}") from error
    return chosen


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the texts that a safetensors file holds beside its arrays.

    Raises
    ------
    FileNotFoundError, StateDictError
        As `load`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(nn.Linear(2, 1, rng=0), pathlib.Path(folder, "a.safetensors"), metadata={"unit": "metres"})
    ...     nn.io.read_metadata(pathlib.Path(folder, "a.safetensors"))
    {'unit': 'metres'}
    """
    return _read(path).metadata


class _Content(NamedTuple):
    """What is in a file; an array that NumPy has no dtype for is its bits. A checksum says that `save` wrote it."""

    arrays: dict[str, Any]
    metadata: dict[str, str]
    is_own: bool


def _read(path: str | os.PathLike[str]) -> _Content:
    import safetensors

    deserialize: Any = safetensors.deserialize
    content = Path(path).read_bytes()
    if content[:4] == b"PK\x03\x04" or content[:2] == b"\x80\x02":
        raise StateDictError(
            f"{os.fspath(path)} is not a safetensors file but a pickle, as torch.save writes it, which may run any code when it is read. "
            f"Write it again in PyTorch: safetensors.torch.save_model(model, path)"
        )
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")], object_pairs_hook=_pairs)
        known = dict(deserialize(content))
        del content  # the arrays are copies
        metadata = header.pop(METADATA, None) or {}
        found = [(name, known[name]) for name in header]  # in the order of the file
        foreign = {name: array["dtype"] for name, array in found if array["dtype"] not in DTYPES and array["dtype"] != "BF16"}
        if not foreign:
            arrays = {name: np.frombuffer(a["data"], DTYPES.get(a["dtype"], "V2")).reshape(a["shape"]) for name, a in found}
    except (KeyError, TypeError, ValueError, AttributeError, safetensors.SafetensorError) as error:
        raise StateDictError(f"{os.fspath(path)} is not a whole safetensors file: {error}") from error
    if foreign:
        dtypes = ", ".join(f"{name}: {dtype}" for name, dtype in foreign.items())
        raise StateDictError(
            f"{os.fspath(path)} has arrays of dtypes that NumPy lacks ({dtypes:.500}); convert them where they come from, in PyTorch "
            f"with tensor.float()"
        )
    digest = metadata.pop(CHECKSUM, None)
    if digest is not None and digest != _digest(arrays, metadata):
        raise StateDictError(f"{os.fspath(path)} is damaged: its content does not have the checksum it was saved with")
    return _Content(arrays, metadata, digest is not None)


def _widened(a: Any) -> Any:
    """Return bfloat16, the upper half of a float32, as float32, and any other array in the byte order of the machine."""
    if a.dtype != "V2":
        return a.astype(a.dtype.newbyteorder("="), copy=False)
    return (a.view("<u2").astype(np.uint32) << 16).view(np.float32)


def _hint(state: Mapping[str, Any], into: Stateful) -> str:
    """Say what to do where the names in a file are those that are wanted but for what they begin with."""
    wanted = list(into.state_dict())
    for name in state:
        prefix = name.removesuffix(wanted[0]) if wanted else name
        if prefix not in ("", name) and all(prefix + other in state for other in wanted):
            by = f", as {WRAPPERS[prefix]} writes them" if prefix in WRAPPERS else ""
            return f". The names in the file begin with {prefix!r}{by}: nn.load(path, into=model, prefix={prefix!r})"
    return ""


def _digest(arrays: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Return a checksum over names, dtypes, shapes and values, and over texts."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        a = arrays[name]
        total.update(f"{name}\0{a.dtype.newbyteorder('<').str}\0{a.shape}\0".encode())
        total.update(a.astype(a.dtype.newbyteorder("<"), copy=False).reshape(-1).view(np.uint8))
    if texts:  # without any it is the checksum of files that were written before there were texts
        total.update(json.dumps(dict(texts), sort_keys=True).encode())
    return total.hexdigest()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object as a dict; of a name that occurs twice nobody knows which value is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(n for n in names if names.count(n) > 1)!r} occurs twice")
    return found
