"""A model as an ONNX file."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ExportError, MissingExtraError
from nn.interchange.following import Dim, Size, bare
from nn.interchange.recording import Step, arrays_in, others, recorded, with_arrays
from nn.module import Module
from nn.replace import write

__all__ = ["export_onnx"]

OLDEST = 18
"""The first version of the operators in which all reductions take their axes as an input."""

BATCH = "batch"

LARGEST = (1 << 31) - (1 << 20)
"""How many bytes of arrays a file holds, whose format counts to 2 GiB."""


def export_onnx(
    model: Module,
    path: str | os.PathLike[str],
    *example: Any,
    opset: int = OLDEST,
    batch_axis: int | Sequence[int | None] | None = 0,
    dtype: Any = np.float32,
    check: bool = False,
) -> None:
    """Write a model, as it is in evaluation, as an ONNX file, which ONNX Runtime and many other programs run.

    The model is recorded three times, with batches of different sizes and other values, and what follows the size of the batch is
    written as a computation of it; so the file takes batches of any size. What a formula does not give, and an operation that
    ONNX has no equivalent for, is refused with its name, the module and the line. The file is verified by `onnx.checker` before
    it is put in place.

    Parameters
    ----------
    model : Module
        Is recorded in evaluation mode, and as it was afterwards.
    path : str or path
        Where; by convention ``.onnx``.
    *example : arrays in nested tuples, lists and dicts
        What `forward` is called with; one sample is enough. Inputs of the file are called as in `forward`, `x` or `hx.0`.
    opset : int, default 18
        The version of ONNX's operators, 18 or later.
    batch_axis : int or None, or a sequence of them for the arrays of the example, default 0
        The axis of the batch; ``None`` for arrays without one, or for a file of one size.
    dtype : float32 or float64, default float32
        Of all floats in the file. Few programs run convolutions in float64.
    check : bool, default False
        Run the file with ONNX Runtime before it is put in place, on the example and on a batch of another size with other values,
        and compare the results: to 1e-5, of numbers above 1 relatively, in float32.

    Raises
    ------
    ExportError
        If the model does something that the file cannot say, or `check` finds another result than the model's.
    MissingExtraError
        Without onnx (``pip install 'autograd-np[onnx]'``), and for `check` onnxruntime.

    Notes
    -----
    Parameters and buffers are initialisers with their names in `state_dict`. Names of nodes begin with the path of their module.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(4, 8, rng=0), nn.ReLU(), nn.Linear(8, 3, rng=1))
    >>> with tempfile.TemporaryDirectory() as folder:  # doctest: +SKIP
    ...     nn.export_onnx(model, pathlib.Path(folder, "model.onnx"), np.ones((1, 4)), check=True)
    """
    onnx = _package("onnx", "'autograd-np[onnx]'")
    if not isinstance(model, Module):
        raise ExportError(f"export_onnx takes a Module, got {type(model).__name__}")
    newest = onnx.defs.onnx_opset_version()
    if isinstance(opset, bool) or not isinstance(opset, int) or not OLDEST <= opset <= newest:
        raise ExportError(
            f"opset={opset!r} is not covered; it must be from {OLDEST} to {newest}, the newest that this version of onnx knows"
        )
    if np.dtype(dtype) not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ExportError(f"dtype={dtype!r} is not covered; float32 and float64 are")
    size = sum(np.size(a) for a in [*model.parameters(), *model.buffers()]) * np.dtype(dtype).itemsize
    if size > LARGEST:
        raise ExportError(
            f"{type(model).__name__} has {size} bytes of Parameters and buffers, and an ONNX file of one piece holds {LARGEST}"
        )
    named, arguments = _examples(model, example)
    axes = _axes(named, batch_axis)
    batch = _batch(named, axes)
    with _evaluating(model):
        returned = [name for name, _ in arrays_in(model(*arguments), "output")]
        steps, results, used = recorded(model, arguments, axes, batch)
        outputs = _outputs(model, returned, results)
        proto = _written(model, steps, outputs, used, named, axes, opset, np.dtype(dtype))
        try:
            onnx.checker.check_model(proto, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ExportError(f"the file would not be valid: {error}") from error
        content: bytes = proto.SerializeToString()
        if check:
            _compare(
                model, content, [arguments, others(arguments, axes, (batch or 0) + 1, 1)], [name for name, _ in named], np.dtype(dtype)
            )
    write(path, content)


def _package(name: str, installed_as: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(f"export_onnx needs {name}, which is not installed; run pip install {installed_as}") from error


@contextmanager
def _evaluating(model: Module) -> Iterator[None]:
    before = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        yield
    finally:
        for module, training in before:
            module.training = training


# --- inputs and outputs ---------------------------------------------------------------------------


def _examples(model: Module, example: Sequence[Any]) -> tuple[list[tuple[str, Any]], list[Any]]:
    """Return (name, array) for all that the model is called with, and the arguments with NumPy's arrays in them."""
    parameters = list(inspect.signature(model.forward).parameters.values())
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names += [f"{p.name}{i}" for p in parameters if p.kind is p.VAR_POSITIONAL for i in range(len(example))]
    if not example or len(example) > len(names):
        raise ExportError(f"export_onnx got {len(example)} examples; forward of {type(model).__name__} takes {', '.join(names)}")
    for name, argument in zip(names, example, strict=False):
        for inner, x in arrays_in(argument, name):
            if not isinstance(bare(x), (np.ndarray, np.generic)):
                raise ExportError(f"the example {inner} must be an array, got {x!r:.60}; settings belong into the model")
    arguments = [with_arrays(argument, lambda x: np.asarray(bare(x))) for argument in example]
    return [pair for name, argument in zip(names, arguments, strict=False) for pair in arrays_in(argument, name)], arguments


