"""Whether any plugin may be installed, found out without what reads entry points."""

from __future__ import annotations

import os
import re
import sys
from importlib.machinery import PathFinder

FILE = "entry_points.txt"

GROUP = "agno_shell"
"""The entry-point group of plugins."""


def may_have(group: str) -> bool:
    """Whether any distribution may have such an entry point. Most users have no plugin, and
    are spared two megabytes of ``importlib.metadata`` and what it imports."""
    finders = [each for each in sys.meta_path if hasattr(each, "find_distributions")]
    if any(each is not PathFinder for each in finders):
        return True  # a foreign finder can find them anywhere
    section = re.compile(rb"^\s*\[\s*%s\s*\]" % re.escape(group).encode(), re.MULTILINE)
    try:
        return any(_folder_may_have(folder or os.curdir, section) for folder in sys.path)
    except (OSError, ValueError):
        return True  # what is wrong is reported where it is read


def _folder_may_have(path: str, section: re.Pattern[bytes]) -> bool:
    if not os.path.isdir(path):
        return os.path.isfile(path)  # an archive
    for name in os.listdir(path):
        lower = name.lower()
        if lower.endswith(".egg"):
            return True
        if lower.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(path, name, FILE), "rb") as file:
                    if section.search(file.read()):
                        return True
            except (FileNotFoundError, NotADirectoryError):
                continue
    return False
