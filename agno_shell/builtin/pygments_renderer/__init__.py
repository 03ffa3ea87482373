"""The default renderer: Markdown as it streams, code coloured by pygments.

``plugin`` registers it, ``stream`` cuts the text into source lines, ``document`` knows
the blocks, ``containers`` lists and quotes, ``prose`` long lines, ``inline`` what stands
within a line, ``wrapping`` rows, ``table`` tables, ``code`` fences, ``highlight`` and
``lexing`` their colours, ``theme`` every style.
"""