def _axes(named: Sequence[tuple[str, Any]], given: int | Sequence[int | None] | None) -> list[int | None]:
    axes = list(given) if isinstance(given, (tuple, list)) else [given] * len(named)
    if len(axes) != len(named):
        raise ExportError(f"batch_axis has {len(axes)} axes for {len(named)} arrays: {', '.join(name for name, _ in named)}")
    found: list[int | None] = []
    for axis, (name, x) in zip(axes, named, strict=True):
        if axis is not None and not (isinstance(axis, int) and -x.ndim <= axis < x.ndim):
            raise ExportError(
                f"batch_axis={axis!r} of the example {name}, of shape {x.shape}, is not there; None says that it has no batch"
            )
        found.append(None if axis is None else axis % x.ndim)
    return found


def _outputs(model: Module, names: Sequence[str], results: Sequence[Step]) -> list[tuple[str, Step]]:
    """Return the name of each result in the structure that `forward` returns, and its Step."""
    if len(names) != len(results):
        raise ExportError(
            f"{type(model).__name__} returns {len(names)} arrays, of which {len(results)} are computed from its inputs, each once; "
            f"return each of them once, and no constants"
        )
    return list(zip(names, results, strict=True))


def _batch(named: Sequence[tuple[str, Any]], axes: Sequence[int | None]) -> int | None:
    """Return the size of the batch, which all examples that have one share."""
    sizes = {name: x.shape[axis] for (name, x), axis in zip(named, axes, strict=True) if axis is not None}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name}: {n}" for name, n in sizes.items())
        raise ExportError(
            f"the examples have batches of different sizes along batch_axis ({told}); give each its axis, None for one without"
        )
    if 0 in sizes.values():
        raise ExportError("an example has an empty batch; one sample is enough")
    return next(iter(sizes.values()), None)


# --- writing --------------------------------------------------------------------------------------


