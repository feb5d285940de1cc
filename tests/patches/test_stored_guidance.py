"""Files of stored guidance: written, read, and refused where they are not ours or cannot be."""

import os

import pytest
import torch
from pack.tests.patches.guiding import concept, guided, paint
from pack.tests.tiny_models import FAMILIES
from safetensors import safe_open
from safetensors.torch import save_file

pytestmark = pytest.mark.usefixtures("folders")


def saved(prefix="guidance/edit"):
    from pack.patches.replay import save_guidance

    model, maps = guided(FAMILIES["sd1"].model(), concept())
    paint(model)
    return save_guidance(maps.runs[-1], prefix), maps.runs[-1]


def test_a_file_gives_back_what_was_stored_and_holds_nothing_else(folders):
    from pack.patches.replay import load_guidance

    (name, edits), (second, _) = saved(), saved()
    assert name == os.path.join("guidance", "edit_00001_.safetensors") and second != name
    read = load_guidance(f"{name} [output]")
    assert read.sigmas == edits.sigmas and torch.equal(read.edits, edits.edits)
    path = folders / "output" / name
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == {"sigmas", "edits"} and not file.metadata()
    assert str(folders).encode() not in path.read_bytes()


@pytest.mark.parametrize("prefix", ["../edit", "guidance/../../edit", "{base}/edit", "away/edit"])
def test_a_prefix_out_of_the_output_folder_is_refused(folders, prefix):
    (folders / "output" / "away").symlink_to(folders, target_is_directory=True)
    with pytest.raises(ValueError, match="outside of the output folder"):
        saved(prefix.format(base=folders))
    assert not list(folders.glob("*.safetensors"))


OUTSIDE = ["../x.safetensors", "{base}/x.safetensors", "away/x.safetensors", "x.safetensors [temp]", "link.safetensors"]
OUTSIDE += [
    "../output/y.safetensors [input]",
    "../input/y.safetensors [output]",
    "guidance/../../x.safetensors [output]",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_file_outside_of_input_and_output_is_refused(folders, name):
    from pack.patches.replay import load_guidance

    for place in (folders, folders / "temp"):
        save_file({"sigmas": torch.ones(1), "edits": torch.ones(1, 1, 4, 8, 8)}, place / "x.safetensors")
    for place in ("input", "output"):
        (folders / place / "y.safetensors").write_bytes((folders / "x.safetensors").read_bytes())
        (folders / place / "away").symlink_to(folders, target_is_directory=True)
        (folders / place / "link.safetensors").symlink_to(folders / "x.safetensors")
    with pytest.raises(ValueError, match="outside of the host's input and output folders") as told:
        load_guidance(name.format(base=folders))
    assert str(folders) not in str(told.value) or "{base}" in name


@pytest.mark.parametrize("name", ["", "y.safetensors", "text.txt", "folder.safetensors", "y.safetensors[output]"])
def test_a_missing_file_is_named(folders, name):
    from pack.patches.replay import load_guidance

    (folders / "input" / "text.txt").write_text("text")
    (folders / "input" / "folder.safetensors").mkdir()
    with pytest.raises(ValueError, match="There is no guidance file"):
        load_guidance(name)


def test_another_kind_of_file_is_refused(folders):
    from pack.patches.replay import load_guidance

    path = folders / "input" / "x.safetensors"
    edits = torch.ones(2, 1, 4, 8, 8)
    for stored in (
        {"weight": edits},
        {"sigmas": torch.ones(3), "edits": edits},
        {"sigmas": edits[:0], "edits": edits[:0]},
        {"sigmas": torch.tensor(1.0), "edits": edits},
        {"sigmas": torch.ones(2, 2), "edits": edits},
        {"sigmas": torch.ones(2, dtype=torch.int32), "edits": edits},
        {"sigmas": torch.tensor([2.0, 1.0]), "edits": edits.to(torch.uint8)},
        {"sigmas": torch.tensor([2.0, 1.0]), "edits": edits[:, 0, 0].clone()},
        {"sigmas": torch.tensor([2.0, 1.0]), "edits": edits[:, :, :0]},
        {"sigmas": torch.tensor([1.0, 2.0]), "edits": edits},
        {"sigmas": torch.tensor([1.0, 1.0]), "edits": edits},
        {"sigmas": torch.tensor([1.0, 0.0]), "edits": edits},
        {"sigmas": torch.ones(20_000), "edits": torch.ones(20_000, 1, 1, 1, 1)},
    ):
        save_file(stored, path)
        with pytest.raises(ValueError, match="holds no guidance"):
            load_guidance("x.safetensors")
    whole = path.read_bytes()
    for content in (b"", b"not a tensor in it", whole[: len(whole) // 2], (2**40).to_bytes(8, "little") + b"{}"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="holds no guidance"):
            load_guidance("x.safetensors [input]")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["sigmas", "edits"])
def test_numbers_that_are_none_are_refused(folders, name, value):
    from pack.patches.replay import load_guidance

    stored = {"sigmas": torch.tensor([2.0, 1.0]), "edits": torch.ones(2, 1, 4, 8, 8)}
    stored[name][-1] = value
    save_file(stored, folders / "input" / "x.safetensors")
    with pytest.raises(ValueError, match="holds values that are not finite numbers") as told:
        load_guidance("x.safetensors")
    assert "\n" not in str(told.value)


def test_a_run_without_edits_is_a_file_of_no_steps(folders):
    from pack.patches.replay import load_guidance, save_guidance

    model, maps = guided(FAMILIES["sd1"].model(), concept(scale=0.0))
    paint(model, steps=2)
    read = load_guidance(f"{save_guidance(maps.runs[-1], 'edit')} [output]")
    assert read.sigmas == () and read.edits.shape == (0, 1, 4, 16, 16)
