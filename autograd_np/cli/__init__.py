"""The command ``autograd-np``: parse, call, print.

Here lives a file a command, which parses its arguments, calls the library and prints; what they share of that (`options`,
`output`, `reading`); what finds functions and inputs in a user's module (`user_file`); and what keeps the command's `nn` apart from a
user's (`which_nn`). What is computed may not live here: it belongs into the library, into `autograd_np.tabular`
or into `autograd_np.demo`. Nothing may import the command line.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import autograd_np as ag
from autograd_np.cli.output import RefusedError, complain
from autograd_np.cli.which_nn import own_nn

own_nn()  # before anything below imports nn
from autograd_np.cli import check, coverage, demo, derive, explore, predict, render, train  # noqa: E402
from autograd_np.tabular.settings import SettingError  # noqa: E402

__all__ = ["app", "main"]

# typer does not export the base of its errors about a call, which is called ClickException.
_CallError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
for _command in (demo.demo, train.train, predict.predict, check.check, explore.explore, render.render, derive.derive, coverage.coverage):
    app.command()(_command)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False) -> None:
    """Automatic differentiation of plain NumPy code: train a small network, check its gradients, draw its graph."""
    if version:
        print(f"autograd-np {ag.__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


def main(args: Sequence[str] | None = None, *, path: Sequence[str] = ()) -> None:
    """Run the command line; every mistake of the caller's is one line on stderr and exit code 2.

    Parameters
    ----------
    args : sequence of str, optional
        Instead of those of the process.
    path : sequence of str, optional
        What a user's file finds on `sys.path` after its own folder, and the command itself does without.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a column name may not exist in the terminal's encoding
    try:
        code = app(args, prog_name="autograd-np", standalone_mode=False, obj=path)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except (ag.DataError, RefusedError) as error:
        code = complain(str(error))
    except SettingError as error:
        code = complain(typer.BadParameter(str(error), param_hint=f"'--{error.setting}'").format_message())
    except _CallError as error:
        code = complain(error.format_message())
    sys.exit(code or 0)
