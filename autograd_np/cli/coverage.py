"""``autograd-np coverage``: what of NumPy and SciPy is differentiable."""

from __future__ import annotations

from typing import Annotated

import typer

from autograd_np import coverage as account
from autograd_np.cli.output import say

__all__ = ["coverage"]


def coverage(
    where: Annotated[str, typer.Argument(metavar="[NAMESPACE]", help="Such as np, np.linalg, scipy.special; all if left out.")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Write docs/coverage.md to standard output.")] = False,
) -> None:
    """Say of every public function of NumPy and SciPy whether it is differentiable, constant by nature, or refused, and why."""
    if markdown:
        say(account.markdown(), end="")
        return
    for name in [where] if where else (*account.NAMESPACES, *account.SCIPYS):
        entries = account.coverage(name)
        say(f"{name}: {account.counts(entries)}")
        if where:
            width = max(len(e.name) for e in entries)
            for e in entries:
                say(f"  {e.name:<{width}}  {e.answer}{f': {e.remark}' if e.remark else ''}")
