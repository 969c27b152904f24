"""Judge: which variable of backward is the gradient of which variable of forward, and is it right.

What stands here compares with the engine and with numeric differences. Why a line is wrong, and how it is told, is not its business.
"""
