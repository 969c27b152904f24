"""Make the pictures that README and the documentation show: ``python docs/make_pictures.py``.

They are drawn by the embedded Graphviz, so that every machine makes the same files. With ``--peers`` also those of torchviz,
torchview, MyGrad and micrograd, in whichever environment has these packages; autograd_np's own are then left alone.
"""

import sys
from pathlib import Path

import numpy as np

IMAGES = Path(__file__).parent / "images"
SHAPES = {"W1": (3, 2), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1), "X": (2, 4)}
PARAMETERS = ("W1", "b1", "W2", "b2")


def example():
    """Return the parameters of the 2-3-1 network, four samples and their labels."""
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).round(2) for name, shape in SHAPES.items()}, np.array([[1.0, 0.0, 1.0, 0.0]])


def ours():
    """Write autograd_np's pictures."""
    import drawn

    import autograd_np as ag
    from autograd_np.render import describe, engine, svg, write

    def save(name, graph, direction="auto", theme="auto", **options):
        drawing = describe(graph, **options)
        picture = svg.decorate(engine.draw_embedded(write(drawing, direction=direction, theme=theme).source), drawing, theme)
        (IMAGES / name).write_text(picture, encoding="utf-8")

    def network(W1, b1, W2, b2, X):
        Z1 = np.dot(W1, X) + b1
        A1 = ag.sigmoid(Z1)
        Z2 = np.dot(W2, A1) + b2
        A2 = ag.sigmoid(Z2)
        return A2

    inputs, Y = example()

    def cost(W1, b1, W2, b2, X):
        A2 = network(W1, b1, W2, b2, X)
        return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))

    IMAGES.mkdir(exist_ok=True)
    forward = ag.trace(network, *inputs.values())
    save("net.svg", forward, parameters=PARAMETERS)
    everything = {"values": True, "gradients": True, "rules": True, "order": True, "backward": True}
    A2 = forward.outputs[0].out
    seed = (A2 - Y) / (A2 * (1 - A2)) / Y.size  # the gradient of the cost by A2
    save("net-backward.svg", forward, parameters=PARAMETERS, seed=seed, **everything)

    right = forward.gradients(seed)
    by_hand = {name: right[forward.find(name)] for name in ("W1", "b1", "W2", "b2", "Z1", "A1", "Z2")}
    by_hand["Z1"] = by_hand["A1"] * forward.find("A1").out  # (1 - A1) was forgotten
    by_hand["W1"] = by_hand["Z1"] @ inputs["X"].T
    by_hand["b1"] = by_hand["Z1"].sum(axis=1, keepdims=True)
    verdicts = {}
    for name, got in by_hand.items():
        node = forward.find(name)
        good = np.allclose(got, right[node])
        first = got.flat[0], right[node].flat[0]
        told = f"d{name} agrees" if good else "d{}[0, 0]: by hand {:.4f}, right {:.4f}".format(name, *first)
        verdicts[node] = ("ok" if good else "wrong", told)
    save("net-wrong.svg", forward, parameters=PARAMETERS, verdicts=verdicts)

    for name, make in drawn.GALLERY.items():
        save(f"{name}.svg", make())


def peers():
    """Write the pictures that other libraries draw of the same network, each as its documentation says."""
    import graphviz

    inputs, _ = example()

    def save(name, dot):
        (IMAGES / f"peer-{name}.svg").write_bytes(dot.pipe("svg"))

    try:
        import torch
        import torchview
        import torchviz
    except ImportError as error:
        print(error)
    else:
        tensors = {name: torch.tensor(x, requires_grad=name in PARAMETERS) for name, x in inputs.items()}
        A1 = torch.sigmoid(tensors["W1"] @ tensors["X"] + tensors["b1"])
        A2 = torch.sigmoid(tensors["W2"] @ A1 + tensors["b2"])
        save("torchviz", torchviz.make_dot(A2, params={name: tensors[name] for name in PARAMETERS}))
        model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 1), torch.nn.Sigmoid())
        save("torchview", torchview.draw_graph(model, input_size=(4, 2)).visual_graph)
    try:
        import mygrad as mg
        from mygrad.computational_graph import build_graph
        from mygrad.nnet.activations import sigmoid
    except ImportError as error:
        print(error)
    else:
        W1, b1, W2, b2, X = (mg.tensor(x) for x in inputs.values())
        Z1 = mg.matmul(W1, X) + b1
        A1 = sigmoid(Z1)
        Z2 = mg.matmul(W2, A1) + b2
        A2 = sigmoid(Z2)
        names = {"W1": W1, "b1": b1, "W2": W2, "b2": b2, "X": X, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
        save("mygrad", build_graph(A2, names=names, dims=True, dtypes=True))
    try:
        from micrograd.engine import Value
    except ImportError as error:
        print(error)
    else:
        save("micrograd", micrograd(Value, inputs, graphviz))


def micrograd(Value, inputs, graphviz):
    """Draw micrograd's graph of one sample, in the manner of its notebook trace_graph.ipynb: values and gradients in records."""
    W1, b1, W2, b2, X = ([[Value(float(x)) for x in row] for row in array] for array in inputs.values())

    def linear(W, b, x):
        return [sum((w * v for w, v in zip(row, x, strict=True)), start=bias[0]) for row, bias in zip(W, b, strict=True)]

    # micrograd has no sigmoid and no exp; its own networks are made of relu, with a linear output
    out = linear(W2, b2, [z.relu() for z in linear(W1, b1, [row[0] for row in X])])[0]
    out.backward()
    dot = graphviz.Digraph(graph_attr={"rankdir": "LR"})
    seen, stack = set(), [out]
    while stack:
        v = stack.pop()
        if v in seen:
            continue
        seen.add(v)
        name = str(len(seen))
        v.drawn = name
        dot.node(name, f"{{ data {v.data:.4f} | grad {v.grad:.4f} }}", shape="record")
        if v._op:
            dot.node(name + v._op, v._op)
            dot.edge(name + v._op, name)
        stack.extend(v._prev)
    for v in seen:
        for child in v._prev:
            dot.edge(child.drawn, v.drawn + v._op)
    return dot


def main():
    """Write the pictures."""
    if "--peers" in sys.argv[1:]:
        peers()
    else:
        ours()


if __name__ == "__main__":
    main()
