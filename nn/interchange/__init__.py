"""Models in formats of other libraries.

Here lives the export to ONNX, which reads the recorded graph as a drawing does: `recording` and `following` find out what in it
follows the batch, `operations` says how each operation is written, `writer` holds what is written, `export` is the door.
Parameters in files, PyTorch's too, are `nn.io`'s. No layer may be known here: what is exported is operations, whichever layer
recorded them.
"""

from nn.interchange.export import export_onnx

__all__ = ["export_onnx"]
