"""A pretended accelerator on a machine that has none: device `far:0`, whose tensors are CPU tensors in a wrapper.

Mixing them with CPU tensors raises as CUDA does; scalars, index tensors and copies between the two are free.

    register()                                            # once in a process, before models are made
    torch.zeros(2, device="far:0") + torch.zeros(2)       # RuntimeError: Expected all tensors to be on the same device
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

NAME = "far"
FREE = "copy_ to type_as cpu expand_as view_as reshape_as _to_copy index index_put_ index_put _index_put_impl_ set_"
MIXED = {f"aten::{name}" for name in FREE.split()}
"""Operations that take tensors of both devices."""
CPU = torch.device("cpu")
_library: list = []


class Far(Tensor):
    """A tensor on `far:0`; `raw` is the CPU tensor that holds its values."""

    @staticmethod
    def __new__(cls, raw: Tensor, requires_grad: bool = False):
        form = dict(strides=raw.stride(), storage_offset=raw.storage_offset(), dtype=raw.dtype, layout=raw.layout)
        place = dict(device=torch.device(NAME, 0), requires_grad=requires_grad)
        made = Tensor._make_wrapper_subclass(cls, raw.size(), **form, **place)
        made.raw = raw
        return made

    def __repr__(self) -> str:
        return f"far({self.raw!r})"

    def tolist(self) -> list:
        return self.raw.tolist()

    def numpy(self, *_: object, **__: object):
        raise TypeError("can't convert far:0 device type tensor to numpy; use Tensor.cpu() first")

    __array__ = numpy

    def __deepcopy__(self, memo: dict) -> Far:
        return Far(self.raw.clone(), self.requires_grad)

    def __reduce_ex__(self, protocol: int) -> tuple:
        return Far, (self.raw,)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {})


def is_far(device: object) -> bool:
    return device is not None and torch.device(device).type == NAME


def _run(func, args: tuple, kwargs: dict) -> object:
    """One operation on the raw tensors; what comes out is far where it should be."""
    flat, spec = pytree.tree_flatten((args, kwargs))
    tensors = [x for x in flat if isinstance(x, Tensor)]
    name = func._schema.name
    if name == "aten::_has_compatible_shallow_copy_type":
        return False
    _check(name, tensors)
    raw_args, raw_kwargs = pytree.tree_unflatten([_raw(x) for x in flat], spec)
    if raw_kwargs.get("pin_memory"):
        raw_kwargs = {**raw_kwargs, "pin_memory": False}
    out = func(*raw_args, **raw_kwargs)
    wrap = _goes_far(func, name, args, kwargs, tensors)
    if not isinstance(out, tuple | list):
        return _wrapped(out, func, 0, tensors, wrap)
    return type(out)(_wrapped(x, func, i, tensors, wrap) for i, x in enumerate(out))


def _check(name: str, tensors: list[Tensor]) -> None:
    near = any(not isinstance(x, Far) and x.dim() > 0 for x in tensors)
    if near and any(isinstance(x, Far) for x in tensors) and name not in MIXED:
        shapes = [(str(x.device), tuple(x.shape)) for x in tensors]
        raise RuntimeError(f"Expected all tensors to be on the same device, but got far:0 and cpu in {name} {shapes}")


def _raw(x: object) -> object:
    if isinstance(x, Far):
        return x.raw
    return CPU if isinstance(x, torch.device) and x.type == NAME else x


def _goes_far(func, name: str, args: tuple, kwargs: dict, tensors: list[Tensor]) -> bool:
    """Whether the result is far: by the device that was asked for, else if any argument is."""
    device = kwargs.get("device")
    for argument, given in zip(func._schema.arguments, args, strict=False):
        device = given if argument.name == "device" else device
    if name in ("aten::to", "aten::type_as") and len(args) > 1 and isinstance(args[1], Tensor):
        device = args[1].device
    if name == "aten::cpu":
        device = CPU
    return is_far(device) if device is not None else any(isinstance(x, Far) for x in tensors)


def _wrapped(out: object, func, place: int, tensors: list[Tensor], wrap: bool) -> object:
    returns = func._schema.returns
    alias = returns[place].alias_info if place < len(returns) else None
    if isinstance(out, Tensor) and alias is not None and alias.is_write:  # in place: the very argument comes back
        return next((x for x in tensors if x is out or isinstance(x, Far) and x.raw is out), out)
    if isinstance(out, tuple | list) and wrap:
        return type(out)(Far(x) if isinstance(x, Tensor) else x for x in out)
    return Far(out) if isinstance(out, Tensor) and wrap else out


class Backend:
    """In the place of `torch.cuda`, for this device."""

    def __getattr__(self, name: str):
        raise AttributeError(name)

    is_available = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 1)
    current_device = staticmethod(lambda: 0)
    set_device = staticmethod(lambda index: None)
    _is_in_bad_fork = staticmethod(lambda: False)
    manual_seed_all = staticmethod(lambda seed: None)
    get_amp_supported_dtype = staticmethod(lambda: [torch.float16, torch.bfloat16, torch.float32])
    synchronize = staticmethod(lambda *_: None)


def _factories() -> Iterator[tuple[str, object]]:
    """Operations that make a tensor from none, on the device they are asked for: name with overload, operation."""
    for full in torch._C._dispatch_get_all_op_names():
        base, _, overload = full.removeprefix("aten::").partition(".")
        packet = getattr(torch.ops.aten, base, None) if full.startswith("aten::") else None
        operation = getattr(packet, overload or "default", None)
        if operation is None:
            continue
        arguments, returns = operation._schema.arguments, operation._schema.returns
        plain = not any("Tensor" in str(a.type) for a in arguments)
        if plain and any(a.name == "device" for a in arguments) and len(returns) == 1:
            yield full.removeprefix("aten::"), operation


def _factory(operation):
    def made(*args: object, **kwargs: object) -> Far:
        kwargs = {name: value for name, value in kwargs.items() if name not in ("device", "pin_memory")}
        return Far(operation(*[CPU if isinstance(a, torch.device) else a for a in args], device=CPU, **kwargs))

    return made


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    _raw(target).copy_(_raw(source))
    return target


def _moving(to):
    """`Tensor.to` that also goes from the CPU to far, which the dispatcher alone cannot see."""

    def moved(self: Tensor, *args: object, **kwargs: object) -> Tensor:
        if isinstance(self, Far):
            return to(self, *args, **kwargs)
        asked = [a.device if isinstance(a, Far) else a for a in args if isinstance(a, str | torch.device | Far)]
        device = (asked or [kwargs.get("device")])[-1]
        plain = [CPU if isinstance(a, str | torch.device) and is_far(device) else _raw(a) for a in args]
        if not is_far(device):
            return to(self, *plain, **kwargs)
        out = to(self, *plain, **{**kwargs, **({"device": CPU} if "device" in kwargs else {})})
        return Far(out.detach().clone() if out is self else out.detach())

    return moved


def register() -> None:
    """Makes torch know the device, for this process and for good."""
    if _library:
        return
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    _setup_privateuseone_for_python_backend(NAME, backend_module=Backend())
    library = torch.library.Library("aten", "IMPL")
    for name, operation in _factories():
        library.impl(name, _factory(operation), "PrivateUse1")
    library.impl("_copy_from", _copy_from, "PrivateUse1")
    Tensor.to = _moving(Tensor.to)
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    _library.append(library)
