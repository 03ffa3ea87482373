"""``python -m agno_shell``."""

import sys

from agno_shell.cli import main

sys.exit(main())
