from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from agno_shell.base.paths import find_paths
from agno_shell.config import docs, load_config, settings


def test_the_files_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs.main(["--check"]) == 0, capsys.readouterr().err


def test_the_example_with_every_line_switched_on_is_right_and_holds_every_default(
    tmp_path: Path,
) -> None:
    switched_on = re.sub(r"^#(?! )", "", docs.example(), flags=re.MULTILINE)
    (tmp_path / "config.toml").write_text(switched_on)
    config = load_config(find_paths({"AGNO_SHELL_HOME": str(tmp_path)}), environ={})
    for setting in settings.ALL:
        if setting is not settings.STORAGE_PATH:
            assert config[setting] == setting.default
        assert "config.toml" in config.source(setting)
    assert config.agents["analyst"].parameters == {"temperature": 0.2, "max_tokens": 4000}
    assert set(config.agents) == {"analyst", "brief"}


def test_the_example_as_it_is_sets_nothing() -> None:
    assert tomllib.loads(docs.example()) == {}


def test_the_documentation_names_every_setting_and_variable() -> None:
    text = docs.settings_table()
    for setting in settings.ALL:
        assert f"| `{setting.name.rpartition('.')[2]}` |" in text
        assert f"`{setting.variable}`" in text


def test_the_toml_examples_in_the_documentation_are_right(tmp_path: Path) -> None:
    pages = [docs.ROOT / "docs" / f"{name}.md" for name in ("configuration", "agents", "providers")]
    text = "".join(page.read_text() for page in pages)
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(examples) >= 4
    for text in examples:
        (tmp_path / "config.toml").write_text(text)
        load_config(find_paths({"AGNO_SHELL_HOME": str(tmp_path)}), environ={})


def test_a_stale_file_is_named_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    page = docs.page((docs.ROOT / "docs" / "configuration.md").read_text())
    (tmp_path / "docs" / "configuration.md").write_text(page.replace("`connect`", "`conect`"))
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    assert docs.main(["--check"]) == 1
    error = capsys.readouterr().err
    assert "config.example.toml is out of date" in error
    assert "configuration.md is out of date" in error
    assert not (tmp_path / "config.example.toml").exists()
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    assert (tmp_path / "docs" / "configuration.md").read_text() == page


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="must hold the markers"):
        docs.page("no markers")
