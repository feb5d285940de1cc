"""The host's error JSON (taken from a real 0.33.0 server) as readable lines; tests/live asks a running one."""

import pytest
from pack.tools.client import Result, execution_lines, show, validation_lines

REFUSED = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation", "details": ""}


def answer(kind: str, message: str, details: str, **extra: object) -> dict:
    error = {"type": kind, "message": message, "details": details, "extra_info": extra}
    errors = {"4": {"errors": [error], "dependent_outputs": ["5"], "class_type": "KSampler"}}
    return {"error": {**REFUSED, "extra_info": {}}, "node_errors": errors}


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            answer("required_input_missing", "Required input is missing", "cfg", input_name="cfg"),
            "node 4 (KSampler), input 'cfg': Required input is missing",
        ),
        (
            answer(
                "value_not_in_list",
                "Value not in list",
                "sampler_name: 'nope' not in (list of length 44)",
                input_name="sampler_name",
                received_value="nope",
            ),
            "node 4 (KSampler), input 'sampler_name': Value not in list ('nope' not in (list of length 44)); "
            'it got "nope"',
        ),
        (
            answer(
                "return_type_mismatch",
                "Return type mismatch between linked nodes",
                "model, received_type(CLIP) mismatch input_type(MODEL)",
                input_name="model",
                linked_node=["1", 1],
            ),
            "node 4 (KSampler), input 'model': Return type mismatch between linked nodes "
            "(received_type(CLIP) mismatch input_type(MODEL)); it comes from output 1 of node 1",
        ),
        (
            answer("exception_during_validation", "Exception when validating node", "'7'", exception_type="KeyError"),
            "node 4 (KSampler): a link leads to node '7', which is not in the graph",
        ),
        (
            answer("custom_validation_failed", "Custom validation failed for node", "image - no such file"),
            "node 4 (KSampler): Custom validation failed for node (image - no such file)",
        ),
    ],
)
def test_a_validation_error_is_one_line(given, line):
    assert validation_lines(given) == [line]


def test_an_error_of_the_whole_graph_is_one_line():
    extra = {"node_id": "9", "class_type": "Nope", "node_title": "Nope"}
    error = {"type": "missing_node_type", "message": "Node 'Nope' not found.", "extra_info": extra}
    assert validation_lines({"error": error, "node_errors": {}}) == ["node 9 (Nope): Node 'Nope' not found."]
    assert validation_lines({"prompt_id": "1", "number": 1, "node_errors": {}}) == []


def test_an_execution_error_names_node_class_and_place():
    data = {
        "node_id": "1",
        "node_type": "LM_TrackPhrases",
        "exception_message": "The phrase 'dog' is not in the prompt.\n",
        "exception_type": "torch.ValueError",
        "traceback": [
            '  File "/a.py", line 1, in f\n    g()\n',
            '  File "/b.py", line 6, in g\n    raise\n    ^^^^^\n',
        ],
    }
    assert execution_lines([["execution_start", {}], ["execution_error", data]]) == [
        "node 1 (LM_TrackPhrases): ValueError: The phrase 'dog' is not in the prompt.",
        '    File "/b.py", line 6, in g',
    ]


def test_an_interruption_is_an_error():
    data = {"node_id": "3", "node_type": "KSampler", "executed": []}
    assert execution_lines([["execution_interrupted", data]]) == ["node 3 (KSampler): interrupted"]


def test_long_values_are_cut():
    assert show("a" * 200) == '"' + "a" * 76 + "..." and show(["12", 0]) == "output 0 of node 12"


def test_results_do_not_share_their_lists():
    Result().errors.append("x")
    assert Result().errors == []
