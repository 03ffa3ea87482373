"""Names of a package that are loaded when they are first asked for (PEP 562)."""

TYPE_CHECKING = False  # as in ``typing``, without importing it at every start
if TYPE_CHECKING:
    from collections.abc import Callable


def lazy_names(package: str, homes: "dict[str, str]") -> "Callable[[str], object]":
    """The ``__getattr__`` of ``package``; ``homes`` has, for each of its modules, the
    names that it lends to the package, with blanks between them."""

    def load(name: str) -> object:
        import sys
        from importlib import import_module

        for home, names in homes.items():
            if name in names.split():
                value: object = getattr(import_module(f"{package}.{home}"), name)
                setattr(sys.modules[package], name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return load
