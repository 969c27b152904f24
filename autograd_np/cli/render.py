"""``autograd-np render``: the graph of a function in a Python file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import autograd_np as ag
import nn
from autograd_np.cli.output import refuse, say
from autograd_np.cli.user_file import blamed_on, importable, in_order, inputs_of, user_function, user_module

__all__ = ["render"]

_FLAGS = {"LR": "--left-to-right", "TB": "--top-to-bottom"}


def render(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE.py:FUNCTION", help="A function of arrays, or an nn.Module.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Its suffix: .svg .png .pdf .dot, or .html for the explorer.")],
    inputs: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Arrays by name, instead of the file's inputs().")] = None,
    values: Annotated[bool, typer.Option("--values", help="Show what every node holds.")] = False,
    gradients: Annotated[bool, typer.Option("--gradients", help="Show the gradient at every node.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Show the local derivative of every operation.")] = False,
    order: Annotated[bool, typer.Option("--order", help="Number the nodes as the reverse sweep visits them.")] = False,
    backward: Annotated[bool, typer.Option("--backward", help="Draw the edges along which gradients flow back.")] = False,
    memory: Annotated[bool, typer.Option("--memory", help="Show the size of every result.")] = False,
    depth: Annotated[int | None, typer.Option(min=0, help="Draw modules nested deeper than this as one box each.")] = None,
    around: Annotated[str | None, typer.Option(metavar="NAME", help="Draw only what is near this node.")] = None,
    hops: Annotated[int, typer.Option(min=0, help="How near, in edges.")] = 2,
    fold: Annotated[bool, typer.Option("--fold", help="Draw chains of elementwise operations as one box.")] = False,
    left_to_right: Annotated[
        bool | None, typer.Option("--left-to-right/--top-to-bottom", help="Instead of what fills the screen.", show_default=False)
    ] = None,
    legend: Annotated[bool, typer.Option(help="Say below the picture what its forms mean.")] = True,
    parameters: Annotated[str, typer.Option(metavar="NAMES", help="Inputs to draw as parameters, with commas between.")] = "",
    loss: Annotated[str | None, typer.Option(metavar="NAME", help="The variable that gradients are of, if it is not the result.")] = None,
) -> None:
    """Draw the graph of a function in a Python file. Exit code: 0 drawn, 2 not."""
    path, colon, name = what.rpartition(":")
    if not colon or not name.isidentifier():
        raise refuse(f"{what!r} should be FILE.py:FUNCTION, such as model.py:forward")
    file = Path(path)
    with importable(file.resolve().parent, context.obj):
        module = user_module(file)
        function = user_function(module, file, name)
        given = inputs_of(module, file, inputs)
        example = in_order(getattr(function, "forward", function), given, name)
        with blamed_on(file):
            graph = function.graph(*example.values()) if isinstance(function, nn.Module) else ag.trace(function, *example.values())
    options: dict[str, Any] = {"parameters": [n.strip() for n in parameters.split(",") if n.strip()], "output": loss}
    pictured = {
        "depth": depth,
        "around": around,
        "fold": fold,
        "direction": None if left_to_right is None else "LR" if left_to_right else "TB",
    }
    if out.suffix.lower() not in (".html", ".htm"):
        options |= {"values": values, "gradients": gradients, "rules": rules, "order": order, "backward": backward, "memory": memory}
        options |= {k: v for k, v in pictured.items() if v is not None} | {"hops": hops, "legend": legend}
    elif unused := [_FLAGS.get(str(v), f"--{k}") for k, v in pictured.items() if v not in (None, False)]:
        raise refuse(
            f"the explorer shows the whole graph; {', '.join(unused)} {'are' if len(unused) > 1 else 'is'} for pictures (.svg, .png, .pdf)"
        )
    try:
        graph.render(out, **options)
    except OSError as error:
        raise refuse(f"cannot write {out}: {error.strerror}") from None
    except ag.AutogradError as error:
        raise refuse(str(error)) from None
    say(f"{out}  ({len(graph)} nodes)")
