"""The edits of a line: each undoes one mistake, so the edit that makes the line right names the mistake.

A file a family (operands, operators, shapes, calls), `edit` for what they have in common, `catalogue` for all of them in order,
`line_edits` for trying them on a wrong line.
"""
