"""The tables of docs/providers.md are those of the records, and no variable is kept secret."""

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
    old = docs.PAGE.read_text(encoding="utf-8").replace("OPENROUTER_API_BASE", "OPENROUTER_BASE")
    page = tmp_path / "providers.md"
    page.write_text(old, encoding="utf-8")
    monkeypatch.setattr(docs, "PAGE", page)
    assert docs.main(["--check"]) == 1
    assert "Run: python -m agno_shell.builtin.direct_provider.docs" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0


def test_a_page_without_the_place_of_a_table_is_not_written() -> None:
    with pytest.raises(ValueError, match="services"):
        docs.page("# Nothing\n")


def test_every_variable_that_is_read_is_named() -> None:
    page = docs.PAGE.read_text(encoding="utf-8")
    read = {name for each in SERVICES for name in (*each.key_variables, *each.address_variables)}
    # Which variables hold the keys of services that litellm asks is its own matter.
    read -= {name for each in SERVICES if not each.wire for name in each.key_variables}
    read |= {*azure.VERSION_VARIABLES, *azure.SIGN_INS_OF_LITELLM, *trust.FILES, "SSL_CERT_DIR"}
    assert not {name for name in read if f"`{name}`" not in page}
