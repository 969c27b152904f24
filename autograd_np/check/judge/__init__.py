"""Judge: which variable of backward is the gradient of which variable of forward, and is it right.

Here lives what pairs variables and compares them with the engine and with numeric differences. Why a line is wrong, and how
that is told, may not live here.
"""
