"""What to say when litellm cannot be imported."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, metadata, requires
from importlib.util import find_spec

PACKAGE = "agno-shell"
LITELLM = "litellm"

LONGEST = 600
"""Characters of a reason: a command that is cut off would be of no use."""


_NOT_INSTALLED = "This model is asked through litellm, which is not installed"


def says_all(reason: str) -> bool:
    """Whether a reason is a whole sentence for a user, and no log has more to say."""
    return reason.startswith(_NOT_INSTALLED)


def reason(error: BaseException) -> str:
    """Why litellm could not be imported; where something is not installed, the command that
    installs it into the environment that runs."""
    if isinstance(error, ModuleNotFoundError):
        # What litellm itself needs comes with it.
        part = "" if error.name == LITELLM else f" ({error.name}, which it needs, is missing)"
        return f"{_NOT_INSTALLED}{part}. Install it: {install_command()}"
    return f"litellm could not be imported: {type(error).__name__}: {error}"


def install_command(prefix: str = sys.prefix, python: str = sys.executable) -> str:
    """The line that installs litellm into the environment at ``prefix``."""
    if os.path.exists(os.path.join(prefix, "pipx_metadata.json")):
        # pipx injects nothing under the name of the package that is there already.
        return _line("pipx", "inject", os.path.basename(prefix), requirement())
    wanted = f"{PACKAGE}[{LITELLM}]" if _has_extra() else requirement()
    if not _has_pip(prefix):  # as uv makes them
        return _line("uv", "pip", "install", "--python", python, wanted)
    return _line(python, "-m", "pip", "install", wanted)


def requirement() -> str:
    """litellm with the versions that this program takes."""
    try:
        listed = requires(PACKAGE) or []
    except PackageNotFoundError:  # run from a folder without being installed
        listed = []
    for each in listed:
        if each.startswith(LITELLM) and ";" not in each:
            return each.replace(" ", "")
    return LITELLM


def _has_extra() -> bool:
    """Whether this program is installed, and by a package that knows the extra."""
    try:
        return LITELLM in (metadata(PACKAGE).get_all("Provides-Extra") or ())
    except PackageNotFoundError:
        return False


def _has_pip(prefix: str) -> bool:
    if os.path.exists(os.path.join(prefix, "uv-receipt.toml")):
        return False
    return find_spec("pip") is not None


def _line(*words: str) -> str:
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline(words)
    import shlex

    return shlex.join(words)
