"""Commands of the command line that are one file each: their options, and what these ask for.

``add(make)`` makes the parser and gives it back; ``run(parser, given)`` does what was asked and
returns the exit status. What they do in detail is in :mod:`agno_shell.oneshot`.
"""
