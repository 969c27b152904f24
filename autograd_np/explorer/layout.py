"""Positions for the explorer: by Graphviz, and for graphs that would take it long by a simple layered layout."""

from __future__ import annotations

import math
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Set
from typing import Any

from autograd_np import errors
from autograd_np.explorer.arrays import label
from autograd_np.render.engine import draw
from autograd_np.render.fit import Room, too_much
from autograd_np.render.parts import Net

__all__ = ["at_first", "place", "size"]

GRAPHVIZ_LIMIT = 700
"""Nodes and edges Graphviz lays out in about a second; above, the cost grows faster than the graph."""
GAP_X, GAP_Y = 26, 22
HEIGHT, LOW, CLOSED, WIDEST = 66, 52, 46, 266
"""Of boxes, of those without a name, and of closed frames; and how wide a box may be."""
SMALL = 60
"""Boxes that are shown open, on more than a screen if need be: stepping keeps the active one in sight."""
CANVAS = Room(980, 1120, (125, HEIGHT), (200, CLOSED), (GAP_X, GAP_Y), turned=False)
"""What can be read beside the other panes of a page of 1280 × 800 pixels: the drawing is shown there at 0.55 of its size."""
DRAWN = (940, 1121)
"""The same for a drawing that was made, with its frames: what is beside it is left free."""
FRAME = 14
SHARES = (1.15, 1.0, 0.9, 0.8, 0.65, 0.5)
SVG = "{http://www.w3.org/2000/svg}"


def size(nodes: list[dict[str, Any]], modules: list[dict[str, Any]]) -> None:
    """Give every box the room its text needs (``w h``)."""
    for node in nodes:
        name = "" if node.get("expressed") else node.get("short", node["name"])
        lines = ((name, 10.4), (node.get("boxed", node.get("formula", "")), 8.0), (node["shape"], 7.6))
        node["w"] = round(min(max(max(_width(text) * wide for text, wide in lines) + 26, 96), WIDEST))
        node["h"] = LOW if node.get("expressed") else HEIGHT
    for module in modules:
        module["w"], module["h"] = min(max(_width(module["title"]) * 9 + 50, 140), 260), CLOSED


def place(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], modules: list[dict[str, Any]]) -> bool:
    """Give every box its centre (``x y``) and, where Graphviz drew it, every edge its points; return whether it did."""
    if len(nodes) + len(edges) <= GRAPHVIZ_LIMIT:
        try:
            _by_graphviz(nodes, edges, modules)
        except errors.RenderError:
            pass
        else:
            return True
    _by_layers(nodes, edges)
    return False


def at_first(
    net: Net, nodes: list[dict[str, Any]], edges: list[dict[str, Any]], modules: list[dict[str, Any]]
) -> tuple[set[str], dict[str, Any] | None]:
    """Return the paths of the frames that are closed at first, with all inside, and the layout of that.

    Closed is what is repeated, and what a screen has no room for: by a rough measure, and where the drawing is larger than that said, by
    a stricter one.
    """
    found: list[tuple[set[str], dict[str, Any] | None]] = []
    for share in SHARES:
        closed = _shut(net, nodes, modules, share)
        if not found or closed != found[-1][0]:
            found.append((closed, fold(nodes, edges, modules, closed)))
            if len(net.parts) <= SMALL or not closed or _fits(found[-1][1], nodes, modules):
                return found[-1]
    return found[-1]


def _fits(folded: dict[str, Any] | None, nodes: list[dict[str, Any]], modules: list[dict[str, Any]]) -> bool:
    """Whether a drawing with closed frames can be read on a page of 1280 × 800 pixels."""
    if folded is None:
        return False
    parent = {module["path"]: module["parent"] for module in modules}
    size = {node["id"]: (node["w"], node["h"], node["module"]) for node in nodes}
    size |= {module["path"]: (module["w"], module["h"], module["parent"]) for module in modules}
    sides = [-math.inf] * 4
    for name, (x, y) in folded["boxes"].items():
        w, h, path = size[name]
        frames = 0
        while path:
            frames, path = frames + 1, parent[path]
        room = FRAME * frames
        sides = [max(a, b) for a, b in zip(sides, (w / 2 + room - x, x + w / 2 + room, h / 2 + room - y, y + h / 2 + room), strict=True)]
    return sides[0] + sides[1] <= DRAWN[0] and sides[2] + sides[3] <= DRAWN[1]


def _shut(net: Net, nodes: list[dict[str, Any]], modules: list[dict[str, Any]], share: float) -> set[str]:
    sizes = {node["id"]: (node["w"], node["h"]) for node in nodes} | {module["path"]: (module["w"], module["h"]) for module in modules}
    closed = {frame for frame in net.frames() if frame.folded}
    if len(net.parts) > SMALL:
        closed = too_much(net, closed, CANVAS._replace(width=CANVAS.width * share, height=CANVAS.height * share, sizes=sizes))
    return {label(frame.path) for frame in net.frames() if not closed.isdisjoint(frame.around())}


