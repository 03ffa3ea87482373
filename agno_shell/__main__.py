"""``python -m agno_shell``."""

import os
import sys

# ``-m`` puts the working directory first in the search path, and a file there that is
# called like a library would run in its place.
try:
    if not sys.flags.safe_path and sys.path[:1] in ([""], [os.getcwd()]):
        del sys.path[0]
except OSError:  # the working directory is gone
    pass

from agno_shell.cli import main

sys.exit(main())
