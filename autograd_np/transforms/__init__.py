"""Functions to functions: gradients, Jacobians, products with them, in reverse and forward mode.

Here lives what a user applies to a function. Every transform opens a `Level`, wraps the arguments it differentiates in Tensors of
that level, runs the function, and reads the recorded Nodes with the sweeps of `backward`; since a Tensor may hold a Tensor,
transforms nest freely. No rule of an operation and no sweep may live here.
"""

from __future__ import annotations

from autograd_np.transforms.checkpointing import checkpoint
from autograd_np.transforms.coloring import sparse_jacobian
from autograd_np.transforms.forward import hvp, jvp, linearize
from autograd_np.transforms.jacobians import hessian, jacobian
from autograd_np.transforms.reverse import grad, value_and_grad, vjp

__all__ = ["checkpoint", "grad", "hessian", "hvp", "jacobian", "jvp", "linearize", "sparse_jacobian", "value_and_grad", "vjp"]
