"""A convolutional network reads handwritten digits: two convolutions with batch norms, and the rate of `OneCycleLR`.

Needs scikit-learn, which has the digits: ``pip install 'autograd-np[sklearn]'``.

Run it: ``python examples/digits_cnn.py``.
"""

import numpy as np

import nn
from nn.optim.lr_scheduler import OneCycleLR


def build(rng=None, dtype=np.float32):
    """Return the network: images (samples, 1, 8, 8) to 10 scores."""
    rng = np.random.default_rng(rng)
    made = {"rng": rng, "dtype": dtype}
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1, **made), nn.BatchNorm2d(32, dtype=dtype), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1, **made), nn.BatchNorm2d(64, dtype=dtype), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout2d(0.2, rng=rng), nn.Flatten(), nn.Linear(64 * 4 * 4, 10, **made),
    )  # fmt: skip


def main(epochs=20, seed=0, progress=True):
    """Train on four digits of five; return the history, and loss and accuracy on the others."""
    digits = nn.data.TensorDataset(*nn.data.digits(images=True, dtype=np.float32))
    train, test = nn.data.random_split(digits, [0.8, 0.2], rng=0)
    model, loader = build(seed), nn.data.DataLoader(train, batch_size=32, shuffle=True)
    optimiser = nn.AdamW(model.parameters(), weight_decay=0.01)
    scheduler = OneCycleLR(optimiser, max_lr=5e-3, epochs=epochs, steps_per_epoch=len(loader))
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    history = nn.fit(model, loader, loss, optimiser, epochs, scheduler=scheduler, seed=seed, progress=progress)
    found = nn.evaluate(model, test, loss, [nn.metrics.accuracy])
    wrong = round((1 - found["accuracy"]) * len(test))
    print(f"{len(train)} digits to learn from, {len(test)} others to test with; {sum(p.size for p in model.parameters())} parameters")
    print(f"loss {history['loss'][0]:.3f} in the first epoch, {history['loss'][-1]:.3f} in the last")
    print(f"test accuracy {found['accuracy']:.2%}: the share of digits never seen that are read right; {wrong} of {len(test)} are not")
    return history, found


if __name__ == "__main__":
    main()