def fold(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]], modules: list[dict[str, Any]], closed: Set[str]
) -> dict[str, Any] | None:
    """Lay the graph out once more with some frames as one box each.

    If none is closed at first, these are the outermost, or what is in a single outermost one.
    """
    parent = {module["path"]: module["parent"] for module in modules}
    top = [path for path in parent if not parent[path]]
    closed = closed or {path for path in parent if parent[path] in top and len(top) == 1} or {*top}
    if not closed:
        return None

    def outermost(path: str) -> str:
        """Return the outermost closed frame that a path is in."""
        found = ""
        while path:
            found = path if path in closed else found
            path = parent[path]
        return found

    numbered = {module["path"]: {**module, "id": f"m{i}", "module": module["parent"], "kind": "group"} for i, module in enumerate(modules)}
    at = {node["id"]: numbered[hidden] if (hidden := outermost(node["module"])) else {**node} for node in nodes}
    boxes = {box["id"]: box for box in at.values()}
    pairs = dict.fromkeys((at[e["from"]]["id"], at[e["to"]]["id"]) for e in edges)
    lines: list[dict[str, Any]] = [{"from": a, "to": b} for a, b in pairs if a != b]
    if not place(list(boxes.values()), lines, [m for m in modules if not outermost(m["path"])]):
        return None
    ids = {box["id"]: box["path"] for box in boxes.values() if "path" in box}
    return {
        "closed": [path for path in parent if path in closed],
        "boxes": {ids.get(i, i): [box["x"], box["y"]] for i, box in boxes.items()},
        "edges": [[ids.get(e["from"], e["from"]), ids.get(e["to"], e["to"]), e["p"]] for e in lines],
    }


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text[:60])


# --- Graphviz -------------------------------------------------------------------------------------


def _by_graphviz(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], modules: list[dict[str, Any]]) -> None:
    """Lay out boxes without text, named by number: nothing of the user's reaches Graphviz."""
    number = {node["id"]: f"v{i}" for i, node in enumerate(nodes)}
    inside: dict[str, list[str]] = {"": [], **{module["path"]: [] for module in modules}}
    for node in nodes:
        inside[node["module"]].append(f"{number[node['id']]} [width={node['w'] / 72:.4f} height={node['h'] / 72:.4f}]")
    for i, module in reversed(list(enumerate(modules))):  # the outermost come first
        inside[module["parent"]] += [f"subgraph cluster_{i} {{ margin=22", *inside[module["path"]], "}"]
    lines = [
        "digraph {",
        f"graph [nodesep={GAP_X / 72:.3f} ranksep={GAP_Y / 72:.3f}]",
        'node [shape=box label="" fixedsize=true]',
        "edge [arrowhead=none]",
    ]
    lines += inside[""]
    lines += [f"{number[edge['from']]} -> {number[edge['to']]} [id=e{i}]" for i, edge in enumerate(edges)]
    drawing = ET.fromstring(draw("\n".join([*lines, "}"])))  # noqa: S314 (Graphviz wrote it)
    by_number = {number[node["id"]]: node for node in nodes}
    for group in drawing.iter(f"{SVG}g"):
        kind = group.get("class")
        if kind == "node":
            corners = _points(group.find(f"{SVG}polygon"), "points")
            node = by_number[group.findtext(f"{SVG}title") or ""]
            xs, ys = corners[::2], corners[1::2]
            node["x"], node["y"] = round((min(xs) + max(xs)) / 2, 1), round((min(ys) + max(ys)) / 2, 1)
        elif kind == "edge":
            edges[int((group.get("id") or "")[1:])]["p"] = _points(group.find(f"{SVG}path"), "d")


def _points(element: ET.Element | None, attribute: str) -> list[float]:
    text = "" if element is None else element.get(attribute, "")
    return [float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", text)]


# --- layers ---------------------------------------------------------------------------------------


def _by_layers(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> None:
    """Put every node below its operands, near the mean of their positions. Linear but for sorting each layer."""
    at = {node["id"]: i for i, node in enumerate(nodes)}
    parents: list[list[int]] = [[] for _ in nodes]
    children: list[list[int]] = [[] for _ in nodes]
    for edge in edges:
        parents[at[edge["to"]]].append(at[edge["from"]])
        children[at[edge["from"]]].append(at[edge["to"]])
    layer = [0] * len(nodes)
    for i in range(len(nodes)):  # nodes come in topological order, constants first
        layer[i] = max((layer[p] + 1 for p in parents[i]), default=0)
    for i, node in enumerate(nodes):  # leaves go where they are first used
        if node["kind"] != "operation" and children[i]:
            layer[i] = max(min(layer[c] for c in children[i]) - 1, 0)
    layers: list[list[int]] = [[] for _ in range(max(layer, default=0) + 1)]
    for i, depth in enumerate(layer):
        layers[depth].append(i)
    position = [0.0] * len(nodes)
    for depth, members in enumerate(layers):
        wish = {i: _mean([position[p] for p in parents[i] if layer[p] < depth]) for i in members}
        members.sort(key=lambda i: (nodes[i]["module"], wish[i] if wish[i] is not None else 1e9, i))
        width = sum(nodes[i]["w"] + GAP_X for i in members)
        middle = _mean([w for w in wish.values() if w is not None])
        x = (middle or 0.0) - width / 2
        for i in members:
            x += (nodes[i]["w"] + GAP_X) / 2
            position[i] = x
            nodes[i]["x"], nodes[i]["y"] = round(x, 1), depth * (HEIGHT + GAP_Y)
            x += (nodes[i]["w"] + GAP_X) / 2


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
