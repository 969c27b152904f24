"""Functions of `scipy.special` that are ufuncs: they dispatch on Tensors as they stand.

Derivatives are from the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov; the numbers are its equations.
"""

from __future__ import annotations

from scipy import special

from autograd_np.op import elementwise

elementwise(special.expit, lambda y, x: y * special.expit(-x), tex=r"\sigma(#1)")
elementwise(special.log_expit, lambda y, x: special.expit(-x), tex=r"\log \sigma(#1)")
