"""The shell's own colours. No backgrounds: they must be readable on dark and light."""

from __future__ import annotations

from prompt_toolkit.styles import Style

STYLE = Style.from_dict(
    {
        "prompt": "bold ansicyan",
        "question": "bold",
        "notice": "ansibrightblack",
        "heading": "bold",
        "error": "ansired",
        "busy": "ansicyan",
        "tool": "ansicyan",
        "reasoning": "italic ansibrightblack",
        "choice.selected": "reverse",
        "toolbar": "ansibrightblack",
        "toolbar.session": "ansicyan",
        "completion-menu": "noinherit bg:#303030 #d0d0d0",
        # prompt_toolkit's own dark grey is for a light menu.
        "completion-menu.completion fuzzymatch.outside": "#d0d0d0",
        "completion-menu.completion.current fuzzymatch.outside": "#ffffff",
        "completion-menu.completion.current": "noinherit bg:#005f87 #ffffff",
        "completion-menu.meta.completion": "noinherit bg:#303030 #909090",
        "completion-menu.meta.completion.current": "noinherit bg:#005f87 #d0d0d0",
    }
)
