"""Something to look at, in a home of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from agno_shell.base.paths import find_paths
from agno_shell.config import load_config, settings
from agno_shell.contracts import ProviderOptions, Renderer, RendererOptions
from agno_shell.conversation.models import Models
from agno_shell.diagnosis.subject import Subject
from agno_shell.errors import ConfigError
from agno_shell.plugins.manager import Plugins
from agno_shell.testing.memory_storage import MemoryStorage


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Only its owner may read it, and what a test writes there."""
    path = tmp_path / "home"
    path.mkdir(0o700)
    return path


@pytest.fixture
def look_at(home: Path) -> Callable[..., Subject]:
    """What is looked at with ``config`` in the user's file."""

    def subject(
        config: str = "",
        *,
        environ: Mapping[str, str] | None = None,
        file: Path | None = None,
        plugins: Plugins | None = None,
        all_plugins: bool = True,
    ) -> Subject:
        given = {"AGNO_SHELL_HOME": str(home), **(environ or {})}
        paths = find_paths(given)
        if config:
            written = file or Path(paths.config_file)
            written.touch(0o600)
            written.write_text(config)
        problems: list[ConfigError] = []
        loaded = load_config(
            paths, file=str(file) if file else None, environ=given, problem=problems.append
        )
        found = plugins or Plugins(off=loaded[settings.PLUGINS_OFF], installed=False)  # type: ignore[index]

        def open_renderer() -> Renderer:
            factory = found.renderers.get(loaded[settings.RENDERER_PLUGIN])
            return factory.open(RendererOptions(loaded[settings.RENDERER_THEME]))

        return Subject(
            paths,
            str(file) if file else paths.config_file,
            loaded,
            problems,
            found,
            all_plugins=all_plugins,
            open_storage=MemoryStorage,
            open_models=lambda: Models(
                found.providers.get("offline"),
                found.providers.get("offline"),
                lambda factory: factory.open(ProviderOptions()),
                default=None,
                environ={},
            ),
            open_renderer=open_renderer,
        )

    return subject
