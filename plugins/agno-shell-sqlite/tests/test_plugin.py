"""The plugin as the shell sees it: its hook, its cost, and chosen in the configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import agno_shell_sqlite
import pluggy
from agno_shell_sqlite.store import SqliteStorage

from agno_shell import StorageOptions, hookspecs


def test_the_storage_is_registered_and_opens(tmp_path):
    manager = pluggy.PluginManager(hookspecs.GROUP)
    manager.add_hookspecs(hookspecs)
    manager.register(agno_shell_sqlite, "sqlite")
    manager.check_pending()
    [[factory]] = manager.hook.register_storages()
    assert factory.name == "sqlite"
    storage = factory.open(StorageOptions(str(tmp_path)))
    assert isinstance(storage, SqliteStorage)
    storage.close()


def test_importing_the_plugin_imports_nothing_heavy():
    code = (
        "import sys, agno_shell_sqlite\n"
        "heavy = {'agno_shell_sqlite.store', 'sqlite3', 'filelock', 'asyncio', 'dataclasses'}\n"
        "from agno_shell import hookspecs\n"
        "before = set(sys.modules)\n"
        "agno_shell_sqlite.register_storages()\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def run(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "agno_shell", *arguments],
        env={"PATH": os.environ["PATH"], "AGNO_SHELL_HOME": str(home), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_chosen_in_the_configuration_it_keeps_the_sessions(tmp_path):
    (tmp_path / "config.toml").write_text('[storage]\nplugin = "sqlite"\n')
    assert json.loads(run(tmp_path, "session", "--list", "--json")) == []
    assert not (tmp_path / "sessions").exists()
    run(tmp_path, "session", "--create", "Blue cups", "--description", "and saucers")
    [listed] = json.loads(run(tmp_path, "session", "--list", "--json"))
    assert (listed["name"], listed["description"]) == ("Blue cups", "and saucers")
    assert os.listdir(tmp_path / "sessions") == ["sessions.sqlite3"]
    run(tmp_path, "session", "--delete", "Blue cups")
    assert json.loads(run(tmp_path, "session", "--list", "--json")) == []
