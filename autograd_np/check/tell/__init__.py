"""Tell: the report of a check, in text, terminal and HTML, as a patch, as JSON, SARIF and annotations, and the coloured picture.

Here lives what words and lays out what was found. It is given what to say: it may not analyse anything, run anything of the
user's, or know `explain`.
"""
