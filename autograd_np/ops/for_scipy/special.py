"""The rows of `scipy.special`, all of them: importing this file fills the table.

Derivatives are from the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov.
"""

from __future__ import annotations

from autograd_np.ops.for_scipy import bessel, elementary, error_functions, gamma_functions, incomplete, integrals

__all__ = ["bessel", "elementary", "error_functions", "gamma_functions", "incomplete", "integrals"]
