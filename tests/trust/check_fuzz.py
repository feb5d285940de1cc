"""Random graphs: each succeeds with a finite picture, is refused by the host's validation, or gives one sentence."""

from __future__ import annotations

from pack.tests.trust import drawing
from pack.tests.trust.executor import Outcome, finite
from pack.tests.trust.executor import run as execute
from pack.tests.trust.sentences import wrong
from pack.tests.trust.tally import Check, Tally

GRAPHS = 2000


def run(tally: Tally) -> None:
    """hypothesis draws the graphs; it is not asked to shrink, as each kind of fault is listed with its first graph."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    seen: dict[str, int] = {}

    @seed(tally.part)
    @settings(
        max_examples=60 if tally.quick else -(-GRAPHS // tally.parts),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawing.graphs())
    def one(drawn: drawing.Drawn) -> None:
        tally.count += 1
        drawing.forget()
        outcome = execute(drawn.build())
        problem = judged(outcome)
        seen[outcome.kind] = seen.get(outcome.kind, 0) + 1
        if problem and new_kind(problem, outcome, seen):
            tally.fault(drawn.told, problem)

    one()
    tally.data.append({kind: count for kind, count in seen.items() if " " not in kind})


def judged(outcome: Outcome) -> str:
    """What is wrong with how a graph ended, or ""."""
    if outcome.kind == "ok":
        return "" if finite(outcome.kept) else "a value that is not finite came out"
    return wrong(outcome)


def new_kind(problem: str, outcome: Outcome, seen: dict[str, int]) -> bool:
    """Whether a fault of this node, exception and beginning was not seen before in this part; counts it."""
    kind = f"{outcome.node} {outcome.type} {problem[:60]}"
    seen[kind] = seen.get(kind, 0) + 1
    return seen[kind] == 1


CHECK = Check(
    "No graph ends otherwise",
    f"{GRAPHS} random graphs by hypothesis: our nodes with values in and out of range and odd objects on their links: "
    "a finite result, the host's refusal, or one sentence, within 20 s",
    run,
    parts=4,
)
