"""The contract of renderers, on the default one."""

import pytest

from agno_shell.builtin.pygments_renderer.stream import PygmentsRenderer
from agno_shell.contracts import Renderer
from agno_shell.testing.renderer_contract import RendererContract


class TestContract(RendererContract):
    @pytest.fixture
    def renderer(self) -> Renderer:
        return PygmentsRenderer()
