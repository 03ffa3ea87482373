"""What ``--print-completion SHELL`` prints: argcomplete's scripts, which ask the program itself
what could stand at the cursor.
"""

from __future__ import annotations

PROGRAM = "agno-shell"

INSTALL = {
    "bash": """echo 'eval "$(agno-shell --print-completion bash)"' >> ~/.bashrc""",
    "zsh": """echo 'eval "$(agno-shell --print-completion zsh)"' >> ~/.zshrc  # behind compinit""",
    "fish": "echo 'agno-shell --print-completion fish | source' >> ~/.config/fish/config.fish",
    "tcsh": "agno-shell --print-completion tcsh >> ~/.tcshrc",
}
"""By shell, the line that installs its script."""

# The library has none any more. `answer` knows what tcsh reports, and how it splits words.
_TCSH = (
    "complete agno-shell 'p@*@`env _ARGCOMPLETE=1 _ARGCOMPLETE_SHELL=tcsh "
    "_ARGCOMPLETE_STDOUT_FILENAME=/dev/stdout agno-shell`@'\n"
)


def script(shell: str) -> str:
    """The script for ``shell``, one of :data:`INSTALL`, with the line that installs it."""
    if shell == "tcsh":
        text = _TCSH
    else:
        from argcomplete.shell_integration import shellcode

        # Without its defaults: where nothing fits, bash would offer files for a name.
        text = shellcode([PROGRAM], shell=shell, complete_arguments=["-o", "nospace"])
    note = f"# Completes agno-shell by Tab. To install it:\n#   {INSTALL[shell]}\n"
    # zsh looks at the first line to find what a file in its fpath completes.
    tag, newline, rest = text.partition("\n")
    return f"{tag}{newline}{note}{rest}" if tag.startswith("#compdef") else note + text.lstrip()
