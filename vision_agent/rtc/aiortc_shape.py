"""Whether parts of aiortc and aioice are still as the other `aiortc_*` files expect them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any


class Changed(Exception):
    """A part of aiortc or aioice differs; the text says which and how."""


def check_functions(wanted: Iterable[tuple[Any, str, list[str]]]) -> None:
    """Checks that modules and classes have these functions, with these parameters.

    Raises:
        Changed: One is gone, or takes other arguments.
    """
    for owner, name, parameters in wanted:
        found = getattr(owner, name, None)
        if found is None:
            raise Changed(f"{owner.__name__}.{name} is gone")
        if list(inspect.signature(found).parameters) != parameters:
            raise Changed(f"{owner.__name__}.{name} takes other arguments")


def check_attributes(owner: Any, names: Iterable[str]) -> None:
    """Checks that objects of a class are made with these attributes.

    Raises:
        Changed: The class does not set one of them.
    """
    for name in sorted(set(names) - set(owner.__init__.__code__.co_names)):
        raise Changed(f"{owner.__name__} no longer uses {name}")


def check_uses(wanted: Iterable[tuple[Any, str]]) -> None:
    """Checks that functions, or any method of classes, use these names.

    Raises:
        Changed: One does not.
    """
    for user, name in wanted:
        methods = vars(user).values() if inspect.isclass(user) else [user]
        functions = [inspect.unwrap(method) for method in methods if inspect.isfunction(method)]
        if not any(name in function.__code__.co_names for function in functions):
            raise Changed(f"{user.__qualname__} no longer uses {name}")
