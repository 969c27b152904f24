"""``autograd-np explore``: a function of a Python file on a page that follows the file and the numbers."""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import autograd_np as ag
import nn
from autograd_np.cli.output import RefusedError, refuse, say
from autograd_np.cli.user_file import checker, forget, importable, in_order, inputs_of, neighbours, user_function, user_module
from autograd_np.live import needs

if TYPE_CHECKING:
    from autograd_np.live.session import Program

__all__ = ["explore"]


def explore(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="FILE.py:FUNCTION", help="A function of arrays, an nn.Module, or an object with forward and backward.")
    ],
    inputs: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Arrays by name, instead of the file's inputs().")] = None,
    backward: Annotated[str | None, typer.Option(metavar="NAME", help="Its backward pass; 'backward', if the file defines it.")] = None,
    parameters: Annotated[str, typer.Option(metavar="NAMES", help="Inputs to draw as parameters, with commas between.")] = "",
    loss: Annotated[str | None, typer.Option(metavar="NAME", help="The variable that gradients are of, if it is not the result.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page, on this machine alone; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
) -> None:
    """Step through a function on a page that follows its file and its numbers, until ctrl-c. Exit code: 0 ended, 2 not begun."""
    path, colon, name = what.rpartition(":")
    if not colon or not name:
        raise refuse(f"{what!r} should be FILE.py:FUNCTION, such as model.py:loss")
    file = Path(path)
    if not file.is_file():
        raise refuse(f"{file} {'is a folder' if file.is_dir() else 'does not exist'}; expected a Python file")
    try:
        needs("websockets", "watchfiles")
    except ImportError as error:
        raise refuse(str(error)) from None
    from autograd_np.live.serving import serve

    options = {"parameters": [n.strip() for n in parameters.split(",") if n.strip()], "output": loss}
    request = _Request(file, name, inputs, backward, options, lambda: importable(file.resolve().parent, context.obj))

    def ready(address: str) -> None:
        say(f"{address}\nThe page follows {file}; ctrl-c ends it.")
        if browser and _has_screen():
            import webbrowser

            webbrowser.open(address)

    try:
        serve(request.load, title=f"{file.name}: {name}", file=file, port=port, ready=ready, said=say)
    except OSError as error:
        raise refuse(f"cannot serve on port {port}: {error.strerror}") from None
    gc.freeze()  # the process ends: looking through all that was imported for circles would take longer than the rest


def _has_screen() -> bool:
    """Whether a browser would have a window; one in the terminal would take the terminal away."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _beside(function: Callable[..., Any], name: str) -> str:
    """Return the path of the ``backward`` of the object that a forward is a method of, if it has one."""
    owner = getattr(function, "__self__", None)
    if getattr(function, "__name__", "") != "forward" or not callable(getattr(owner, "backward", None)):
        return ""
    return f"{name.removesuffix('.forward')}.backward"


@dataclass
class _Request:
    """What is to be explored."""

    file: Path
    name: str
    inputs: Path | None
    backward: str | None
    options: dict[str, Any]
    running: Callable[[], Any]
    modules: frozenset[str] = field(default_factory=lambda: frozenset(sys.modules))

    def load(self) -> Program:
        """Execute the file as it is now, and its neighbours."""
        from autograd_np.live.session import Program

        forget(self.file, self.modules)
        with self.running():
            module = user_module(self.file)
            function = user_function(module, self.file, self.name)
            given = inputs_of(module, self.file, self.inputs)
            taken = self._taken(module, function, given)
            check = None
            backward = self.backward or _beside(function, self.name) or ("backward" if callable(getattr(module, "backward", None)) else "")
            if backward:
                forward = self.name if "." in backward or not callable(getattr(module, "forward", None)) else "forward"
                judge = checker(module, self.file, forward, backward)

                def check(*arguments: Any) -> Any:
                    return judge({**given, **dict(zip(taken, arguments, strict=True))})

        files = {self.file.resolve(), *neighbours(self.file, self.modules).values(), *([self.inputs.resolve()] if self.inputs else [])}
        graph = function.graph if isinstance(function, nn.Module) else functools.partial(ag.trace, function)
        return Program(graph, tuple(taken.values()), function, check, frozenset(files), self.running, self.options)

    def _taken(self, module: Any, function: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by name; a loss that takes what forward computes is explored by forward, whose check has it."""
        try:
            return in_order(getattr(function, "forward", function), given, self.name)
        except RefusedError as error:
            if self.name == "forward" or not callable(getattr(module, "forward", None)):
                raise
            raise refuse(f"{error}. If {self.name} takes what forward computes, explore {self.file.name}:forward") from None
