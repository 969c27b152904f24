"""An nn.py of the user's: the command takes its own, the user's file gets the user's, and a mix-up is told by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np import cli
from autograd_np.__main__ import current_folder

ROOT = Path(ag.__file__).parents[1]
ANOTHER = "raise RuntimeError('taken for the library')\n"
OWN = "def scaled(x):\n    return 2 * x\n"

NET = """
import numpy as np
import nn

print("nn is", nn.__file__)

def forward(W, X):
    Z = W @ X
    return np.sum(nn.scaled(Z))

def backward(W, X):
    dW = 2 * np.ones((len(W), X.shape[1])) @ X.T
    return dW

def inputs():
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(2, 3)), "X": rng.normal(size=(3, 5))}
"""


def python(where: Path, *args: object, path: str = str(ROOT), **more: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env |= {"PYTHONPATH": path, "COLUMNS": "100", **more}
    return subprocess.run([sys.executable, *map(str, args)], cwd=where, env=env, capture_output=True, text=True, timeout=120)


@pytest.fixture
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the command as pip installs it: a file in a folder of its own."""
    path = tmp_path_factory.mktemp("bin") / "autograd-np"
    path.write_text("import sys\nfrom autograd_np.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n")
    return path


@pytest.mark.parametrize("name", ["nn", "data", "rich", "graphviz", "random", "subprocess"])
def test_the_module_takes_nothing_from_the_current_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text(ANOTHER)
    done = python(tmp_path, "-m", "autograd_np", "demo", "--epochs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "all 12 agree" in done.stdout


@pytest.mark.parametrize(
    ("where", "first", "safe", "dropped"),
    [
        ("elsewhere", "elsewhere", False, True),
        ("elsewhere", "", False, True),
        ("elsewhere", "elsewhere", True, False),  # then the user has put it there
        ("elsewhere", "bin", False, False),
        ("elsewhere", "removed", False, False),
        ("home", "home", False, False),  # what stands beside autograd_np may be what it needs
    ],
)
def test_which_entry_the_module_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, first: str, safe: bool, dropped: bool
) -> None:
    folders = {"home": ROOT} | {name: tmp_path / name for name in ("elsewhere", "bin", "removed")}
    for name in ("elsewhere", "bin"):
        folders[name].mkdir()
    monkeypatch.chdir(folders[where])
    entry = str(folders[first]) if first else ""
    monkeypatch.setattr(sys, "path", [entry, *sys.path])
    monkeypatch.setattr(sys, "flags", SimpleNamespace(safe_path=safe))
    before = list(sys.path)
    assert current_folder() == ([entry] if dropped else [])
    assert sys.path == before[dropped:]


@pytest.mark.parametrize("safe", ["option", "environment"])
def test_where_python_adds_no_folder_none_is_dropped(tmp_path: Path, safe: str) -> None:
    for name in ("nn", "numpy", "typing"):
        (tmp_path / f"{name}.py").write_text(ANOTHER)
    options = {"option": {}, "environment": {"PYTHONSAFEPATH": "1"}}[safe]
    done = python(tmp_path, *(["-P"] if safe == "option" else []), "-m", "autograd_np", "demo", "--epochs", "2", **options)
    assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.py").write_text("import sys\nsys.exit(' '.join(sys.path))\n")
    for name in ("numpy", "typing"):
        (tmp_path / f"{name}.py").unlink()
    path = [str(tmp_path), str(ROOT)]  # this one was put there by the user
    done = python(
        tmp_path, *(["-P"] if safe == "option" else []), "-m", "autograd_np", "check", "sub/net.py", path=":".join(path), **options
    )
    assert f"SystemExit: {' '.join([str(tmp_path / 'sub'), *path])} " in done.stderr


def test_the_installed_command(tmp_path: Path, script: Path) -> None:
    for name in ("nn", "data", "numpy", "typing"):
        (tmp_path / f"{name}.py").write_text(ANOTHER)
    done = python(tmp_path, script, "demo", "--epochs", "2")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_folder_on_the_path(tmp_path: Path, script: Path) -> None:
    (tmp_path / "nn.py").write_text(ANOTHER)
    for command in ((script,), ("-m", "autograd_np")):
        done = python(tmp_path, *command, "demo", "--epochs", "2", path=os.pathsep.join([str(tmp_path), str(ROOT)]))
        assert (done.returncode, done.stderr) == (0, "")


def test_in_a_clone_that_is_not_installed(tmp_path: Path) -> None:
    for package in ("autograd_np", "nn"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "net.py").write_text(NET.replace("nn.scaled(Z)", "Z").replace("dW = 2 * ", "dW = "))
    for path in ("", "."):
        done = python(tmp_path, "-m", "autograd_np", "demo", "--epochs", "2", path=path)
        assert (done.returncode, done.stderr) == (0, "")
    done = python(tmp_path, "-m", "autograd_np", "check", "net.py", path="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"nn is {tmp_path / 'nn' / '__init__.py'}\n")


@pytest.mark.parametrize("kind", ["module", "script"])
def test_a_file_gets_the_nn_beside_it(tmp_path: Path, script: Path, kind: str) -> None:
    command = ("-m", "autograd_np") if kind == "module" else (script,)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "nn.py").write_text(OWN)
    (folder / "net.py").write_text(NET)
    for where, file in ((folder, "net.py"), (tmp_path, "mine/net.py")):
        done = python(where, *command, "check", file)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"nn is {folder / 'nn.py'}\n")
        done = python(where, *command, "render", f"{file}:forward", "-o", "net.dot")
        assert (done.returncode, done.stderr) == (0, "")


