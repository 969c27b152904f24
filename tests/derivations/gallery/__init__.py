"""Losses and layers as people write them, the best backward pass derived by hand for each, and a judge of what `ag.derive` prints.

An entry is a file of `entries`: ``loss``, or ``forward`` with a gradient from outside; ``backward``, derived by hand; ``WRT``, the
gradients that are wanted; and ``inputs(rng, n, d)``, arguments for a batch of ``n`` and ``d`` features.
"""
