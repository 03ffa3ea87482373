"""Names of a package that are loaded when they are first asked for (PEP 562)."""

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from collections.abc import Callable


def lazy_names(
    package: str, homes: "dict[str, str]"
) -> "tuple[Callable[[str], object], Callable[[], list[str]]]":
    """The ``__getattr__`` and the ``__dir__`` of ``package``.

    ``homes`` has, for each of its modules, the names that the package takes from it, with
    blanks between them. Names are written there and nowhere else: ``__all__`` is made of
    them when it is asked for, and ``agno_shell.base.stubs`` makes the stub that type
    checkers and editors read. The table is plain strings, because it is made at every
    start, and is taken apart only when a name is missing.
    """

    def promised() -> list[str]:
        return sorted(" ".join(homes.values()).split())

    def load(name: str) -> object:
        import sys
        from importlib import import_module

        if name == "__all__":
            return promised()
        for home, names in homes.items():
            if name in names.split():
                value: object = getattr(import_module(f"{package}.{home}"), name)
                setattr(sys.modules[package], name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        import sys

        return sorted({*vars(sys.modules[package]), *promised()})

    return load, listed
