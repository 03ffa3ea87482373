"""A provider that speaks the common protocols itself, in the shell's own process.

It reads what a server sends strictly: a reply is complete only when the protocol's own end
was received, and nothing is skipped in silence.
"""
