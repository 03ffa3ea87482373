"""The tables of the documentation are those of the records, and every variable is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from agno_shell.builtin.direct_provider import azure, docs
from agno_shell.builtin.model_services import trust
from agno_shell.builtin.model_services.services import SERVICES


def test_the_page_has_the_tables_of_the_records() -> None:
    assert docs.main(["--check"]) == 0


def test_a_table_that_has_drifted_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in docs.PAGES:
        old = (docs.FOLDER / name).read_text(encoding="utf-8")
        drifted = old.replace("OPENROUTER_API_BASE", "OPENROUTER_BASE")
        (tmp_path / name).write_text(drifted, encoding="utf-8")
    monkeypatch.setattr(docs, "FOLDER", tmp_path)
    assert docs.main(["--check"]) == 1
    assert "run python -m agno_shell.builtin.direct_provider.docs" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0


def test_a_page_without_the_place_of_a_table_is_not_written() -> None:
    with pytest.raises(ValueError, match="models"):
        docs.page("providers.md", "# Nothing\n")


def test_every_variable_that_is_read_is_named() -> None:
    page = "".join((docs.FOLDER / name).read_text(encoding="utf-8") for name in docs.PAGES)
    read = {name for each in SERVICES for name in (*each.key_variables, *each.address_variables)}
    # Which variables hold the keys of services that litellm asks is its own matter.
    read -= {name for each in SERVICES if not each.wire for name in each.key_variables}
    read |= {*azure.VERSION_VARIABLES, *azure.SIGN_INS_OF_LITELLM, *trust.FILES, "SSL_CERT_DIR"}
    assert not {name for name in read if f"`{name}`" not in page}
