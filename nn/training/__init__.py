"""Training: the loop, what hangs on it, and how good the result is.

Here live `fit`, the loop that it runs (`loop`, thirty lines to be copied and changed), callbacks, checkpoints, metrics and
evaluation. What a training needs beyond the loop is a callback and may not live in the loop; nothing here may know a certain
layer.
"""

from nn.training import metrics
from nn.training.callbacks import BestCheckpoint, CSVLog, EarlyStopping, LearningCurves
from nn.training.core import AFTER, Callback, Training, loop
from nn.training.evaluation import evaluate
from nn.training.fitting import fit
from nn.training.history import History

__all__ = [
    "AFTER",
    "BestCheckpoint",
    "CSVLog",
    "Callback",
    "EarlyStopping",
    "History",
    "LearningCurves",
    "Training",
    "evaluate",
    "fit",
    "loop",
    "metrics",
]
