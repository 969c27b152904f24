"""Matrix factorisation with biases on the observed entries, loops over ratings, in the manner of a recommender tutorial."""

import numpy as np


def forward(R, observed, P, Q, bu, bi, beta):
    mu = np.sum(R * observed) / np.sum(observed)
    pred = mu + bu[:, None] + bi[None, :] + np.einsum("uk,ik->ui", P, Q)
    e = observed * (R - pred)
    sse = np.sum(e**2)
    return 0.5 * sse + 0.5 * beta * (np.sum(P**2) + np.sum(Q**2) + np.sum(bu**2))


def backward(observed, P, Q, bu, bi, e, beta):
    dP = np.zeros(P.shape)
    dQ = np.zeros(Q.shape)
    dbu = np.zeros(bu.shape)
    dbi = np.zeros(bi.shape)
    for u in range(P.shape[0]):
        for i in range(Q.shape[0]):
            if not observed[u, i]:
                continue
            dP[u] += -e[u, i] * Q[i]
            dQ[i] += -e[u, i] * P[u]
            dbu[u] += -e[u, i]
            dbi[i] += -e[u, i]
    dP += beta * P
    dQ += beta * Q
    dbu += beta * bu
    return dP, dQ, dbu, dbi


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    observed = np.array([[1.0, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0]])
    return {
        "R": rng.integers(1, 6, size=(4, 4)).astype(float),
        "observed": observed,
        "P": rng.normal(size=(4, 2)),
        "Q": rng.normal(size=(4, 2)),
        "bu": rng.normal(size=4),
        "bi": rng.normal(size=4),
        "beta": 0.4,
    }


GRADIENTS = {"dP": "P", "dQ": "Q", "dbu": "bu", "dbi": "bi"}

# fmt: off
MUTANTS = {
    "P-sign": ("dP[u] += -e[u, i] * Q[i]", "dP[u] += e[u, i] * Q[i]", "sign", "the minus of R - pred is missing"),
    "P-two": ("dP[u] += -e[u, i] * Q[i]", "dP[u] += -2 * e[u, i] * Q[i]", "scale", "the loss has a half"),
    "P-assigned": ("dP[u] += -e", "dP[u] = -e", "missing-term", "only the last item counts"),
    "P-from-P": ("-e[u, i] * Q[i]", "-e[u, i] * P[u]", "wrong-point", "P for Q"),
    "Q-index": ("dQ[i] += -e[u, i] * P[u]", "dQ[i] += -e[u, i] * P[i]", "wrong-point", "P[i] for P[u]"),
    "Q-wrong-row": ("dQ[i] += -e[u, i] * P[u]", "dQ[u] += -e[u, i] * P[u]", "wrong-point", "accumulated at u for i"),
    "Q-e-transposed": ("dQ[i] += -e[u, i] * P[u]", "dQ[i] += -e[i, u] * P[u]", "transpose wrong-point", "e transposed"),
    "bu-sign": ("dbu[u] += -e[u, i]", "dbu[u] -= -e[u, i]", "sign", "minus twice"),
    "bi-by-user": ("dbi[i] += -e[u, i]", "dbi[u] += -e[u, i]", "wrong-reduction wrong-point", "summed over items for users"),
    "bi-no-error": ("dbi[i] += -e[u, i]", "dbi[i] += -1", "missing-factor wrong-point", "the error is missing"),
    "no-penalty-P": ("    dP += beta * P\n", "", "missing-term", "the penalty of P is forgotten", "dP[u] +="),
    "penalty-P-assigned": ("    dP += beta * P", "    dP = beta * P", "missing-term", "= for +="),
    "penalty-Q-of-P": ("dQ += beta * Q", "dQ += beta * P", "wrong-point", "P for Q, same shape"),
    "penalty-bu-two": ("dbu += beta * bu", "dbu += 2 * beta * bu", "double-count extra-term scale", "the loss has a half"),
    "penalty-bi": ("    dbu += beta * bu", "    dbu += beta * bu\n    dbi += beta * bi", "extra-term", "bi has no penalty"),
}

DOUBLES = [("P-sign", "bi-by-user"), ("P-assigned", "penalty-Q-of-P"), ("Q-index", "penalty-bu-two"), ("bu-sign", "penalty-P-assigned")]
# fmt: on
