"""A multilayer perceptron reads handwritten digits: `nn.data`, `nn.fit`, metrics and a scheduler.

Needs scikit-learn, which has the digits: ``pip install 'autograd-np[sklearn]'``.

Run it: ``python examples/digits_mlp.py``.
"""

import nn
from nn.optim.lr_scheduler import CosineAnnealingLR


def build(rng=None):
    """Return the network: 64 pixels, 128 hidden units, 10 scores."""
    return nn.Sequential(nn.Linear(64, 128, rng=rng), nn.ReLU(), nn.Dropout(0.3, rng=rng), nn.Linear(128, 10, rng=rng))


def main(epochs=60, seed=0, progress=True):
    """Train on four digits of five; return the history, and loss and metrics on the others."""
    train, test = nn.data.random_split(nn.data.TensorDataset(*nn.data.digits()), [0.8, 0.2], rng=0)
    model = build(seed)
    optimiser = nn.AdamW(model.parameters(), lr=3e-3)
    scheduler = CosineAnnealingLR(optimiser, T_max=epochs)
    loss = nn.CrossEntropyLoss()
    history = nn.fit(model, train, loss, optimiser, epochs, scheduler=scheduler, seed=seed, progress=progress)
    found = nn.evaluate(model, test, loss, [nn.metrics.accuracy, nn.metrics.confusion_matrix])
    mistakes = {(i, j): n for i, row in enumerate(found["confusion_matrix"]) for j, n in enumerate(row) if n and i != j}
    print(f"{len(train)} digits to learn from, {len(test)} others to test with; {sum(p.size for p in model.parameters())} parameters")
    print(f"loss {history['loss'][0]:.3f} in the first epoch, {history['loss'][-1]:.3f} in the last")
    print(f"test accuracy {found['accuracy']:.2%}: the share of digits never seen that are read right; guessing gives 10%")
    print("mistakes:", ", ".join(f"{n} x {i} taken for {j}" for (i, j), n in mistakes.items()) or "none")
    return history, found


if __name__ == "__main__":
    main()
