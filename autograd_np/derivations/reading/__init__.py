"""From a user's function to expressions.

Here lives what runs the function, at several sizes and without a trace of it, and reads what it recorded (`points`, `recording`,
`lockstep`), also of objects (`state`), of arrays that are written into (`making`), and puts back what a run changed (`untouched`).
What is recorded may not be differentiated or simplified here.
"""
