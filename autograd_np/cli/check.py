"""``autograd-np check``: a hand-written backward pass, line by line."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

import autograd_np as ag
from autograd_np.cli.output import console
from autograd_np.cli.user_file import blamed_on, importable, inputs_of, user_function, user_module

__all__ = ["check"]

VERDICTS = {"pass": 0, "fail": 1, "inconclusive": 3}


def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="Defines forward, backward, inputs and, if need be, loss.")],
    forward: Annotated[str, typer.Option(metavar="NAME", help="The forward pass.")] = "forward",
    backward: Annotated[str, typer.Option(metavar="NAME", help="The hand-written backward pass.")] = "backward",
    loss: Annotated[str | None, typer.Option(metavar="NAME", help="The loss; 'loss', if the file defines it.")] = None,
    inputs: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Arrays by name, instead of the file's inputs().")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Check a hand-written backward pass line by line. Exit code: 0 right, 1 wrong, 2 unusable, 3 inconclusive."""
    out = sys.stdout
    with contextlib.ExitStack() as stack:
        if as_json:  # what the file prints must not get between
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(importable(file.resolve().parent, context.obj))
        module = user_module(file)
        forward_pass, backward_pass = (user_function(module, file, name) for name in (forward, backward))
        loss_of = user_function(module, file, loss or "loss") if loss or hasattr(module, "loss") else None
        given = inputs_of(module, file, inputs)
        with blamed_on(file):
            report = ag.check_backward(forward_pass, backward_pass, given, loss=loss_of)
    if as_json:
        print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False), file=out)
    else:
        console().print(report)
    raise typer.Exit(VERDICTS[report.verdict])
