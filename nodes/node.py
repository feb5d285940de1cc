"""What every node of the pack does when it runs: its inputs are checked, and its errors begin with its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps

from comfy_api.latest import io

from ..patches.told import speaking
from .values import checked


class Node(io.ComfyNode):
    """A node whose values are held against its own schema whenever it runs, whether they were typed or linked.

    The host checks the range of a typed number alone, and NaN passes there.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "execute" in cls.__dict__:
            cls.execute = classmethod(_checking(cls.__dict__["execute"].__func__))


def refusal(cls: type[Node], check: Callable[[], object]) -> bool | str:
    """For `validate_inputs`, before anything runs: True, or the sentence of check's ValueError, once.

    The host leaves linked values out, and reports an answer for every input that the method names: it names one.
    """
    try:
        with speaking(cls.define_schema().display_name):
            check()
    except ValueError as error:
        return str(error)
    return True


def _checking(execute: Callable) -> Callable:
    signature = inspect.signature(execute)
    rest = next((name for name, given in signature.parameters.items() if given.kind is given.VAR_KEYWORD), "")

    @wraps(execute)
    def run(cls: type[Node], *args: object, **given: object) -> io.NodeOutput:
        schema = cls.define_schema()
        with speaking(schema.display_name):
            values = dict(signature.bind(cls, *args, **given).arguments)
            del values["cls"]
            more = values.pop(rest, {})
            return execute(cls, **checked(schema, values | more))

    return run
