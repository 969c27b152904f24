"""One run after the other: of many wishes the newest counts, and a script shows a page until ctrl-c."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.live.session import Program, program_of

pytest.importorskip("websockets")
pytest.importorskip("watchfiles")

SCRIPT = """
import numpy as np
import autograd_np as ag

ag.trace(lambda x: np.sum(x * x), np.ones(3)).explore(live=True, open=False)
print("and on it goes")
"""


def test_of_many_changes_of_one_number_the_last_counts_and_one_run_is_made() -> None:
    from autograd_np.live.serving import _Work

    runs: list[Any] = []

    def f(W: Any) -> Any:
        runs.append(1)
        return np.sum(W * W)

    told: list[dict[str, Any]] = []

    def load() -> Program:
        return program_of(ag.trace(f, np.ones(2)))

    work = _Work(load, "f", lambda _: None)
    work._thread = threading.Thread()  # which nothing interrupts
    work.told = lambda message: told.append(json.loads(message))
    work._do(*work._next())
    assert work.session is not None
    before = len(runs)
    work.wish({"edit": ["W", 1, "9"]})
    work._do(*work._next())
    each = len(runs) - before
    for i in range(100):
        work.wish({"edit": ["W", 0, str(i)]})
    for nothing in ({}, {"edit": "W"}, {"edit": ["W", "0", "1"]}, {"edit": ["W", True, "1"]}, {"other": 1}):
        work.wish(nothing)
    work._do(*work._next())
    assert len(runs) - before == 2 * each
    assert {(c.at, c.value) for c in work.session.changes.values()} == {(0, 99.0), (1, 9.0)}
    work.wish({"edit": ["W", 0, "5"]})
    work.wish({"reset": True})  # after which the edit before it means nothing
    work._do(*work._next())
    assert not work.session.changes
    assert told[-1]["changed"] == 0
    assert "title" not in told[-1]  # what has not changed is not sent again


@contextlib.contextmanager
def started(folder: Path, text: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    """Run a script; yields the process and its output."""
    script = folder / "script.py"
    script.write_text(text)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def test_a_script_shows_a_page_until_ctrl_c_and_goes_on(tmp_path: Path) -> None:
    with started(tmp_path, SCRIPT) as (process, out):
        assert out.readline().startswith("http://127.0.0.1:")
        assert out.readline() == "ctrl-c ends it.\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("and on it goes\n", "")


STUBBORN = """
import time
import numpy as np
import autograd_np as ag

times = 0

def f(x):
    global times
    times += 1
    while times > 1:
        try:
            print("goes on", flush=True)
            time.sleep(1000)
        except BaseException:
            pass
    return np.sum(x * x)

ag.trace(f, np.ones(3)).explore(live=True, open=False)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_the_third_ctrl_c_ends_code_that_catches_whatever_is_raised(tmp_path: Path) -> None:
    with started(tmp_path, STUBBORN) as (process, out):
        lines = iter(out.readline, "")
        assert "goes on\n" in lines
        for _ in range(2):
            time.sleep(0.1)  # or it is not asleep yet
            process.send_signal(signal.SIGINT)
            assert next(lines) == "goes on\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == -signal.SIGINT
