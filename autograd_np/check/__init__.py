"""Checking gradients: the engine's and users' own operations, and backward passes that were derived by hand."""

from autograd_np.check.backward_pass import check_backward
from autograd_np.check.gradients import check_gradients
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck, GradientReport, GradientRow

__all__ = ["BackwardReport", "Finding", "GradientCheck", "GradientReport", "GradientRow", "check_backward", "check_gradients"]
