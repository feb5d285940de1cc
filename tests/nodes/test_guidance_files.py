"""Load Guidance lists the files that it can load, and takes right names that its list does not hold."""

import pytest
import torch
from pack.tests.tiny_models import FAMILIES
from safetensors.torch import save_file

FORM = {"sigmas": torch.tensor([2.0, 1.0]), "edits": torch.zeros(2, 1, 4, 8, 8)}


@pytest.fixture
def node(comfy, tmp_path, monkeypatch):
    import folder_paths
    from pack.nodes.edits import LoadGuidance

    for name in ("input", "output"):
        (tmp_path / name / "sub").mkdir(parents=True)
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return LoadGuidance


def listed(node) -> list[str]:
    kind, options = node.INPUT_TYPES()["required"]["file"]
    return kind if isinstance(kind, list) else options["options"]


def test_the_list_is_what_can_be_loaded_now(node, tmp_path):
    assert listed(node) == []
    save_file(FORM, tmp_path / "input" / "b.safetensors")
    save_file(FORM, tmp_path / "input" / "sub" / "a.safetensors")
    save_file(FORM, tmp_path / "output" / "sub" / "x.safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "output" / "lora.safetensors")
    (tmp_path / "input" / "cut.safetensors").write_bytes(b"cut")
    (tmp_path / "input" / "b.png").write_bytes(b"")
    assert listed(node) == ["b.safetensors", "sub/a.safetensors", "sub/x.safetensors [output]"]
    assert all(node.validate_inputs(file=name) is True for name in listed(node))


def test_a_file_that_is_newer_than_the_list_works(node, tmp_path, monkeypatch):
    save_file(FORM, tmp_path / "output" / "new.safetensors")
    monkeypatch.setattr("pack.nodes.edits.stored_guidance", list)
    assert listed(node) == [] and node.validate_inputs(file="new.safetensors [output]") is True
    model = FAMILIES["sd1"].model()
    assert node.execute(model=model, file="new.safetensors [output]", scale=1.0).result[0] is not model


@pytest.mark.parametrize("name", ["gone.safetensors", "", 3])
def test_a_name_without_a_file_is_a_sentence(node, name):
    with pytest.raises(ValueError, match="^Load Guidance: "):
        node.execute(model=FAMILIES["sd1"].model(), file=name, scale=1.0)


def test_the_name_of_save_guidance_may_be_linked(node):
    from comfy_execution.validation import validate_node_input
    from pack.nodes.edits import SaveGuidance

    (given,) = SaveGuidance.RETURN_TYPES
    assert validate_node_input(given, "COMBO") and validate_node_input(given, "STRING")
