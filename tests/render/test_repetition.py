"""What is repeated: loops, calls, modules and heads are found, counted, closed without circles, and opened to what they were."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_np as ag
import nn
from autograd_np.explorer.explore import data_of
from autograd_np.render import describe
from autograd_np.render.collapse import close
from autograd_np.render.drawing import Drawing
from autograd_np.render.frames import Frame
from autograd_np.render.net import net_of
from autograd_np.render.parts import Net

sys.path.insert(0, str(Path(__file__).parents[1] / "derivations"))
import programs

GOLDEN = Path(__file__).parent / "golden"
W, U, B = np.eye(3), np.full((3, 3), 0.1), np.zeros(3)


def boxes(graph: ag.Graph, **options: Any) -> list[str]:
    """Return what the boxes are called, but for leaves."""
    return [node.name or node.op for node in describe(graph, depth=None, **options).nodes if node.op or node.kind == "group"]


def titles(graph: ag.Graph, **options: Any) -> list[str]:
    return [cluster.title for cluster in describe(graph, depth=None, **options).clusters]


# --- what is found


def test_turns_of_a_loop_are_the_first_the_last_and_one_box() -> None:
    def rnn(xs: Any, W: Any, U: Any) -> Any:
        h = np.zeros(3)
        for t in range(20):
            z = xs[t] @ W + h @ U
            h = np.tanh(z)
        return np.sum(h)

    graph = ag.trace(rnn, np.ones((20, 3)), W, U)
    assert boxes(graph) == [
        *("xs[0]", "matmul", "matmul", "z", "h"),
        "turns 2 … 19 ×18",
        *("xs[19]", "matmul", "matmul", "z_20", "h_20"),
        "sum",
    ]
    assert titles(graph) == ["turn 1 of 20", "turn 20 of 20"]
    [group] = [node for node in describe(graph).nodes if node.kind == "group" and "×" in node.name]
    assert (group.op, group.size) == ("matmul ×2, getitem, add, tanh", 90)


def cell(x: Any, h: Any) -> Any:
    z = x @ W + h @ U
    return np.tanh(z)


def test_calls_of_a_function_are_frames_with_its_name() -> None:
    def rnn(h: Any, xs: Any) -> Any:
        for x in xs:
            h = cell(x, h)
        return np.sum(h)

    graph = ag.trace(rnn, B, [np.ones(3)] * 5)
    drawing = describe(graph, depth=None)
    assert [node.name for node in drawing.nodes if node.kind == "group"] == ["cell ×3"]
    assert [(c.title, c.kind) for c in drawing.clusters] == [("cell", "call")] * 2
    assert [node.short for node in drawing.nodes if node.module == "cell()"] == ["xs[0]", "", "", "z", "h_2"]
    first = describe(ag.trace(lambda x: np.sum(cell(cell(x, B), B)), np.ones(3)))
    assert [cluster.path for cluster in first.clusters] == ["cell()", "cell() #2"]
    assert [node.short for node in first.nodes if node.short.startswith("z")] == ["z", "z_2"]


def test_calls_in_calls_are_frames_in_frames_and_recursion_is_drawn() -> None:
    def power(x: Any, n: int) -> Any:
        return x if n == 0 else power(x, n - 1) * x

    def both(x: Any) -> Any:
        return np.tanh(power(x, 3))

    drawing = describe(ag.trace(lambda x: both(x), np.ones(2)))
    assert [(c.title, c.parent) for c in drawing.clusters] == [
        ("both", ""),
        ("power", "both()"),
        ("power", "power()"),
        ("power", "power() #2"),
    ]
    deep = ag.trace(lambda x: power(x, 300), np.ones(2))
    assert len(describe(deep, depth=None, repeats=False).nodes) == len(deep)


class Heads(nn.Module):
    def __init__(self, d: int, rng: Any) -> None:
        self.q, self.o, self.norm = nn.Linear(d, d, rng=rng), nn.Linear(d, d, rng=rng), nn.LayerNorm(d)

    def forward(self, x: Any) -> Any:
        q = self.q(self.norm(x))
        found = []
        for i in range(8):
            s = ag.softmax(q[:, i : i + 1] @ q[:, i : i + 1].T)
            found.append(s @ x)
        return x + self.o(sum(found))


class Layers(nn.Module):
    def __init__(self, n: int) -> None:
        self.layers = [Heads(8, rng=i) for i in range(n)]

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x


def test_heads_in_layers_are_repetitions_in_a_repetition() -> None:
    graph = Layers(12).graph(np.ones((4, 8)))
    assert titles(graph)[0] == "layers[0] · Heads"
    assert [name for name in boxes(graph) if "×" in name] == [
        "turns 2 … 7 ×6",
        "add ×5",
        "layers[1 … 10] · Heads ×10",
        "turns 2 … 7 ×6",
        "add ×5",
    ]
    opened = Counter(cluster.kind for cluster in describe(graph, depth=None, repeats="open", max_nodes=10_000).clusters)
    assert opened == {"module": 12 * 4, "turn": 12 * 8, "turns": 12 * 2 + 1}


def test_nested_loops_without_functions() -> None:
    def f(x: Any) -> Any:
        for _ in range(6):
            y = x
            for _ in range(4):
                y = np.sin(y) * W[0]
                y = y + x
            x = np.tanh(x + y)
        return np.sum(x)

    graph = ag.trace(f, np.ones(3))
    assert titles(graph) == ["turn 1 of 6", "turn 1 of 4", "turn 4 of 4", "turn 6 of 6", "turn 1 of 4", "turn 4 of 4"]
    assert [name for name in boxes(graph) if "×" in name] == ["turns 2 … 3 ×2", "turns 2 … 5 ×4", "turns 2 … 3 ×2"]


def test_a_loop_in_a_loop_that_starts_anew_is_cut_where_it_does() -> None:
    def two_layers(start: Any, xs: Any) -> Any:
        for _ in range(3):
            h = start
            ys = []
            for x in xs:
                h = np.tanh(x @ W + h @ U)
                ys.append(h)
            xs = ys
        return np.sum(h)

    graph = ag.trace(two_layers, B, [np.ones(3)] * 10)
    assert titles(graph)[:3] == ["turn 1 of 3", "turn 1 of 10", "turn 10 of 10"]
    [middle, between, end] = [name for name in boxes(graph) if "×" in name or name == "turn 2 of 3"]
    assert (middle, between, end) == ("turns 2 … 9 ×8", "turn 2 of 3", "turns 2 … 9 ×8")


def test_loops_whose_length_varies_are_no_turns_of_one_another() -> None:
    def f(x: Any) -> Any:
        for n in (3, 4, 5, 6):
            for _ in range(n):
                x = np.sin(x) * 2
        return np.sum(x)

    graph = ag.trace(f, np.ones(3))
    assert titles(graph) == ["turn 1 of 18", "turn 18 of 18"]  # nothing tells where one loop ends

    def g(x: Any) -> Any:
        for n in (3, 4, 5, 6):
            for _ in range(n):
                x = np.sin(x) * 2
            x = np.sort(x)
        return np.sum(x)

    assert [title for title in titles(ag.trace(g, np.ones(3))) if title.startswith("turn 1")] == [f"turn 1 of {n}" for n in (3, 4, 5, 6)]


def test_both_directions_of_an_rnn() -> None:
    def f(start: Any, xs: Any) -> Any:
        there, back = [start], [start]
        for t in range(6):
            there.append(np.tanh(xs[t] + there[-1] @ W))
        for t in reversed(range(6)):
            back.append(np.tanh(xs[t] + back[-1] @ W))
        return np.sum(np.stack(there[1:]) * np.stack(back[:0:-1]))

    graph = ag.trace(f, B, np.ones((6, 3)))
    assert titles(graph) == ["turn 1 of 6", "turn 6 of 6"] * 2
    drawn = describe(graph, depth=None)
    assert acyclic(drawn)


def test_skip_connections_of_a_u_net() -> None:
    def f(x: Any) -> Any:
        kept = []
        for _ in range(5):
            x = np.tanh(x @ W)
            kept.append(x)
        for skip in reversed(kept):
            x = np.sin(x @ U + skip)
        return np.sum(x)

    graph = ag.trace(f, np.ones((2, 3)))
    assert titles(graph) == ["turn 1 of 5", "turn 5 of 5"] * 2
    drawn = describe(graph, depth=None)
    down, up = (node.id for node in drawn.nodes if "×3" in node.name)
    assert (down, up) in {(edge.source, edge.target) for edge in drawn.edges}
    assert acyclic(drawn)


def test_shared_weights_stay_outside_and_own_ones_inside() -> None:
    shared = ag.Tensor(W, requires_grad=True, name="W")
    own = [ag.Tensor(U, requires_grad=True, name=f"U{i}") for i in range(5)]

    def f(x: Any) -> Any:
        for u in own:
            x = np.tanh(x @ shared) @ u
        return np.sum(x)

    drawing = describe(ag.trace(f, np.ones((2, 3))))
    inside = {node.name: node.module for node in drawing.nodes if node.kind in ("parameter", "input")}
    assert inside == {"W": "", "U0": "turn 1", "U4": "turn 3", "x": ""}


def test_a_module_that_is_called_twice_is_two_frames() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            self.encoder, self.head = Heads(8, rng=0), nn.Linear(8, 1, rng=0)

        def forward(self, a: Any, b: Any) -> Any:
            first = np.tanh(self.encoder(a))
            return self.head(first * self.encoder(b))

    graph = Twice().graph(np.ones((2, 8)), np.ones((2, 8)))
    drawing = describe(graph, depth=0)
    assert [node.name for node in drawing.nodes if node.kind == "group"] == ["encoder · Heads", "encoder · Heads", "head · Linear"]
    assert acyclic(drawing)
    weights = [node for node in drawing.nodes if node.kind == "parameter"]
    assert {node.module for node in weights} == {""}  # both calls read them


def test_things_that_only_look_alike_are_drawn_as_they_are() -> None:
    q, k, v = (nn.Linear(3, 3, rng=i) for i in range(3))

    class Attention(nn.Module):
        def __init__(self) -> None:
            self.q, self.k, self.v = q, k, v

        def forward(self, x: Any) -> Any:
            return self.q(x) @ self.k(x).T @ self.v(x)

    assert not any("×" in name for name in boxes(Attention().graph(np.ones((2, 3)))))

    def by_hand(x: Any) -> Any:  # lines of their own
        a = np.tanh(x @ W)
        b = np.tanh(a @ W)
        c = np.tanh(b @ W)
        d = np.tanh(c @ W)
        return np.sum(d)

    assert not any("×" in name for name in boxes(ag.trace(by_hand, np.ones((2, 3)))))

    def axes(x: Any) -> Any:
        for axis in (0, 1, 0, 1, 1):
            x = x - np.mean(x, axis=axis, keepdims=True)
        return np.sum(x)

    assert not any("×" in name for name in boxes(ag.trace(axes, np.ones((3, 3)))))


def test_a_graph_without_lines_is_judged_by_its_structure() -> None:
    x: Any = ag.Tensor(np.ones(3), requires_grad=True, name="x")
    for _ in range(6):
        x = np.tanh(x @ W) + 1.0
    assert [name for name in boxes(ag.graph(np.sum(x))) if "×" in name] == ["turns 2 … 5 ×4"]


# --- what is true of every graph


def acyclic(drawing: Drawing) -> bool:
    """Whether all edges lead forwards in the order in which the boxes are listed."""
    at = {node.id: i for i, node in enumerate(drawing.nodes)}
    return all(at[edge.source] < at[edge.target] for edge in drawing.edges)


def edges_of(net: Net) -> Counter[tuple[str, str, int]]:
    return Counter((net.parts[source].id, part.id, position) for part in net.parts for source, position in part.operands)


def turns_of(root: Frame) -> Iterator[list[list[int]]]:
    """Yield the operations of the turns of every repetition, as the frames have them."""
    for frame in root.inside():
        for item in frame.items:
            if isinstance(item, Frame) and item.kind == "turns":
                i = frame.items.index(item)
                turns = [frame.items[i - 1], *item.items, frame.items[i + 1]]
                yield [sorted(numbers(turn)) for turn in turns]


def numbers(item: int | Frame) -> Iterator[int]:
    if isinstance(item, int):
        yield item
    else:
        yield from (n for frame in item.inside() for n in frame.items if isinstance(n, int))


def holds(graph: ag.Graph, rng: np.random.Generator) -> int:
    """Check what has to be true; return how many repetitions there are."""
    net = net_of(graph, graph.outputs)
    frames = [frame for frame in net.root.inside() if frame is not net.root]
    assert len({frame.path for frame in frames}) == len(frames)
    assert all(item.parent is frame for frame in net.root.inside() for item in frame.items if isinstance(item, Frame))
    operations = [part for part in net.parts if not part.is_leaf]
    assert list(numbers(net.root)) == list(range(len(operations))) or sorted(numbers(net.root)) == list(range(len(operations)))
    for frame in frames:
        inside = sorted(numbers(frame))
        assert inside == list(range(inside[0], inside[-1] + 1))
    original = Counter(
        (graph.id_of(parent), graph.id_of(node), k) for node in graph for k, parent in enumerate(node.parents) if parent is not None
    )
    assert Counter({edge: n for edge, n in edges_of(net).items() if edge[0][0] == "n"}) == original
    assert edges_of(close(net, [])) == edges_of(net)
    for share in (0.2, 0.6, 1.0):
        closed = close(net, {frame for frame in frames if rng.random() < share})
        assert all(source < i for i, part in enumerate(closed.parts) for source, _ in part.operands)
        assert sum(part.size for part in closed.parts) == len(graph)
        assert sorted(id(n) for part in closed.parts for n in part.nodes) == sorted(map(id, graph.nodes))
    found = 0
    for turns in turns_of(net.root):
        found += 1
        first = turns[0]
        for turn in turns:
            assert [operations[n].node.op for n in turn] == [operations[n].node.op for n in first]
            assert inner_edges(net, turn) == inner_edges(net, first)
    return found


def inner_edges(net: Net, turn: list[int]) -> set[tuple[int, int, int]]:
    operations = [part for part in net.parts if not part.is_leaf]
    at = {operations[n].id: k for k, n in enumerate(turn)}
    return {
        (at[net.parts[source].id], at[operations[n].id], position)
        for n in turn
        for source, position in operations[n].operands
        if net.parts[source].id in at
    }


@st.composite
def sources(draw: Any) -> str:
    """Draw a function with loops in loops, calls, values that are kept and read later, and lists that are stacked."""
    helpers = [
        f"def helper{i}(x, y):\n    z = {draw(st.sampled_from(('np.sin(x)', 'x * y', 'x + 0.5 * y')))}\n    return np.tanh(z) + y"
        for i in range(2)
    ]
    lines: list[str] = []

    def block(depth: int, indent: str) -> None:
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(("line", "line", "call", "keep", "swap", "loop") if depth < 3 else ("line", "call", "keep")))
            a, b = draw(st.sampled_from(("x", "y", "kept[-1]", "kept[0]", "c"))), draw(st.sampled_from(("x", "y", "w")))
            to = draw(st.sampled_from(("x", "y")))
            if kind == "line":
                lines.append(
                    f"{indent}{to} = {draw(st.sampled_from(('np.sin({a}) + {b}', '{a} * {b}', 'np.maximum({a}, {b})'))).format(a=a, b=b)}"
                )
            elif kind == "call":
                lines.append(f"{indent}{to} = helper{draw(st.integers(0, 1))}({a}, {b})")
            elif kind == "keep":
                lines.append(f"{indent}kept.append({a} * 0.5)")
            elif kind == "swap":
                lines.append(f"{indent}x, y = y, x")
            else:
                lines.append(f"{indent}for i{depth} in range({draw(st.sampled_from(('1', '2', '3', '5', 'len(kept) % 4')))}):")
                block(depth + 1, indent + "    ")

    block(0, "    ")
    return "\n\n".join(
        [
            *helpers,
            "\n".join(["def f(x, y, w):", "    c, kept = np.full(2, 0.3), [x]", *lines, "    return np.sum(np.stack([*kept, x, y]) * w)"]),
        ]
    )


@settings(max_examples=60, deadline=None)
@given(sources(), st.integers(0, 99))
def test_random_programs_are_repeated_in_any_way_and_every_closing_is_right(source: str, seed: int) -> None:
    space: dict[str, Any] = {"np": np}
    exec(compile(source, "<a random program>", "exec"), space)
    graph = ag.trace(space["f"], np.ones(2), np.full(2, 0.5), np.full(2, 0.1))
    if len(graph) < 2000:
        holds(graph, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(12))
def test_programs_that_are_derived_hold_as_well(seed: int) -> None:
    f, inputs, _ = programs.program(seed)
    graph = ag.trace(f, *inputs)
    holds(graph, np.random.default_rng(seed))
    holds(graph.backward(), np.random.default_rng(seed))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=60), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_graphs_without_any_order_or_lines(steps: list[tuple[int, int, int]], seed: int) -> None:
    xs: list[Any] = [ag.Tensor(np.full(2, 1.0 + i), requires_grad=True, name=f"x{i}") for i in range(3)]
    for kind, a, b in steps:
        a, b = xs[-1 - a % len(xs)], xs[-1 - b % len(xs)]
        xs.append(np.sin(a) if kind == 0 else a * b if kind == 1 else a + b)
    holds(ag.graph(np.sum(np.stack(xs))), np.random.default_rng(seed))


def test_repetitions_are_found_in_all_of_these() -> None:
    assert holds(Layers(4).graph(np.ones((4, 8))), np.random.default_rng(0)) == 1 + 4 * 2


# --- three large graphs, on one screen


class Residual(nn.Module):
    def __init__(self, n: int) -> None:
        self.stem, self.layers, self.head = nn.Linear(4, 8, rng=0), [Twolayer(i) for i in range(n)], nn.Linear(8, 3, rng=1)

    def forward(self, x: Any) -> Any:
        x = self.stem(x)
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


class Twolayer(nn.Module):
    def __init__(self, rng: int) -> None:
        self.a, self.b = nn.Linear(8, 8, rng=rng), nn.Linear(8, 8, rng=rng + 1)

    def forward(self, x: Any) -> Any:
        return ag.relu(x + self.b(ag.relu(self.a(x))))


def rnn_of_20_steps() -> ag.Graph:
    def loss(W: Any, U: Any, b: Any, V: Any, h: Any, xs: Any, y: Any) -> Any:
        for t in range(20):
            z = xs[t] @ W + h @ U + b
            h = np.tanh(z)
        out = h @ V
        return np.mean((out - y) ** 2)

    shapes = [(8, 16), (16, 16), (16,), (16, 3), (4, 16), (20, 4, 8), (4, 3)]
    return ag.trace(loss, *map(np.ones, shapes))


LARGE = {
    "rnn": rnn_of_20_steps,
    "transformer": lambda: Layers(12).graph(np.ones((4, 8))),
    "residual": lambda: Residual(50).graph(np.ones((5, 4))),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_graphs_are_readable_on_one_screen_and_drawn_as_they_were_looked_at(name: str, tmp_path: Path) -> None:
    graph = LARGE[name]()
    drawing = describe(graph)
    assert sum(node.size for node in drawing.nodes) == len(graph)
    assert acyclic(drawing)
    picture = graph.render(tmp_path / "picture.svg").read_text("utf-8")
    width, height = map(float, re.findall(r'viewBox="0(?:\.0+)? 0(?:\.0+)? ([\d.]+) ([\d.]+)"', picture)[0])
    assert min(1280 / width, 800 / height) * 11 >= 8  # pixels of a letter of 11 points
    lines = [f"frame {c.title} in {c.parent or 'all'}" for c in drawing.clusters]
    lines += [f"{node.kind} {node.short or node.op} in {node.module or 'all'}" for node in drawing.nodes]
    at = {node.id: node.short or node.op for node in drawing.nodes}
    lines += [f"{at[edge.source]} -> {at[edge.target]}" for edge in drawing.edges]
    page = data_of(graph)
    lines += [f"closed at first in the explorer: {page['folded']['closed'][:4]} and {len(page['folded']['closed']) - 4} more"]
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":  # after it was looked at
        golden.write_text("\n".join(lines) + "\n", "utf-8")
    assert golden.read_text("utf-8").splitlines() == lines
