from __future__ import annotations

import logging
import os

import pytest
from agno_shell_mcp.log import Log


@pytest.fixture
def open_log():
    opened = []

    def open_log(path):
        opened.append(Log(path and str(path)))
        return opened[-1]

    yield open_log
    for log in opened:
        log.close()


@pytest.fixture
def elsewhere():
    """The records of all loggers."""
    records = []

    class Ear(logging.Handler):
        def emit(self, record):
            records.append(record.getMessage())

    ear = Ear()
    logging.getLogger().addHandler(ear)
    yield records
    logging.getLogger().removeHandler(ear)


def test_the_sdk_speaks_to_the_log_and_to_nobody_else(open_log, log, capfd, elsewhere):
    logger = logging.getLogger("mcp.client.something")
    first = open_log(log)
    logger.warning("a warning")
    first.close()
    logger.warning("nobody listens")
    assert log.read_text() == "a warning\n"
    assert capfd.readouterr() == ("", "")
    assert elsewhere == []
    second = open_log(log)
    logger.error("another")
    second.close()
    assert log.read_text() == "a warning\nanother\n"


def test_it_is_private_and_does_not_grow_for_ever(open_log, log):
    open_log(log)
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700
    log.write_bytes(b"x" * 2_000_000)
    open_log(log)
    assert log.stat().st_size == 0


@pytest.mark.parametrize("kind", ["none", "folder", "fifo", "link", "under a file"])
def test_where_there_can_be_no_log_nothing_is_lost(open_log, tmp_path, kind):
    path = tmp_path / "mcp.log"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    elif kind == "under a file":
        path.write_text("")
        path = path / "logs" / "mcp.log"
    opened = open_log(None if kind == "none" else path)
    opened.file.write("lost\n")
    opened.file.flush()
    assert not (tmp_path / "elsewhere").exists()
