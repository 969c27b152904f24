"""How each operation of the table is written in ONNX's operators, a file a family.

Here lives a converter for each operation: it reads a Step and adds nodes to a Writer. How recordings are made, and which layer an
operation came from, may not be known here.
"""

from nn.interchange.operations import elementwise, indexing, layers, recurrent, reducing, shaping
from nn.interchange.operations.table import TABLE

__all__ = ["TABLE", "elementwise", "indexing", "layers", "recurrent", "reducing", "shaping"]
