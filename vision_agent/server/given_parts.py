"""Checks a program's arguments of `VideoAgent`, so that mistakes are reported before any call."""

from __future__ import annotations

import inspect


def check_function(name: str, given: object, takes: str) -> None:
    """Refuse an argument that can't be called with one argument.

    Args:
        name: The name of the argument.
        given: Its value; None if it was not given.
        takes: The name of the function's parameter.

    Raises:
        TypeError: It is not a function of one argument; the text says what it is.
    """
    if given is None:
        return
    if isinstance(given, type) or not callable(given):
        raise TypeError(f"{name} is a function of {takes}, and this is {_described(given)}.")
    if inspect.isgeneratorfunction(given) or inspect.isasyncgenfunction(given):
        raise TypeError(f"{name} is a generator function: it has to return, not to yield.")
    try:
        signature = inspect.signature(given)
    except (TypeError, ValueError):
        return  # a function written in C may have no signature
    try:
        signature.bind(None)
    except TypeError as error:
        raise TypeError(
            f"{name} is called with {takes} alone, and this takes {signature}."
        ) from error


def check_instance(name: str, given: object, kind: type) -> None:
    """Refuse an argument that is not an instance of a class.

    Args:
        name: The name of the argument.
        given: Its value; None if it was not given.
        kind: The class.

    Raises:
        TypeError: It is something else; the text says what.
    """
    if given is not None and not isinstance(given, kind):
        raise TypeError(f"{name} is a {kind.__name__}, and this is {_described(given)}.")


def _described(given: object) -> str:
    # The object itself is not shown: its text may hold a password.
    if isinstance(given, type):
        return f"the class {given.__name__} itself"
    return f"of the type {type(given).__name__}"
