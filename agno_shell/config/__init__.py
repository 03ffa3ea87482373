"""The configuration of one run, from files, the environment and the command line. Private.

What ``session --list`` does not need is loaded when it is first asked for.
"""

from agno_shell.base.lazy_names import lazy_names

_HOMES = {
    "agents": "Agent",
    "loading": "load_config",
    "record": "Config",
    "writing": "new_agent remember",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
