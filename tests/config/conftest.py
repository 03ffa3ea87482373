from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agno_shell.base.paths import Paths, find_paths
from agno_shell.config import Config, load_config


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return find_paths({"AGNO_SHELL_HOME": str(tmp_path)})


@pytest.fixture
def load(paths: Paths) -> Callable[..., Config]:
    """Load what the user's and the shell's file hold, by default nothing."""

    def load_texts(
        user: str | bytes = "",
        shell: str | bytes = "",
        *,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> Config:
        for path, text in ((paths.config_file, user), (paths.shell_config_file, shell)):
            Path(path).write_bytes(text.encode() if isinstance(text, str) else text)
        return load_config(paths, environ=environ or {}, overrides=overrides or {})

    return load_texts
