"""Training steps of a model as compiled code.

Here live the step (`step`), what a model draws meanwhile (`draws`), and what it has that is trained (`plan`). How code is
traced and written is the engine's: nothing here may look into that, nor compute anything but what the model and the optimiser compute.
"""

from nn.compiling.step import CompiledStep, compile_step

__all__ = ["CompiledStep", "compile_step"]
