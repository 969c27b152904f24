"""An autoencoder writes handwritten digits down in six numbers, and draws them again.

Six principal components, the best that a linear map can do, are what it is compared with. Needs scikit-learn, which has the digits:
``pip install 'autograd-np[sklearn]'``.

Run it: ``python examples/autoencoder.py``.
"""

import numpy as np

import autograd_np as ag
import nn

CODE = 6


def build(rng=None):
    """Return the network: 64 pixels through `CODE` numbers to 64 pixels."""
    rng = np.random.default_rng(rng)
    encoder = nn.Sequential(nn.Linear(64, 96, rng=rng), nn.SiLU(), nn.Linear(96, CODE, rng=rng))
    decoder = nn.Sequential(nn.Linear(CODE, 96, rng=rng), nn.SiLU(), nn.Linear(96, 64, rng=rng), nn.Sigmoid())
    return nn.Sequential(encoder, decoder)


def components(x, other):
    """Return the images `other` as the first principal components of x give them back."""
    mean = x.mean(axis=0)
    _, _, directions = np.linalg.svd(x - mean, full_matrices=False)
    return mean + (other - mean) @ directions[:CODE].T @ directions[:CODE]


def drawn(image):
    """Return the eight lines of an image."""
    return ["".join(" .:-=+*#%@"[round(9 * min(max(p, 0), 1))] * 2 for p in row) for row in image.reshape(8, 8)]


def main(epochs=60, seed=0, progress=True):
    """Train on four digits of five; return the history, and which share of the others' variance is lost: the network's, and linearly."""
    x, _ = nn.data.digits()
    train, test = (part.batch(np.arange(len(part)))[0] for part in nn.data.random_split(nn.data.TensorDataset(x, x), [0.8, 0.2], rng=0))
    model = build(seed)
    optimiser = nn.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    scheduler = nn.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=epochs)
    history = nn.fit(model, (train, train), nn.MSELoss(), optimiser, epochs, scheduler=scheduler, seed=seed, progress=progress)
    with ag.no_grad():
        again, linearly = model.eval()(test).numpy(), components(train, test)
    lost, lost_linearly = (np.sum((test - y) ** 2) / np.sum((test - train.mean(axis=0)) ** 2) for y in (again, linearly))
    print(f"{'a digit never seen':20}{'by the network':20}by {CODE} principal components")
    for lines in zip(*(drawn(images[0]) for images in (test, again, linearly)), strict=True):
        print("".join(f"{line:20}" for line in lines).rstrip())
    print(f"lost of what tells digits from their mean, by {CODE} numbers of 64: {lost:.1%} by the network, {lost_linearly:.1%} linearly")
    return history, lost, lost_linearly


if __name__ == "__main__":
    main()
