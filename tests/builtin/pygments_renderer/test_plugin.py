"""How the renderer is registered, and what that costs."""

import subprocess
import sys

import pytest

from agno_shell.builtin.pygments_renderer import plugin
from agno_shell.contracts import RendererOptions
from agno_shell.errors import ConfigError


def test_it_registers_itself() -> None:
    (factory,) = plugin.register_renderers()
    assert factory.name == "pygments"
    stream = factory.open(RendererOptions(theme="dracula")).begin(80)
    assert stream.feed("**bold**\n") == [(("bold", "bold"),)]


def test_an_unknown_theme_is_refused_when_it_is_opened() -> None:
    (factory,) = plugin.register_renderers()
    with pytest.raises(ConfigError, match="no-such-theme"):
        factory.open(RendererOptions(theme="no-such-theme"))


def test_nothing_heavy_is_imported_before_the_first_reply() -> None:
    code = (
        "import sys\n"
        "from agno_shell.builtin.pygments_renderer.plugin import register_renderers\n"
        "from agno_shell.contracts import RendererOptions\n"
        "renderer = register_renderers()[0].open(RendererOptions())\n"
        "heavy = {'pygments', 'markdown_it', 'wcwidth', 'prompt_toolkit'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "renderer.begin(80)\n"
        "assert 'markdown_it' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
