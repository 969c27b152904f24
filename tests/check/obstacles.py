"""Minimal reproductions of what `check_backward` once got wrong on real code, each with what it must say.

The cases stand in `obstacles_verdicts`, `obstacles_roles` and `obstacles_code`. The mechanism behind a case must hold for its
relatives too: a new one goes beside its theme.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_np as ag

__all__ = ["Case", "Cases", "faults"]


@dataclass(frozen=True)
class Case:
    """A pass and what must be said about it.

    Attributes
    ----------
    verdict : str
        What the report must say.
    at : str or None
        Text that a blamed line must hold.
    kinds : frozenset of str
        Kinds of which one must be found, if there are any.
    says : str or None
        A regular expression that the printed report must match.
    options : dict
        Further arguments of `check_backward`.
    """

    title: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: Mapping[str, Any]
    verdict: str
    at: str | None = None
    kinds: frozenset[str] = frozenset()
    says: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Cases(list[Case]):
    """The cases of a theme, in order."""

    def add(
        self,
        title: str,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        inputs: Mapping[str, Any],
        verdict: str,
        *,
        at: str | None = None,
        kinds: set[str] | None = None,
        says: str | None = None,
        **options: Any,
    ) -> None:
        """Append a case; `options` go to `check_backward`."""
        self.append(Case(title, forward, backward, inputs, verdict, at, frozenset(kinds or ()), says, options))


def faults(case: Case) -> list[str]:
    """Check the pass of a case with warnings as errors and return what should have been said otherwise."""
    with np.errstate(all="ignore"), warnings.catch_warnings():  # saturated passes overflow; no other warning may come
        warnings.simplefilter("error")
        report = ag.check_backward(case.forward, case.backward, case.inputs, **case.options)
    found = "; ".join(f"{f.source} ({f.kind}: {f.message})" for f in report.findings) or "nothing"
    wrong = []
    if report.verdict != case.verdict:
        wrong.append(f"verdict {report.verdict}, wanted {case.verdict}: {found}")
    if bool(report) != (case.verdict == "pass"):
        wrong.append(f"bool(report) is {bool(report)}")
    if case.at and not any(case.at in f.source for f in report.findings):
        wrong.append(f"blamed {found}, wanted the line with {case.at!r}")
    if case.kinds and not any(f.kind in case.kinds for f in report.findings):
        wrong.append(f"found {found}, wanted a kind of {', '.join(sorted(case.kinds))}")
    if case.says and not re.search(case.says, str(report)):
        wrong.append(f"the report does not say /{case.says}/:\n{report}")
    return wrong
