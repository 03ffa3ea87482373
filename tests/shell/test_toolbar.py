from __future__ import annotations

from agno_shell.contracts import ToolbarItem, ToolbarView
from agno_shell.shell.status import toolbar_line
from agno_shell.types import Session, new_id, now

VIEW = ToolbarView(Session(new_id(), "Taxes", now(), now()), "gpt-x", "poet", True, 2)


def text(view: ToolbarView, items: list[ToolbarItem], width: int) -> str:
    return "".join(part for _style, part in toolbar_line(view, items, width))


def test_what_it_says() -> None:
    items = [ToolbarItem("last"), ToolbarItem("early", order=5), ToolbarItem("")]
    assert text(VIEW, items, 80) == "Taxes · early · gpt-x · agent poet · 2 waiting · last"


def test_what_was_added_elsewhere_is_counted() -> None:
    line = toolbar_line(VIEW, [], 80, elsewhere=3)
    assert "".join(part for _style, part in line).endswith(" · 3 added elsewhere")
    assert "elsewhere" not in text(VIEW, [], 80)


def test_what_does_not_fit_is_left_out() -> None:
    assert text(VIEW, [], 20) == "Taxes · gpt-x"
    assert text(VIEW, [], 3) == ""


def test_foreign_text_is_made_visible() -> None:
    assert text(VIEW, [ToolbarItem("\x1b[31mred\nnew", order=-1)], 80).startswith("␛[31mred new")
