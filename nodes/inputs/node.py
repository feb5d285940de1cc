"""What every node of the pack does when it runs: its inputs are checked, and its errors begin with its name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps

from comfy_api.latest import io

from ...patches.run.told import speaking
from .values import checked

CHECKED = "lm_checked"


class Node(io.ComfyNode):
    """A node whose values are held against its own schema whenever it runs, whether they were typed or linked.

    The host checks the range of a typed number alone, and NaN passes there.
    """

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        own = cls.__dict__.get("execute")
        if own and not hasattr(own.__func__, CHECKED):  # the host calls it on locked copies, which hold it already
            cls.execute = classmethod(_checking(own.__func__))


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

    setattr(run, CHECKED, True)
    return run
