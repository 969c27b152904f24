"""Functions as straight NumPy: what they record, simplified, in an order that spares memory, written as one function.

Here live how a call is told from others (`signature`, `captured`), how a function is run on Tensors that stand for data (`runs`,
`standins`, `records`) and becomes a program (`tracing`, `stabilising`, `program`), how its first result is judged (`checking`,
`rounding`), how a program is made less (`lowering`, `simplifying`), put in order (`schedule`, `buffers`) and written out (`code`), and
what is called (`compiled`); how it is written as loops for Numba (`nests`, `loops`, `elements`, `fast_math`, `numba_code`), and which of
the two computes (`ways`). Nothing here may differentiate, which the engine does while the function is traced.
"""

from autograd_np.compiling.compiled import Compiled, compile  # noqa: A004

__all__ = ["Compiled", "compile"]
