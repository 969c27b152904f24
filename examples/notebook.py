"""The 2-3-1 network twice: in plain NumPy with its backward pass derived by hand, and built from `nn`.

The NumPy functions hold one sample a column (features x samples): X is (2, m), Y is (1, m). `nn` holds one sample
a row, as PyTorch does, so X and Y are transposed on the way in; the weights have the same shapes, (out, in), in both.

Run it: ``python examples/notebook.py``.
"""

from __future__ import annotations

import numpy as np

import nn


def initialize_parameters(seed=0):
    """Draw weights (out, in) and biases (out, 1) from N(0, 1)."""
    rng = np.random.default_rng(seed)
    W1 = rng.normal(size=(3, 2))
    b1 = rng.normal(size=(3, 1))
    W2 = rng.normal(size=(1, 3))
    b2 = rng.normal(size=(1, 1))
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def forward_propagation(X, parameters):
    """Return the predictions A2 (1, m), and all intermediate values for the backward pass."""
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]
    Z1 = np.dot(W1, X) + b1
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = np.dot(W2, A1) + b2
    A2 = 1 / (1 + np.exp(-Z2))
    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def compute_cost(A2, Y):
    """Return the mean cross-entropy of predictions A2 and labels Y, both (1, m)."""
    losses = -Y * np.log(A2) - (1 - Y) * np.log(1 - A2)
    return np.mean(losses)


def backward_propagation(parameters, cache, X, Y):
    """Return the gradients of the cost, derived by hand."""
    m = X.shape[1]
    W2 = parameters["W2"]
    A1 = cache["A1"]
    A2 = cache["A2"]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = dA1 * A1 * (1 - A1)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def update_parameters(parameters, grads, learning_rate):
    """Return the parameters after a step of gradient descent."""
    W1 = parameters["W1"] - learning_rate * grads["dW1"]
    b1 = parameters["b1"] - learning_rate * grads["db1"]
    W2 = parameters["W2"] - learning_rate * grads["dW2"]
    b2 = parameters["b2"] - learning_rate * grads["db2"]
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}


def train_nn(X, Y, epochs=1000, learning_rate=0.5, seed=0):
    """Train the hand-derived network on all samples at once; return its parameters and the cost of every epoch."""
    parameters = initialize_parameters(seed)
    costs = []
    for _ in range(epochs):
        A2, cache = forward_propagation(X, parameters)
        costs.append(compute_cost(A2, Y))
        grads = backward_propagation(parameters, cache, X, Y)
        parameters = update_parameters(parameters, grads, learning_rate)
    return parameters, costs


# --- the same network from nn ---------------------------------------------------------------------


def build_model(parameters):
    """Return the 2-3-1 network as an `nn` model that starts from the same parameters."""
    dtype = parameters["W1"].dtype
    model = nn.Sequential(nn.Linear(2, 3, dtype=dtype), nn.Sigmoid(), nn.Linear(3, 1, dtype=dtype), nn.Sigmoid())
    state = {
        "0.weight": parameters["W1"],
        "0.bias": parameters["b1"][:, 0],
        "2.weight": parameters["W2"],
        "2.bias": parameters["b2"][:, 0],
    }
    model.load_state_dict(state)
    return model


def as_parameters(state):
    """Return a state of the model in the notebook's shapes: biases are columns."""
    return {"W1": state["0.weight"], "b1": state["0.bias"][:, None], "W2": state["2.weight"], "b2": state["2.bias"][:, None]}


def train_model(X, Y, epochs=1000, learning_rate=0.5, seed=0):
    """Train the model; return it and the cost of every epoch."""
    model = build_model(initialize_parameters(seed))
    optimizer = nn.SGD(model.parameters(), lr=learning_rate)
    loss_function = nn.BCELoss()
    costs = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = loss_function(model(X.T), Y.T)
        loss.backward()
        optimizer.step()
        costs.append(loss.item())
    return model, costs


def example_data(m=100, seed=1):
    """Return m points of the plane (2, m) and whether each is nearer to the origin than 1.2, (1, m)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2, m))
    Y = (np.sum(X**2, axis=0, keepdims=True) < 1.2**2).astype(float)
    return X, Y


def main():
    """Train both and print where they end."""
    X, Y = example_data()
    parameters, costs = train_nn(X, Y)
    model, model_costs = train_model(X, Y)
    trained = as_parameters(model.state_dict())
    print(f"{'':24}{'by hand':>14}{'nn':>14}{'largest difference':>22}")
    print(f"{'cost, first epoch':24}{costs[0]:14.9f}{model_costs[0]:14.9f}{abs(costs[0] - model_costs[0]):22.1e}")
    print(f"{'cost, last epoch':24}{costs[-1]:14.9f}{model_costs[-1]:14.9f}{max(abs(np.subtract(costs, model_costs))):22.1e}")
    for name, value in parameters.items():
        label = f"{name} {value.shape}, norm"
        difference = np.max(abs(value - trained[name]))
        print(f"{label:24}{np.linalg.norm(value):14.9f}{np.linalg.norm(trained[name]):14.9f}{difference:22.1e}")


if __name__ == "__main__":
    main()
