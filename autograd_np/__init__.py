"""autograd_np: automatic differentiation of plain NumPy code, with its graph in the open.

Here live the public names. Below them stands the engine, a file or a folder for each part, and each imports only from floors
below its own. What is computed may not live in this file, nor may it import what a model does not need; layers and losses
live in `nn`, beside the engine, which may not know them.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> ag.grad(lambda w: np.sum(np.tanh(w) ** 2))(np.array([0.0, 1.0]))
array([0.        , 0.63970001])
"""

from typing import TYPE_CHECKING, Any

from autograd_np import copies as _copies
from autograd_np import derivations as _derivations
from autograd_np import inplace as _inplace
from autograd_np import interchange as _interchange
from autograd_np import live as _live
from autograd_np import ndarray_methods as _ndarray_methods
from autograd_np import render as _render
from autograd_np.backward import backward as _backward
from autograd_np.containers import register_container
from autograd_np.define import custom_gradient, define
from autograd_np.errors import (
    AnomalyError,
    AutogradError,
    CheckFailedError,
    CompileError,
    CompileWarning,
    CustomRuleError,
    DataError,
    DeviceError,
    DifferentiationError,
    GaugeWarning,
    InPlaceError,
    LeavesNumPyError,
    LoopWarning,
    NoRowError,
    RenderError,
    ShapeWarning,
)
from autograd_np.graph import Graph, Operation, graph, operation
from autograd_np.heap import keep_freed_memory as _keep_freed_memory
from autograd_np.modes import detect_anomaly, lazy, no_grad, scope
from autograd_np.ops import log_sigmoid, log_softmax, logsumexp, relu, sigmoid, softmax, softplus
from autograd_np.tensor import Tensor, stop_gradient
from autograd_np.trace import trace
from autograd_np.transforms import checkpoint, grad, hessian, hvp, jacobian, jvp, linearize, sparse_jacobian, value_and_grad, vjp
from autograd_np.trees import ravel

if TYPE_CHECKING:
    from autograd_np.check import check_backward, check_gradients
    from autograd_np.compiling import compile  # noqa: A004
    from autograd_np.derivations.face import derive
    from autograd_np.solutions import implicit
    from autograd_np.transforms.vmapping import vmap

__version__ = "0.1.0"

_keep_freed_memory()

__all__ = [
    "AnomalyError",
    "AutogradError",
    "CheckFailedError",
    "CompileError",
    "CompileWarning",
    "CustomRuleError",
    "DataError",
    "DeviceError",
    "DifferentiationError",
    "GaugeWarning",
    "Graph",
    "InPlaceError",
    "LeavesNumPyError",
    "LoopWarning",
    "NoRowError",
    "RenderError",
    "ShapeWarning",
    "Tensor",
    "check_backward",
    "check_gradients",
    "checkpoint",
    "compile",
    "custom_gradient",
    "define",
    "derive",
    "detect_anomaly",
    "grad",
    "graph",
    "hessian",
    "hvp",
    "implicit",
    "jacobian",
    "jvp",
    "lazy",
    "linearize",
    "log_sigmoid",
    "log_softmax",
    "logsumexp",
    "no_grad",
    "operation",
    "ravel",
    "register_container",
    "relu",
    "scope",
    "sigmoid",
    "softmax",
    "softplus",
    "sparse_jacobian",
    "stop_gradient",
    "trace",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> Any:
    """Import on first use what a model does not need: the checks, with Python's parser, `implicit`, the rules of many examples at once."""
    if name == "vmap":
        from autograd_np.transforms.vmapping import vmap

        return vmap
    if name in ("check_backward", "check_gradients"):
        from autograd_np import check

        return getattr(check, name)
    if name == "compile":
        from autograd_np import compiling

        return compiling.compile
    if name == "derive":
        from autograd_np.derivations.face import derive

        return derive
    if name == "implicit":
        from autograd_np.solutions import implicit

        return implicit
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
