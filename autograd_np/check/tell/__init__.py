"""Tell: the report of a check, its layout in text, terminal and HTML, and the coloured picture.

What stands here is given what to say; it analyses nothing.
"""
