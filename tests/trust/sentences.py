"""What a user may be shown when something cannot work: one sentence that begins with the node's name."""

from __future__ import annotations

from pack.tests.trust.executor import NAMES, Outcome

LONGEST = 600  # characters of a sentence


def wrong(outcome: Outcome, says: str = "") -> str:
    """What is wrong with how a refused graph ended, "" if nothing. says: what must stand in the sentence, or any."""
    if outcome.kind == "refused":
        return ""
    if outcome.kind != "error":
        return f"ended as {outcome.kind}, where an error is right"
    if outcome.type != "ValueError":
        return f"{outcome.type} instead of a sentence: {outcome.message[:200]}"
    said = outcome.message
    if "\n" in said or len(said) > LONGEST:
        return f"not one sentence but {len(said.splitlines())} lines, {len(said)} characters: {said[:120]}"
    if not said.startswith(tuple(f"{name}: " for name in NAMES.values())):
        return f"does not begin with a node's name: {said[:200]}"
    if not said.endswith((".", "?")):
        return f"does not end: ...{said[-100:]}"
    if says.lower() not in said.lower():
        return f"does not speak of {says!r}: {said[:200]}"
    return ""
