"""The report of a training: one file that opens in a browser, asks the network for nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

import nn
from autograd_np.tabular.charts import curves, text, true_against_predicted
from autograd_np.tabular.figures import ClassFigures, Figures, NumberFigures
from autograd_np.tabular.network import Model
from autograd_np.tabular.telling import about, figures_of, parameters_of
from autograd_np.tabular.training import Prepared, Trained, loss_of

__all__ = ["draw_graph", "report"]

MOST_CLASSES = 30
"""So large a confusion matrix can be read."""

SAMPLES = 4
"""On so many samples the network is drawn."""


def draw_graph(prepared: Prepared, path: Path) -> str:
    """Draw how the loss is computed, on a few samples, as an SVG file; return its text."""
    x, y = prepared.parts["train"].batch(np.arange(min(SAMPLES, len(prepared.parts["train"]))))
    _WithLoss(prepared.model, y).graph(x).render(path)
    return path.read_text("utf-8")


class _WithLoss(nn.Module):
    """A network and its loss, so that they are drawn together."""

    def __init__(self, model: Model, target: Any) -> None:
        self.network, self.loss, self.target = model.network, loss_of(model), target

    def forward(self, features: Any) -> Any:
        prediction = self.network(features)
        loss = self.loss(prediction, self.target)
        return loss


def report(prepared: Prepared, trained: Trained, graph: str, command: Sequence[str], version: str) -> str:
    """Return the page.

    Parameters
    ----------
    prepared, trained
        What was trained, and how that went.
    graph : str
        An SVG element, from `draw_graph`.
    command : sequence of str
        Program and arguments that made it.
    version : str
        Of the program.

    Returns
    -------
    str
        HTML whose policy forbids everything but its own style sheets.
    """
    model = prepared.model
    part, figures = list(trained.figures.items())[-1]
    sections = [
        ("", "".join(_figures(prepared, name, of, name == part) for name, of in trained.figures.items())),
        ("What was trained", _table((), about(prepared))),
        ("Curves", _curves(trained)),
        *(_classes(model, part, figures) if isinstance(figures, ClassFigures) else _numbers(model, part, figures)),
        ("Parameters", _parameters(prepared)),
        ("How the loss is computed", f'<div class="wide graph">{graph}</div>'),
        ("Made by", _origin(prepared, command, version)),
    ]
    title = f"{model.target} from {prepared.table.title}"
    body = "".join(f"<section>{f'<h2>{text(name)}</h2>' if name else ''}{content}</section>" for name, content in sections)
    style = resources.files(__package__).joinpath("page.css").read_text("utf-8").replace("\r\n", "\n")
    styles = [style, *(e.text or "" for e in ET.fromstring(graph).iter("{http://www.w3.org/2000/svg}style"))]  # noqa: S314 (own drawing)
    policy = f"default-src 'none'; style-src {' '.join(map(_hash, styles))}; base-uri 'none'; form-action 'none'"
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n<title>{text(title)}</title>\n<style>{style}</style>'
    )
    main = f"<main>\n<h1>{text(title)}</h1>\n{body}\n</main>"
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{main}\n</body>\n</html>\n'


def _figures(prepared: Prepared, part: str, figures: Figures, is_last: bool) -> str:
    kind = "key" if is_last else ""
    return f'<p class="{kind}">{text(figures_of(prepared, part, figures))}</p>'


def _curves(trained: Trained) -> str:
    history = trained.history
    numbers = history.numbers()
    losses = {"training": numbers.pop("loss", [])} | ({"validation": numbers.pop("val_loss")} if "val_loss" in numbers else {})
    charts = [curves("loss", losses)]
    for name, values in numbers.items():
        charts.append(curves(name.removeprefix("val_"), {"validation" if name.startswith("val_") else "training": values}))
    length = f"{len(history)} epoch{'s' * (len(history) != 1)}"
    ended = f"; it ended early: {history.stopped}" if history.stopped else ""
    told = (
        f"The training took {length}{ended}. The training's loss is the mean over the epoch's batches, "
        f"the validation's is computed after it."
    )
    return f'<div class="row">{"".join(charts)}</div><p class="soft">{text(told)}</p>'


def _classes(model: Model, part: str, figures: ClassFigures) -> list[tuple[str, str]]:
    rows = zip(model.classes, figures.confusion.sum(axis=1).tolist(), figures.scores().tolist(), strict=True)
    scores = [(name, f"{n:,}", *(f"{score:.3f}" for score in of_class)) for name, n, of_class in rows]
    return [
        (f"Confusion on the {figures.samples:,} {part} samples", _confusion(model.classes, figures)),
        ("Each class", _table((model.target, "samples", "precision", "recall", "F1"), scores)),
    ]


def _numbers(model: Model, part: str, figures: NumberFigures) -> list[tuple[str, str]]:
    told = f"{len(figures.points):,} of the {figures.samples:,} {part} samples; on the dashed line a prediction is right."
    return [("Predicted against true", f'{true_against_predicted(figures.points, model.target)}<p class="soft">{told}</p>')]


def _parameters(prepared: Prepared) -> str:
    rows = [(name, shape, f"{n:,}", *(f"{v:.4g}" for v in values)) for name, shape, n, *values in parameters_of(prepared)]
    return _table(("name", "shape", "numbers", "mean", "standard deviation", "least", "largest"), rows)


def _origin(prepared: Prepared, command: Sequence[str], version: str) -> str:
    versions = f"autograd-np {version}, NumPy {np.__version__}, seed {prepared.settings.seed}"
    return (
        f'<pre>{text(shlex.join(command), longest=10_000)}</pre><p class="soft">{versions}; sha256 of the rows {prepared.table.digest}</p>'
    )


def _confusion(classes: Sequence[str], figures: ClassFigures) -> str:
    """Return a table; of too many classes, the pairs that are mistaken most often."""
    counts = figures.confusion
    if len(classes) > MOST_CLASSES:
        wrong = counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CLASSES]
        pairs = [(classes[i], classes[j], int(wrong[i, j])) for i, j in (divmod(int(k), len(classes)) for k in order) if wrong[i, j]]
        return f"<p>The most frequent mistakes among {len(classes)} classes.</p>" + _table(("true", "predicted", "samples"), pairs)
    rows = []
    for i, name in enumerate(classes):
        share = counts[i] / max(1, counts[i].sum())
        shades = np.minimum(3, np.ceil(share * 3)).astype(int)
        cells = "".join(f'<td class="{"r" if i == j else "w"}{shades[j]}">{count}</td>' for j, count in enumerate(counts[i].tolist()))
        rows.append(f'<tr><th scope="row">{text(name)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in classes)
    table = f"<thead><tr><th>true \\ predicted</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return (
        '<p class="soft">A row for each true class, a column for each predicted one; blue is right, orange is wrong.</p>'
        f'<div class="wide"><table class="confusion">{table}</table></div>'
    )


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; all columns but the first are numbers, where the columns have names."""
    kind = ' class="n"'
    head = "".join(f"<th{kind * (i > 0)}>{text(name)}</th>" for i, name in enumerate(names))
    body = []
    for first, *rest in rows:
        cells = "".join(f"<td{kind * bool(names)}>{text(cell)}</td>" for cell in rest)
        body.append(f'<tr><th scope="row">{text(first)}</th>{cells}</tr>')
    return f'<div class="wide"><table>{f"<thead><tr>{head}</tr></thead>" if names else ""}<tbody>{"".join(body)}</tbody></table></div>'


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
