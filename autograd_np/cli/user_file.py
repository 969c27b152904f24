"""The command ``autograd-np``: parse, call, print."""

from __future__ import annotations

import contextlib
import difflib
import importlib.machinery
import importlib.util
import inspect
import io
import json
import math
import sys
import traceback
import types
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer
from rich.console import Console

import autograd_np as ag
import nn
from autograd_np.demo import data, experiment
from autograd_np.demo.training import SettingError

__all__ = ["app", "main"]

# typer does not export the base of its errors about a call, which is called ClickException.
_CallError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _positive(value: float) -> float:
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"{value} is not a positive number")
    return value


Epochs = Annotated[int, typer.Option(min=1, help="Steps of gradient descent, each on the whole training part.")]
Rate = Annotated[float, typer.Option("--lr", callback=_positive, help="Learning rate.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the split and of the first weights.")]
Out = Annotated[Path, typer.Option(help="Folder for the files that are written.")]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    """Automatic differentiation of plain NumPy code: train a small network, check its gradients, draw its graph."""
    if version:
        print(f"autograd-np {ag.__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def demo(out: Out = Path("autograd-np-demo"), epochs: Epochs = 2000, lr: Rate = 1.0, seed: Seed = 0) -> None:
    """Train a 2-3-1 network on real data, verify its hand-derived gradients, and draw its graph."""
    title = "Wisconsin diagnostic breast cancer data (UCI, CC BY 4.0)"
    if not experiment.run(_console(), title, data.breast_cancer(), hidden=3, epochs=epochs, lr=lr, seed=seed, out=out):
        raise typer.Exit(1)


@app.command()
def train(
    file: Annotated[Path, typer.Argument(metavar="DATA.csv", help="A table with column names in its first line, and numbers below.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict; it has two different values.")],
    hidden: Annotated[int, typer.Option(min=1, help="Units in the hidden layer.")] = 3,
    epochs: Epochs = 2000,
    lr: Rate = 1.0,
    seed: Seed = 0,
    out: Out = Path("autograd-np-train"),
) -> None:
    """Do the same on a CSV file of your own."""
    table = data.read_table(file, target)
    if not experiment.run(_console(), str(file), table, hidden=hidden, epochs=epochs, lr=lr, seed=seed, out=out):
        raise typer.Exit(1)


def _console() -> Console:
    return Console(highlight=False, markup=False, emoji=False)


# --- a hand-written backward pass -----------------------------------------------------------------

VERDICTS = {"pass": 0, "fail": 1, "inconclusive": 3}


@app.command()
def check(
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
        stack.enter_context(_importable(file.resolve().parent))
        module = _user_module(file)
        forward_pass, backward_pass = (_user_function(module, file, name) for name in (forward, backward))
        loss_of = _user_function(module, file, loss or "loss") if loss or hasattr(module, "loss") else None
        given = _arrays_of(inputs) if inputs else _given_inputs(module, file)
        with _blamed_on(file):
            report = ag.check_backward(forward_pass, backward_pass, given, loss=loss_of)
    if as_json:
        print(json.dumps(report.to_dict(), indent=2, ensure_ascii=False), file=out)
    else:
        _console().print(report)
    raise typer.Exit(VERDICTS[report.verdict])


@app.command()
def render(
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
    left_to_right: Annotated[bool, typer.Option("--left-to-right", help="Instead of from top to bottom.")] = False,
    parameters: Annotated[str, typer.Option(metavar="NAMES", help="Inputs to draw as parameters, with commas between.")] = "",
) -> None:
    """Draw the graph of a function in a Python file. Exit code: 0 drawn, 2 not."""
    path, colon, name = what.rpartition(":")
    if not colon or not name.isidentifier():
        raise _refuse(f"{what!r} should be FILE.py:FUNCTION, such as model.py:forward")
    file = Path(path)
    with _importable(file.resolve().parent):
        module = _user_module(file)
        function = _user_function(module, file, name)
        given = _arrays_of(inputs) if inputs else _given_inputs(module, file)
        example = _in_order(getattr(function, "forward", function), given, name)
        with _blamed_on(file):
            graph = function.graph(*example) if isinstance(function, nn.Module) else ag.trace(function, *example)
    options: dict[str, Any] = {"parameters": [n.strip() for n in parameters.split(",") if n.strip()]}
    if out.suffix.lower() != ".html":
        options |= {"values": values, "gradients": gradients, "rules": rules, "order": order, "backward": backward, "memory": memory}
        options |= {"depth": depth, "around": around, "hops": hops, "fold": fold, "direction": "LR" if left_to_right else "TB"}
    try:
        graph.render(out, **options)
    except OSError as error:
        raise _refuse(f"cannot write {out}: {error.strerror}") from None
    except ag.AutogradError as error:
        raise _refuse(str(error)) from None
    print(f"{out}  ({len(graph)} nodes)")


def _in_order(function: Callable[..., Any], given: dict[str, Any], name: str) -> list[Any]:
    """Return the inputs that a function takes, in the order of its parameters; others are left alone."""
    wanted = inspect.signature(function).parameters.values()
    positional = [p for p in wanted if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind is p.VAR_POSITIONAL for p in wanted) and not positional:
        return list(given.values())
    missing = [p.name for p in positional if p.default is p.empty and p.name not in given]
    if missing:
        raise _refuse(f"{name} takes {', '.join(missing)}, which the inputs do not have; they have {', '.join(given) or 'none'}")
    found = []
    for p in positional:
        if p.name not in given and p.default is p.empty:
            break
        found.append(given.get(p.name, p.default))
    return found


def _refuse(message: str) -> typer.Exit:
    return typer.Exit(_complain(message))


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the user's file import its neighbours."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


@contextlib.contextmanager
def _blamed_on(file: Path) -> Iterator[None]:
    """Report what the user's code raises at its own line; a traceback only if none of its lines took part."""
    try:
        yield
    except ag.AutogradError as error:
        raise _refuse(str(error)) from None
    except SyntaxError as error:
        raise _refuse(f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever the user's code raises
        mine = [entry for entry in traceback.extract_tb(error.__traceback__) if Path(entry.filename).resolve() == file.resolve()]
        if not mine:
            traceback.print_exc()
            raise _refuse(f"{file} could not be checked: {type(error).__name__}: {error}") from None
        where = f"{file}:{mine[-1].lineno}" + (f", in {mine[-1].name}" if mine[-1].name != "<module>" else "")
        raise _refuse(f"{where}: {type(error).__name__}: {error}  [{mine[-1].line}]") from None


class _Uncached(importlib.machinery.SourceFileLoader):
    """Reads the source, neither from nor into __pycache__, which can be stale for a file that was edited within a second."""

    def path_stats(self, path: Any) -> Any:
        """Say that nothing is known of the file, which is how a loader turns caching off."""
        raise OSError(path)


def _user_module(file: Path) -> types.ModuleType:
    if not file.is_file():
        raise _refuse(f"{file} {'is a folder' if file.is_dir() else 'does not exist'}; expected a Python file")
    spec = importlib.util.spec_from_file_location(file.stem, file, loader=_Uncached(file.stem, str(file.resolve())))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with _blamed_on(file), _registered(module):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _registered(module: types.ModuleType) -> Iterator[None]:
    """Put a module into `sys.modules` while it is executed (dataclasses look there), unless its name is taken."""
    taken = module.__name__ in sys.modules
    if not taken:
        sys.modules[module.__name__] = module
    try:
        yield
    finally:
        if not taken:
            sys.modules.pop(module.__name__, None)


def _user_function(module: types.ModuleType, file: Path, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if callable(found):
        return cast("Callable[..., Any]", found)
    there = [n for n, v in vars(module).items() if isinstance(v, types.FunctionType) and v.__module__ == module.__name__]
    alike = difflib.get_close_matches(name, there, n=1) or [n for n in there if name in n][:1]
    hint = f"; did you mean {alike[0]}?" if alike else ""
    what = f"no function named {name}" if found is None else f"{name} = {found!r:.40}, which is no function"
    defined = f"its functions: {', '.join(there) or 'none'}"
    raise _refuse(f"{file} has {what}{hint}; {defined} (choose with --forward, --backward, --loss)")


def _given_inputs(module: types.ModuleType, file: Path) -> dict[str, Any]:
    if not hasattr(module, "inputs"):
        raise _refuse(f"{file} has no function named inputs that returns a dict of arrays by name; write one, or pass --inputs FILE.npz")
    given = module.inputs
    if callable(given):
        with _blamed_on(file):
            given = given()
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise _refuse(f"inputs of {file} gave {type(given).__name__} ({given!r:.40}); expected a dict of arrays by parameter name")
    return given


def _arrays_of(path: Path) -> dict[str, Any]:
    """Read a .npz; arrays of no dimension become Python numbers, as a parameter such as `stride` needs them."""
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise _refuse(f"{path} holds one array; expected a .npz with arrays by name (np.savez(path, W=W, X=X))")
        with archive:
            return {name: x.item() if x.ndim == 0 else x for name, x in archive.items()}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _refuse(f"{path} cannot be read as .npz: {reason}") from None


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; every mistake of the caller's is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a column name may not exist in the terminal's encoding
    try:
        code = app(args, prog_name="autograd-np", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except ag.DataError as error:
        code = _complain(str(error))
    except SettingError as error:
        code = _complain(typer.BadParameter(str(error), param_hint=f"'--{error.setting}'").format_message())
    except _CallError as error:
        code = _complain(error.format_message())
    sys.exit(code or 0)


def _complain(message: str) -> int:
    print(f"autograd-np: {' '.join(message.splitlines())}", file=sys.stderr)
    return 2
