"""The commands of the command line: a file or a folder each, imported when it is chosen.

A command has ``SUMMARY``, one line for the list of commands (a plain text in double quotes, because
it is read from the file), ``add(parser)``, which gives the parser its options, and
``run(context, given)``, which does what they ask for and returns the exit status. What is imported
at the top of its file delays even its help. Names with an underscore
in front are no commands.
"""
