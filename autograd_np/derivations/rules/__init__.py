"""The chain rule, one operation at a time.

Here lives what pulls a gradient from a result to the arguments (`reverse`), the few derivatives that people write otherwise than the
rows do (`as_written`), and what is written as a call because no formula says it (`whole`). No rule may be written down here that the
row of the operation already gives.
"""
