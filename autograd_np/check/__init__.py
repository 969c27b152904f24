"""Checking gradients: the engine's and users' own operations, and backward passes that were derived by hand.

Here live two doors, `gradients` for the first and `backward_pass` for the second. A backward pass goes through the folders in
turn: it is *watched* while it runs, each of its variables is *judged*, a wrong one is *explained*, and what was found is *told*.
`numeric` gives both the opinion of finite differences. No folder may know a later one. Drawing may not live here, but in
`render`, and nothing here may know the command line.
"""

from autograd_np.check.backward_pass import check_backward
from autograd_np.check.gradients import check_gradients
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck, GradientReport, GradientRow

__all__ = ["BackwardReport", "Finding", "GradientCheck", "GradientReport", "GradientRow", "check_backward", "check_gradients"]
