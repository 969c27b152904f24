"""Reports built by hand: a wrong one, a right one, and one of a file on disk."""

from __future__ import annotations

import math
from pathlib import Path

from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck

SOURCE = {
    10: "def backward(X, Y, A2):",
    11: "    m = X.shape[1]",
    12: "    dZ2 = A2 - Y",
    13: "    dW2 = dZ2 @ A1.T  # <b>[bold]no 1/m[/bold]</b>",
    14: "    db2 = np.sum(dZ2) / m",
    15: "    return dW2, db2",
}

NET = """\
import numpy as np


def layer_backward(dZ, A, W):
    dW = dZ @ A.T
    db = np.sum(
        dZ,
        axis=1,
    )
    return W.T @ dZ, dW, db


def backward(X, Y, A1, A2, W2):
    m = X.shape[1]
    dZ2 = A2 - Y
    dA1, dW2, db2 = layer_backward(dZ2 / m, A1, W2)
    dZ1 = dA1 * (1 - A1)
    dW1 = dZ1 @ X.T
    return dW1, dW2, db2
"""


def wrong() -> BackwardReport:
    return BackwardReport(
        verdict="fail",
        gradients={
            "W2": GradientCheck("W2", "dW2", False, 6.0, 6.0, (0, 1), 0.5, 3.5, (1, 3), line=13),
            "b2": GradientCheck("b2", "db2", True, 1e-17, 2e-16, (0,), 1.0, 1.0, (1, 1), line=14),
        },
        lines=[GradientCheck("Z2", "dZ2", True, note="m × ∂L/∂Z2, by convention", line=12)],
        findings=[
            Finding(
                13,
                "dW2",
                "scale",
                "`dW2` is 7 × too large: 1/m is missing (m = 7)",
                factor=7.0,
                source=SOURCE[13].strip(),
                file="net.py",
                expected=0.5,
                actual=3.5,
                worst_index=(0, 1),
            ),
            Finding(
                14, "db2", "shape", "`db2` is a scalar", source=SOURCE[14].strip(), file="net.py", shape_expected=(1, 1), shape_actual=()
            ),
        ],
        conventions=["dZ2 = m × ∂L/∂Z2"],
        adequacy=["m = 1 hides a missing 1/m"],
        arbitration=["engine and numeric agree, the hand is off"],
        source_lines=SOURCE,
        file="net.py",
        seconds=0.25,
        draws=3,
    )


def right() -> BackwardReport:
    return BackwardReport(verdict="pass", gradients={"W": GradientCheck("W", "dW", True, shape=(2,))}, file="net.py")


def on_disk(folder: Path, text: str = NET) -> BackwardReport:
    """Write a file and return a report on it: a statement over four lines in a helper, and a line with consequences."""
    file = folder / "net.py"
    file.write_bytes(text.encode())
    lines = dict(enumerate(text.replace("\r\n", "\n").split("\n"), 1))
    findings = [
        Finding(
            6,
            "db",
            "shape",
            "`db` has the right numbers in shape (3,): `keepdims=True` is missing",
            source=lines[6].strip(),
            function="layer_backward",
            file=str(file),
            shape_expected=(3, 1),
            shape_actual=(3,),
            end_line=9,
            fix="    db = np.sum(\n        dZ,\n        axis=1,\n        keepdims=True,\n    )",
            call=f"{file}:16: dA1, dW2, db2 = layer_backward(dZ2 / m, A1, W2)",
        ),
        Finding(
            17,
            "dZ1",
            "missing-factor",
            "`A1` should be squared",
            source=lines[17].strip(),
            function="backward",
            file=str(file),
            expected=-0.5,
            actual=math.inf,
            fix="    dZ1 = dA1 * (1 - A1**2)",
            consequences=["dW1 (line 18)"],
        ),
    ]
    return BackwardReport(
        verdict="fail",
        gradients={
            "W1": GradientCheck("W1", "dW1", False, 6.0, 6.0, (0, 1), 0.5, 3.5, (3, 2), line=18),
            "W2": GradientCheck("W2", "dW2", True, 1e-17, 2e-16, (0,), 1.0, 1.0, (1, 3)),
            "b2": GradientCheck("b2", "db2", False, shape=(3,)),
        },
        findings=findings,
        unjudged=["dA0: pairs with no variable of forward"],
        readings=["`top_diff` is taken as the upstream gradient of `out`"],
        source_lines={n: t for n, t in lines.items() if n >= 13},
        sources={str(file): lines},
        file=str(file),
    )
