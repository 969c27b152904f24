"""``autograd-np derive``: the backward pass of a function in a Python file, as a program or as mathematics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import autograd_np as ag
from autograd_np.cli.output import refuse, say
from autograd_np.cli.user_file import blamed_on, importable, in_order, inputs_of, user_function, user_module

__all__ = ["derive"]

_BY_SUFFIX = {".py": "numpy", ".tex": "latex", ".md": "markdown", ".html": "html", ".htm": "html"}


def derive(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE.py:FUNCTION", help="A function of arrays that returns a loss, or an array.")],
    inputs: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Arrays by name, instead of the file's inputs().")] = None,
    wrt: Annotated[str, typer.Option(metavar="NAMES", help="The variables whose gradients are wanted, with commas between.")] = "",
    numpy: Annotated[bool, typer.Option("--numpy", help="A program: forward, backward, and both in one.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="A document for pdflatex.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown with mathematics between dollars.")] = False,
    html: Annotated[bool, typer.Option("--html", help="One page with MathML.")] = False,
    index: Annotated[bool, typer.Option("--index", help="Write elements with their indices, not whole arrays.")] = False,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Its suffix (.py .tex .md .html) says the format.")
    ] = None,
) -> None:
    """Derive the backward pass of a function in a Python file. Exit code: 0 derived, 2 not."""
    path, colon, name = what.rpartition(":")
    if not colon or not name:
        raise refuse(f"{what!r} should be FILE.py:FUNCTION, such as model.py:loss")
    asked = [k for k, v in {"numpy": numpy, "latex": latex, "markdown": markdown, "html": html}.items() if v]
    if len(asked) > 1:
        raise refuse(f"choose one of {', '.join(f'--{k}' for k in asked)}")
    if out is not None and not asked and out.suffix.lower() not in _BY_SUFFIX:
        raise refuse(f"{out} should end in {', '.join(_BY_SUFFIX)}, or be given with --numpy, --latex, --markdown or --html")
    form = asked[0] if asked else _BY_SUFFIX[out.suffix.lower()] if out is not None else "numpy"
    if index and form == "numpy":
        raise refuse("--index is for --latex, --markdown and --html; a program has whole arrays")
    file = Path(path)
    with importable(file.resolve().parent, context.obj):
        module = user_module(file)
        function = user_function(module, file, name)
        example = in_order(function, inputs_of(module, file, inputs), name)
        with blamed_on(file):
            derivation = ag.derive(function, *example.values(), wrt=[n.strip() for n in wrt.split(",") if n.strip()] or None)
            written = derivation.to_numpy() if form == "numpy" else getattr(derivation, f"to_{form}")(index=index)
    if out is None:
        say(written, end="")
        return
    try:
        out.write_text(written, encoding="utf-8")
    except OSError as error:
        raise refuse(f"cannot write {out}: {error.strerror}") from None
    say(f"{out}  ({form})")
