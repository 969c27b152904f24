"""``autograd-np check``: a hand-written backward pass, line by line."""

from __future__ import annotations

import contextlib
import enum
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TextIO

import numpy as np
import typer

from autograd_np import errors
from autograd_np.check.tell.formats import as_github
from autograd_np.check.tell.patch import Change, unified, write
from autograd_np.check.tell.places import file_shown
from autograd_np.check.tell.report import BackwardReport
from autograd_np.cli.output import console, refuse, say, to_json
from autograd_np.cli.user_file import blamed_on, checker, forget, importable, inputs_of, user_module

__all__ = ["check"]

VERDICTS = {"pass": 0, "fail": 1, "inconclusive": 3}


class Format(enum.StrEnum):
    """How the report is printed."""

    text = "text"
    json = "json"
    github = "github"
    sarif = "sarif"


def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.py", help="Defines forward, backward, inputs and, if need be, loss.")],
    forward: Annotated[str, typer.Option(metavar="NAME", help="The forward pass: a name, or a path such as model.loss.")] = "forward",
    backward: Annotated[str, typer.Option(metavar="NAME", help="The hand-written backward pass.")] = "backward",
    loss: Annotated[str | None, typer.Option(metavar="NAME", help="The loss; 'loss', if the file defines it.")] = None,
    inputs: Annotated[Path | None, typer.Option(metavar="FILE.npz", help="Arrays by name, instead of the file's inputs().")] = None,
    wrt: Annotated[str | None, typer.Option(metavar="NAMES", help="Judge only the gradients of these, with commas between.")] = None,
    names: Annotated[
        list[str] | None, typer.Option(metavar="GRADIENT=VARIABLE", help="Whose gradient it is, where no name tells; repeatable.")
    ] = None,
    draws: Annotated[int | None, typer.Option(min=0, help="How many further points to check.")] = None,
    tolerance: Annotated[float | None, typer.Option(help="Largest relative error.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the draws.")] = None,
    seconds: Annotated[float | None, typer.Option(help="For explanations, once the verdict is known.")] = None,
    dtype: Annotated[str | None, typer.Option(metavar="DTYPE", help="In which the inputs are checked; float64 unless asked.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the report.")] = Format.text,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print nothing but the verified fixes, as a patch.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Write the verified fixes into the files, after asking, and check again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
    explore: Annotated[
        Path | None, typer.Option("--explore", metavar="PAGE.html", help="Write a page to step through forward and this backward pass.")
    ] = None,
) -> None:
    """Check a hand-written backward pass line by line. Exit code: 0 right, 1 wrong, 2 unusable, 3 inconclusive."""
    form = Format.json if as_json else form
    if diff and (fix or form is not Format.text):
        raise refuse("--diff prints the patch and nothing else; leave out --fix, --format and --json")
    if yes and not fix:
        raise refuse("--yes answers what --fix asks; it means nothing without --fix")
    given = {"draws": draws, "tolerance": tolerance, "seed": seed, "seconds": seconds, "dtype": _dtype(dtype)}
    options = {name: value for name, value in given.items() if value is not None}
    if wrt is not None:
        options["wrt"] = _parts(wrt)
    if names:
        options["names"] = _pairs(names)
    request = _Request(file, forward, backward, loss, inputs, options, context.obj)
    out = sys.stdout
    quiet = diff or form is not Format.text
    with contextlib.redirect_stdout(sys.stderr) if quiet else contextlib.nullcontext():  # what the file prints must not get between
        read, modules = request.bytes(), set(sys.modules)
        report = request.run()
        if fix:
            if not quiet:
                console().print(report)
            if _fixed(report, request, read, ask=not yes):
                forget(file, modules)
                report = request.run()
            elif not quiet:
                raise typer.Exit(VERDICTS[report.verdict])
    _print(report, form, diff, out)
    if explore is not None:
        _explore(report, explore)
    raise typer.Exit(VERDICTS[report.verdict])


# --- the call -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Request:
    """What is to be checked, and how."""

    file: Path
    forward: str
    backward: str
    loss: str | None
    inputs: Path | None
    options: dict[str, Any]
    path: Sequence[str]

    def bytes(self) -> bytes:
        """Return what the file holds; nothing if it cannot be read, which `run` says."""
        try:
            return self.file.read_bytes()
        except OSError:
            return b""

    def run(self) -> BackwardReport:
        """Execute the file and check what it defines."""
        with importable(self.file.resolve().parent, self.path):
            module = user_module(self.file)
            check = checker(module, self.file, self.forward, self.backward, self.loss)
            given = inputs_of(module, self.file, self.inputs)
            with blamed_on(self.file):
                return check(given, **self.options)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in (part for t in texts for part in _parts(t)):
        gradient, equals, variable = (part.strip() for part in text.partition("="))
        if not (gradient and equals and variable):
            raise refuse(f"--names {text} should be GRADIENT=VARIABLE, such as --names delta2=Z2")
        pairs[gradient] = variable
    return pairs


def _dtype(name: str | None) -> Any:
    if name is None:
        return None
    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = np.dtype(bool)
    if dtype.kind != "f":
        raise refuse(f"--dtype {name} is no type of real numbers; take float64 or float32")
    return dtype


# --- what comes out -------------------------------------------------------------------------------


def _print(report: BackwardReport, form: Format, diff: bool, out: TextIO) -> None:
    if diff:
        changes, left_out = report.changes()
        patch = unified(changes, left_out)
        say(patch, out, end="") if out.isatty() else print(patch, end="", file=out)  # whoever applies it needs every byte
        if not changes and not report.ok:
            _say(f"no verified fix: {report.summary()}")
    elif form is Format.json:
        print(to_json(report.to_dict()), file=out)
    elif form is Format.sarif:
        print(to_json(report.to_sarif()), file=out)
    elif form is Format.github:
        say("\n".join(text for text in (as_github(report), report.headline()) if text), out)
    else:
        console().print(report)


def _explore(report: BackwardReport, page: Path) -> None:
    try:
        report.explore(page)
    except OSError as error:
        raise refuse(f"cannot write {page}: {error.strerror}") from None
    except errors.AutogradError as error:
        raise refuse(str(error)) from None
    _say(f"{page} steps through it")


def _fixed(report: BackwardReport, request: _Request, read: bytes, *, ask: bool) -> bool:
    """Write the fixes into the files; return whether that was done."""
    changes, left_out = report.changes()
    changes = [change for change in changes if change.encoding]  # a file on disk
    for text in left_out:
        _say(f"left out: {text}")
    if not changes:
        if left_out:
            raise refuse("nothing was written")
        _say("there is nothing to fix" if report.ok else "there is no verified fix")
        return False
    if request.bytes() != read:
        raise refuse(f"{request.file} has changed since it was read; nothing was written")
    if ask and not _agreed(changes):
        _say("nothing was written")
        return False
    for i, change in enumerate(changes):
        try:
            write(change)
        except OSError as error:
            written = f"; {', '.join(file_shown(c.file) for c in changes[:i])} was" if i else ""
            raise refuse(f"{file_shown(change.file)} was not written: {error.strerror}{written}") from None
    return True


def _agreed(changes: Sequence[Change]) -> bool:
    """Show the patch and ask, on stderr; no answer is no."""
    say(unified(changes), sys.stderr, end="")
    say(f"Write this into {', '.join(file_shown(change.file) for change in changes)}? [y/N] ", sys.stderr, end="")
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        print(file=sys.stderr)
    return answer.strip().lower() in ("y", "yes")


def _say(text: str) -> None:
    say(f"autograd-np: {text}", sys.stderr)
