# Made from _HOMES in __init__.py by python -m agno_shell.base.stubs.

from .agents import Agent as Agent
from .loading import load_config as load_config
from .record import Config as Config
from .writing import new_agent as new_agent
from .writing import remember as remember
