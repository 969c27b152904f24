"""What numbers, arrays and functions are called.

Here lives what finds the user's name, constant or size for a number (`numbers`), how NumPy makes an array (`arrays`), and under which
name a program calls a function (`names`). Nothing here may write a line.
"""
