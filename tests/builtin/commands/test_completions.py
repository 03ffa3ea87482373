from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agno_shell.builtin.commands import completions
from agno_shell.contracts import Completion, KnownModel, ModelList
from agno_shell.errors import ProviderError
from agno_shell.testing.fake_context import FakeProvider


def texts(completions: Any) -> Any:
    return [completion.text for completion in completions]


async def test_switch_offers_every_other_session_by_name(
    context: Any, complete: Callable[..., Any]
) -> None:
    garden = context.memory.create("My garden")
    [offered] = await complete(context, "/switch ")
    assert offered.text == "My garden"
    assert offered.meta == f"{garden.session_id[:8]} · 0 messages · just now"


async def test_ids_are_offered_once_a_part_is_typed(
    context: Any, complete: Callable[..., Any]
) -> None:
    garden = context.memory.create("My garden")
    offered = await complete(context, f"/switch {garden.session_id[:3]}")
    assert texts(offered) == ["My garden", garden.session_id[:8]]
    assert offered[1].meta.startswith("My garden")
    long = garden.session_id[:15]
    assert texts(await complete(context, f"/switch {long}"))[1] == long
    assert texts(await complete(context, f"/switch {garden.session_id[:1]}")) == ["My garden"]


async def test_of_very_many_the_newest_are_offered_that_may_be_meant(
    context: Any, complete: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "OFFERED", 3)
    made = [context.memory.create(f"Garden {number}") for number in range(6)]
    for session in made:
        context.memory.update(session.session_id, description="newer than the one before")
    assert texts(await complete(context, "/switch ")) == ["Garden 5", "Garden 4", "Garden 3"]
    assert texts(await complete(context, "/switch gn0")) == ["Garden 0"]
    assert texts(await complete(context, '/rename "gn1')) == ['"Garden 1" ']
    begun = made[0].session_id[:9]
    assert begun in texts(await complete(context, f"/switch {begun}"))


@pytest.mark.parametrize("name", ["First", "bad\x1bname", "two\nlines", "x" * 201])
async def test_a_name_that_would_not_find_its_session_gives_way_to_the_id(
    context: Any, complete: Callable[..., Any], name: str
) -> None:
    other = context.memory.create(name)
    [offered] = await complete(context, "/switch ")
    assert offered.text == other.session_id[:8]
    assert "\x1b" not in offered.meta


@pytest.mark.parametrize("command", ["rename", "describe"])
async def test_a_reference_is_quoted_and_what_follows_is_free(
    context: Any, complete: Callable[..., Any], command: Any
) -> None:
    context.memory.create("My garden")
    context.memory.create("Kitchen")
    context.memory.create('The "old" house')
    offered = texts(await complete(context, f"/{command} "))
    assert sorted(offered) == ['"My garden" ', "'The \"old\" house' ", "Kitchen "]
    assert await complete(context, f"/{command} Kitchen new") == []


async def test_every_reference_that_is_offered_is_understood(
    context: Any, complete: Callable[..., Any], type_line: Callable[..., Any]
) -> None:
    for name in ("My garden", "Kitchen", 'The "old" house', "First"):
        context.memory.create(name)
    for offered in await complete(context, "/rename "):
        printed = await type_line(context, f"/rename {offered.text}Changed")
        assert context.engine.session.session_id[:8] not in printed.splitlines()[0]
    assert [each.name for each in context.memory.sessions()].count("Changed") == 4


async def test_delete_completes_like_switch(context: Any, complete: Callable[..., Any]) -> None:
    context.memory.create("My garden")
    assert texts(await complete(context, "/delete ")) == ["My garden"]


async def test_the_trash_is_offered_for_undelete(
    context: Any, complete: Callable[..., Any]
) -> None:
    ids = [
        context.memory.delete(context.memory.create(name).session_id).trash_id
        for name in ("Garden", "Garden", "Kitchen")
    ]
    offered = await complete(context, "/undelete ")
    assert texts(offered) == ["Kitchen", ids[1], ids[0]]
    assert offered[0].meta == "Kitchen · deleted just now · 0 messages"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The working directory, and the home folder, with something in it."""
    for name in ("notes.md", "My file.json", ".hidden", "bad\x1bname", "it's'", " blank"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "deep.md").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


async def test_files_and_folders_are_offered_for_save(
    context: Any, complete: Callable[..., Any], folder: Any
) -> None:
    assert texts(await complete(context, "/save ")) == ["My file.json", "notes.md", "sub/"]
    assert texts(await complete(context, "/save sub/d")) == ["sub/deep.md"]
    assert texts(await complete(context, "/save ~/sub/")) == ["~/sub/deep.md"]
    assert texts(await complete(context, f"/save {folder}/sub/")) == [f"{folder}/sub/deep.md"]
    assert texts(await complete(context, "/save .h"))[0] == ".hidden"
    assert texts(await complete(context, '/save "My')) == ['"My file.json']
    for nowhere in ("nowhere/", "notes.md/", "a\0b/"):
        assert await complete(context, f"/save {nowhere}") == []


async def test_models_come_from_the_provider(
    make_context: Callable[..., Any], complete: Callable[..., Any]
) -> None:
    context = make_context(provider=FakeProvider(models=("a-model", "b-model")))
    assert texts(await complete(context, "/model ")) == ["a-model", "b-model"]
    assert texts(await complete(context, "/model --d"))[0] == "--default "
    assert texts(await complete(context, "/model --default b")) == [
        "--default a-model",
        "--default b-model",
    ]


async def test_a_provider_that_fails_offers_nothing(
    make_context: Callable[..., Any], complete: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = make_context()

    async def fail() -> None:
        raise ProviderError("not ready")

    monkeypatch.setattr(context.engine.provider, "models", fail)
    assert await complete(context, "/model ") == []


async def test_agents_and_none(
    make_context: Callable[..., Any], complete: Callable[..., Any]
) -> None:
    context = make_context(agents={"poet": object()})
    assert texts(await complete(context, "/agent ")) == ["poet", "none", "new "]


@pytest.mark.parametrize("name", ["trace", "metrics"])
async def test_on_and_off(context: Any, complete: Callable[..., Any], name: str) -> None:
    assert texts(await complete(context, f"/{name} ")) == ["on", "off"]


async def test_help_offers_each_command_once(context: Any, complete: Callable[..., Any]) -> None:
    names = list(context.app.commands)
    context.app.commands = {**context.app.commands, "quit": context.app.commands["exit"]}
    assert texts(await complete(context, "/help ")) == names


class ServersProvider(FakeProvider):
    """Knows one name; its servers, once they answer, another."""

    def __init__(self) -> None:
        super().__init__(models=("known-model",))
        self.may_answer = asyncio.Event()

    async def list_models(self, model: Any = "", api_base: Any = None) -> Any:
        await self.may_answer.wait()
        return ModelList([KnownModel("served-model", 4096, None, 1e-6, 2e-6)])


async def test_a_menu_does_not_wait_for_servers(
    make_context: Callable[..., Any], complete: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completions, "MODELS_PATIENCE", 0)
    context = make_context(provider=ServersProvider())
    assert texts(await complete(context, "/model ")) == ["known-model"]


async def test_a_menu_says_what_servers_say_of_models(
    make_context: Callable[..., Any], complete: Callable[..., Any]
) -> None:
    provider = ServersProvider()
    provider.may_answer.set()
    [offered] = await complete(make_context(provider=provider), "/model ")
    assert offered == Completion("served-model", "4,096 tokens · $1.00 / $2.00")
