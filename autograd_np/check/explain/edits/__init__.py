"""The edits of a line: each undoes one mistake, so the edit that makes the line right names the mistake.

Here live the families of edits, a file each, what they have in common (`edit`), all of them in order (`catalogue`), and the
trying of them on a wrong line (`line_edits`). A family may not know another, nor the case that it is tried on. Reasons that are
not in the text of a line (a factor of its values, a line before it) may not live here.
"""
