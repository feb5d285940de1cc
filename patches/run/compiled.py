"""Models that torch.compile made faster, by the host's node or another one with the host's key."""

from __future__ import annotations

import logging

from comfy.patcher_extension import WrappersMP

KEY = "torch.compile"
"""The host's, of the wrapper that puts the compiled modules in place for one model call."""


def uncompile(options: dict) -> None:
    """Has a run's own options call the model as it was; other runs keep the compiled one.

    It is compiled without a look at the options, so code made in this run would act, or fail, in runs without us.
    """
    if options.get("wrappers", {}).get(WrappersMP.APPLY_MODEL, {}).pop(KEY, None):
        logging.getLogger(__name__).warning("Latent Manipulation: this run does not use the compiled model.")
