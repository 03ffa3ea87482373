"""The floor: the least that a prompt_toolkit program does before it can be typed into."""

from prompt_toolkit import PromptSession

PromptSession().prompt("› ")