def test_a_package_of_the_users_in_the_current_folder(tmp_path: Path, script: Path) -> None:
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "__init__.py").write_text("from nn.scaling import scaled\n")
    (tmp_path / "nn" / "scaling.py").write_text(OWN)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "net.py").write_text(NET)
    done = python(tmp_path, "-m", "autograd_np", "check", "sub/net.py")  # Python lets -m import from the current folder
    assert (done.returncode, done.stderr) == (0, "")
    done = python(tmp_path, script, "check", "sub/net.py")  # but not a script from anywhere but its own
    assert done.returncode == 2
    assert done.stderr.endswith(f"; nn is autograd_np's here, not {tmp_path / 'nn'}\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import nn\nlayer = nn.Linear(3, 2)", "net.py:3: AttributeError: module 'nn' has no attribute 'Linear'"),
        ("from nn import Linear", "net.py:2: ImportError: cannot import name 'Linear' from 'nn'"),
        ("import nn.functional", "net.py:2: ModuleNotFoundError: No module named 'nn.functional'"),
        ("import helper", "net.py:2: AttributeError: module 'nn' has no attribute 'Linear'"),
    ],
)
def test_the_wrong_nn_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "nn.py").write_text(OWN)
    (tmp_path / "helper.py").write_text("import nn\n\nclass Net(nn.Linear):\n    pass\n")
    (tmp_path / "net.py").write_text(f"\n{line}\n{NET}")
    done = python(tmp_path, "-m", "autograd_np", "check", "net.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.endswith(f"; nn is {tmp_path / 'nn.py'} here, not autograd_np's\n")
    assert done.stderr.count("\n") == 1


def test_the_wrong_nn_is_named_while_the_file_runs(tmp_path: Path) -> None:
    (tmp_path / "nn.py").write_text(OWN)
    (tmp_path / "net.py").write_text(NET.replace("nn.scaled", "nn.Tanh"))
    for command in (("check", "net.py"), ("render", "net.py:forward", "-o", "net.dot")):
        done = python(tmp_path, "-m", "autograd_np", *command)
        assert done.returncode == 2
        assert "in forward: AttributeError: " in done.stderr
        assert done.stderr.endswith(f"; nn is {tmp_path / 'nn.py'} here, not autograd_np's\n")


def test_the_own_nn_is_named_where_the_file_makes_room_for_another_too_late(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "nn.py").write_text(OWN)
    (tmp_path / "net.py").write_text(f"import sys\nsys.path.append({str(tmp_path / 'src')!r})\n{NET}")
    done = python(tmp_path, "-m", "autograd_np", "check", "net.py")
    assert done.returncode == 2
    assert done.stderr.endswith(f"; nn is autograd_np's here, not {tmp_path / 'src' / 'nn.py'}\n")


def test_a_name_that_nn_does_not_have_is_no_mix_up(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    done = python(tmp_path, "-m", "autograd_np", "check", "net.py")
    assert done.returncode == 2
    assert done.stderr.endswith("AttributeError: module 'nn' has no attribute 'scaled'  [return np.sum(nn.scaled(Z))]\n")


def test_a_file_that_is_called_nn(tmp_path: Path) -> None:
    (tmp_path / "nn.py").write_text(NET.replace("import nn\n\nprint", "import sys\nnn = sys.modules[__name__]\nprint") + OWN)
    done = python(tmp_path, "-m", "autograd_np", "check", "nn.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"nn is {tmp_path / 'nn.py'}\n")


def test_the_commands_nn_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nn.py").write_text(OWN)
    (tmp_path / "net.py").write_text(NET)
    monkeypatch.chdir(tmp_path)
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "nn"}
    path = list(sys.path)
    with pytest.raises(SystemExit) as left:
        cli.main(["check", "net.py"])
    assert left.value.code == 0, capsys.readouterr().err
    assert {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "nn"} == before
    assert sys.modules["nn"] is nn
    assert sys.path == path
    assert float(np.sum(nn.Tanh()(np.zeros(2)).data)) == 0


def test_another_nn_that_was_imported_before_the_command(tmp_path: Path) -> None:
    (tmp_path / "nn.py").write_text(OWN)
    done = python(tmp_path, "-c", "import nn; import autograd_np.cli")
    assert done.returncode == 1
    assert done.stderr.endswith(f"ImportError: nn is {tmp_path / 'nn.py'}, not autograd_np's, which is {ROOT / 'nn'}\n")