def _written(
    model: Module,
    steps: Sequence[Step],
    outputs: Sequence[tuple[str, Step]],
    used: Sequence[Step | None],
    named: Sequence[tuple[str, Any]],
    axes: Sequence[int | None],
    opset: int,
    dtype: Any,
) -> Any:
    import onnx

    from nn.interchange.writer import Writer

    state = {id(bare(value)): name for name, value in [*model.named_parameters(), *model.named_buffers()]}
    batch = next(((name, axis) for (name, _), axis in zip(named, axes, strict=True) if axis is not None), None)
    w = Writer(opset, dtype, batch, state)
    names = [w.name(name) for name, _ in named]
    results = [w.name(name) for name, _ in outputs]
    for name, step in zip(names, used, strict=True):
        if step is not None:
            w.made(step, name)
    for step in steps:
        try:
            _convert(w, step)
        except ExportError as error:
            raise ExportError(f"cannot export {step.kind.removeprefix('nn.')}{step.where}: {error}") from None
    for name, (_, step) in zip(results, outputs, strict=True):
        w.output(step, name)
    w.prune(results)
    inputs = [
        _value(w, name, x.dtype, [Size(1) if i == axis else n for i, n in enumerate(x.shape)])
        for name, (_, x), axis in zip(names, named, axes, strict=True)
    ]
    made = [_value(w, name, step.dtype, step.shape) for name, (_, step) in zip(results, outputs, strict=True)]
    graph = onnx.helper.make_graph(w.nodes, type(model).__name__, inputs, made, w.initialisers)
    version = [onnx.helper.make_opsetid("", opset)]
    return onnx.helper.make_model(
        graph,
        opset_imports=version,
        ir_version=onnx.helper.find_min_ir_version_for(version),
        producer_name="autograd_np",
    )


def _convert(w: Any, step: Step) -> None:
    from nn.interchange.operations import TABLE

    if step.kind == "input":
        return
    w.enter(step)
    if step.kind == "parameter":
        w.made(step, w.constant(step.value))
    elif step.kind in TABLE:
        w.made(step, TABLE[step.kind](w, step))
    else:
        raise ExportError("there is nothing for it in ONNX, or not yet here; write it with NumPy's functions")


def _value(w: Any, name: str, dtype: Any, shape: Sequence[Dim]) -> Any:
    import onnx

    def told(n: Dim) -> int | str:
        if not isinstance(n, Size):
            return n
        times = BATCH if n.each == 1 else f"{n.each}*{BATCH}"
        return f"{times}{n.more:+d}" if n.more else times

    return onnx.helper.make_tensor_value_info(name, w.code(dtype), [told(n) for n in shape])


# --- comparing ------------------------------------------------------------------------------------


def _compare(model: Module, content: bytes, examples: Sequence[Sequence[Any]], names: Sequence[str], dtype: Any) -> None:
    """Run the file on examples; refuse results that are not the model's."""
    session = _package("onnxruntime", "onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])
    tolerance = 1e-5 if dtype == np.float32 else 1e-10
    for example in examples:
        arrays = [x for _, x in arrays_in(list(example), "")]
        given = {name: x.astype(dtype) if x.dtype.kind == "f" else x for name, x in zip(names, arrays, strict=True)}
        got = session.run(None, given)
        with np.errstate(all="ignore"):
            expected = [np.asarray(bare(ag.stop_gradient(y))) for _, y in arrays_in(model(*example), "output")]
        for output, y, wanted in zip(session.get_outputs(), got, expected, strict=True):
            scale = max(1.0, float(np.max(np.abs(wanted), initial=0, where=np.isfinite(wanted))))
            if y.shape != wanted.shape:
                raise ExportError(f"ONNX Runtime's {output.name} has shape {y.shape}; the model's has {wanted.shape}")
            if not np.allclose(y, wanted, rtol=0, atol=tolerance * scale, equal_nan=True):
                off = np.nanmax(np.abs(y.astype(float) - wanted))
                raise ExportError(f"ONNX Runtime's {output.name} differs by {off:.2g}; the model's has numbers up to {scale:.3g}")
