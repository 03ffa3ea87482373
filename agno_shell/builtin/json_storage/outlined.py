"""The part of the storage that finds its way in long sessions by their outlines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from agno_shell.builtin.json_storage.folder import MESSAGES
from agno_shell.builtin.json_storage.problems import reading
from agno_shell.contracts.storage import Storage
from agno_shell.types import Message, Stretch

if TYPE_CHECKING:
    from agno_shell.builtin.json_storage.outline import Outline
    from agno_shell.builtin.json_storage.session_catalog import SessionCatalog

T = TypeVar("T")


class OutlinedStorage(Storage):
    """Reads the outline of a session instead of the session, where its file allows that."""

    is_outlined = True
    _root: str
    _cache_path: str
    _catalog: SessionCatalog
    _places: Mapping[str, dict[str, int]] = MappingProxyType({})
    """Of messages in it that were located."""
    _outlines: Mapping[str, Outline] = MappingProxyType({})
    """That of the session that was looked at last."""

    def outline(self, session_id: str) -> list[Stretch]:
        def work(_path: str, known: Outline) -> list[Stretch]:
            return known.stretches

        return self._by_outline(
            session_id, work, lambda: super(OutlinedStorage, self).outline(session_id)
        )

    def part(self, session_id: str, start: int, stop: int) -> list[Message]:
        from agno_shell.builtin.json_storage import outline

        def work(path: str, known: Outline) -> list[Message]:
            return outline.part(path, known, start, stop)

        return self._by_outline(
            session_id, work, lambda: super(OutlinedStorage, self).part(session_id, start, stop)
        )

    def locate(self, session_id: str, message_ids: Collection[str]) -> dict[str, int]:
        from agno_shell.builtin.json_storage import outline

        def work(path: str, known: Outline) -> dict[str, int]:
            places = self._places.get(session_id, {})
            unknown = [each for each in message_ids if each not in places]
            if unknown:
                # A message that stands far back is asked for again and again.
                places |= outline.locate(path, known, unknown)
                self._places = {session_id: places}
            return {each: places[each] for each in message_ids if each in places}

        return self._by_outline(
            session_id, work, lambda: super(OutlinedStorage, self).locate(session_id, message_ids)
        )

    def _by_outline(
        self, session_id: str, work: Callable[[str, Outline], T], otherwise: Callable[[], T]
    ) -> T:
        from agno_shell.builtin.json_storage import outline

        path = f"{self._catalog.folder(session_id)}/{MESSAGES}"
        kept = outline.place_of_cache(self._cache_path, self._root, session_id)
        with reading(path):
            try:
                before = self._outlines.get(session_id)
                known = outline.of(path, kept, before)
                if before is None or not outline.goes_on(before, known):
                    self._places = {}
                self._outlines = {session_id: known}
                return work(path, known)
            except (FileNotFoundError, outline.IrregularError):
                return otherwise()
