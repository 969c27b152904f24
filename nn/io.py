"""Parameters in files: safetensors, with a checksum."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from nn.errors import StateDictError
from nn.replace import write
from nn.state import array_of

__all__ = ["load", "save"]

METADATA = "__metadata__"


class Stateful(Protocol):
    """What has a state: a Module or an Optimizer."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any: ...


def save(state: Stateful | Mapping[str, Any], path: str | os.PathLike[str]) -> None:
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

    values = state if isinstance(state, Mapping) else state.state_dict()
    for name in values:
        if not isinstance(name, str):
            raise StateDictError(f"names in a state must be strings, got {name!r}")
    if METADATA in values:
        raise StateDictError(f"the name {METADATA} is reserved by the safetensors format; give the array another name")
    arrays = {name: array_of(value) for name, value in values.items()}
    try:
        content = safetensors.numpy.save(arrays, metadata={"sha256": _digest(arrays)})
    except (KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        dtypes = ", ".join(f"{name}: {a.dtype}" for name, a in arrays.items())
        raise StateDictError(f"safetensors cannot hold these arrays ({dtypes:.1000}): {error}") from error
    write(path, content)


def load(path: str | os.PathLike[str], into: Stateful | None = None) -> dict[str, Any]:
    """Read a safetensors file.

    Parameters
    ----------
    path : str or path
        A file that `save`, or any safetensors writer, made.
    into : Module or Optimizer, optional
        Takes the values over, all of them or none.

    Returns
    -------
    dict
        Name -> array.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StateDictError
        If the file is truncated or damaged, has a name twice, or does not fit `into`, which then is as it was.
    """
    import safetensors.numpy

    content = Path(path).read_bytes()
    try:
        arrays = {name: array_of(a) for name, a in safetensors.numpy.load(content).items()}
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")], object_pairs_hook=_pairs)
    except (KeyError, TypeError, ValueError, AttributeError, safetensors.SafetensorError) as error:
        raise StateDictError(f"{os.fspath(path)} is not a whole safetensors file: {error}") from error
    digest = header.get(METADATA, {}).get("sha256")
    if digest is not None and digest != _digest(arrays):
        raise StateDictError(f"{os.fspath(path)} is damaged: its content does not have the checksum it was saved with")
    if into is not None:
        try:
            into.load_state_dict(arrays)
        except StateDictError as error:
            raise StateDictError(f"{os.fspath(path)}: {error}") from error
    return arrays


def _digest(arrays: Mapping[str, Any]) -> str:
    """Return a checksum over names, dtypes, shapes and values."""
    total = hashlib.sha256()
    for name in sorted(arrays):
        a = arrays[name]
        total.update(f"{name}\0{a.dtype.newbyteorder('<').str}\0{a.shape}\0".encode())
        total.update(a.astype(a.dtype.newbyteorder("<"), copy=False).tobytes())
    return total.hexdigest()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object as a dict; of a name that occurs twice nobody knows which value is meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(n for n in names if names.count(n) > 1)!r} occurs twice")
    return found
