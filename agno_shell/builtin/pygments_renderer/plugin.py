"""Registers the renderer ``pygments``; imports nothing heavy."""

from __future__ import annotations

from agno_shell.contracts import Renderer, RendererFactory, RendererOptions
from agno_shell.hookspecs import hookimpl


def open_renderer(options: RendererOptions) -> Renderer:
    """Raises :class:`~agno_shell.errors.ConfigError` for a theme that does not exist."""
    from agno_shell.builtin.pygments_renderer.stream import PygmentsRenderer

    return PygmentsRenderer(options.theme)


@hookimpl
def register_renderers() -> list[RendererFactory]:
    return [
        RendererFactory(
            "pygments",
            "Markdown with headings, lists and tables; code coloured by pygments",
            open_renderer,
        )
    ]
