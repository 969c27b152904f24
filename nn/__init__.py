"""nn: layers, losses and optimisers on autograd_np, with PyTorch's names and shapes.

Here live what a model is made of, what trains it on data, and the files its parameters are kept in. All of it is what any user
could have written: nothing here may use a name of autograd_np that is not public, and no part of the engine may live here.

Examples
--------
>>> import numpy as np
>>> import nn
>>> X, Y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0], [0.0]])
>>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Sigmoid(), nn.Linear(3, 1, rng=1), nn.Sigmoid())
>>> optimiser, loss_of = nn.Adam(model.parameters(), lr=0.1), nn.BCELoss()
>>> for epoch in range(100):
...     optimiser.zero_grad()
...     loss = loss_of(model(X), Y)
...     loss.backward()
...     optimiser.step()
>>> loss.item() < 0.1
True
"""

from nn import data, functional, init, optim, training, utils
from nn.errors import DivergenceError, DivergenceWarning, MissingExtraError, ShapeMismatchError, StateDictError, TrainingInterrupted
from nn.io import load, save
from nn.layers import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AvgPool1d,
    AvgPool2d,
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    LeakyReLU,
    Linear,
    LogSigmoid,
    LogSoftmax,
    MaxPool1d,
    MaxPool2d,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
    Threshold,
)
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CrossEntropyLoss,
    GaussianNLLLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MarginRankingLoss,
    MSELoss,
    MultiMarginLoss,
    NLLLoss,
    PoissonNLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
)
from nn.module import Module, functional_call
from nn.optim import LBFGS, SGD, Adagrad, Adam, AdamW, NAdam, Optimizer, RMSprop
from nn.parameter import Parameter
from nn.summary import summary
from nn.training import BestCheckpoint, Callback, CSVLog, EarlyStopping, History, LearningCurves, evaluate, fit, metrics
from nn.utils import clip_grad_norm_, clip_grad_value_

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "LBFGS",
    "SELU",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BestCheckpoint",
    "CSVLog",
    "Callback",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "DivergenceError",
    "DivergenceWarning",
    "EarlyStopping",
    "GaussianNLLLoss",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "History",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "LeakyReLU",
    "LearningCurves",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "Mish",
    "MissingExtraError",
    "Module",
    "MultiMarginLoss",
    "NAdam",
    "NLLLoss",
    "Optimizer",
    "PReLU",
    "Parameter",
    "PoissonNLLLoss",
    "RMSprop",
    "ReLU",
    "ReLU6",
    "Sequential",
    "ShapeMismatchError",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "StateDictError",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "TrainingInterrupted",
    "TripletMarginLoss",
    "clip_grad_norm_",
    "clip_grad_value_",
    "data",
    "evaluate",
    "fit",
    "functional",
    "functional_call",
    "init",
    "load",
    "metrics",
    "optim",
    "save",
    "summary",
    "training",
    "utils",
]
