"""Stored guidance: written, refused where it is not ours to read, and added to other runs."""

import os

import pytest
import torch
from pack.tests.patches.guiding import concept, guided, paint
from pack.tests.tiny_models import FAMILIES
from safetensors import safe_open
from safetensors.torch import save_file


@pytest.fixture(autouse=True)
def folders(comfy, tmp_path, monkeypatch):
    """Folder of the host's input, output and temp."""
    import folder_paths

    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


def edited(family="sd1", batch=1, concepts=None, settings=None, **options):
    """(the edited latent, what was stored of its run as Guidance)."""
    from pack.patches.replay import Guidance

    family = FAMILIES[family]
    concepts = concepts or (concept("a green beach", family), concept("a cat", family, remove=True, start=0.3, end=0.7))
    model, maps = guided(family.model(), *concepts, **(settings or {}))
    out = paint(model, family, batch=batch, **options)
    return out, Guidance(maps.runs[-1].sigmas, maps.runs[-1].edits)


def replayed(guidance, scale=1.0, family="sd1", batch=1, **options):
    from pack.patches.replay import replay

    family = FAMILIES[family]
    return paint(replay(family.model(), guidance, scale), family, batch=batch, **options)


def close(one, other, plain):
    size = other.abs().max()
    assert (other - plain).abs().max() > 1e-2 * size, "the edits change nothing here"
    return (one - other).abs().max() <= 1e-4 * size


@pytest.mark.parametrize("family", ["sd1", "sd2_v", "flux", "wan"])
@pytest.mark.parametrize("sampler", ["euler", "dpmpp_2m"])
def test_the_same_run_gives_the_edited_picture(family, sampler):
    given = dict(family=family, sampler=sampler, batch=2, steps=6)
    out, guidance = edited(**given)
    plain = paint(FAMILIES[family].model(), FAMILIES[family], batch=2, sampler=sampler, steps=6)
    assert close(replayed(guidance, **given), out, plain)


@pytest.mark.parametrize("settings", [dict(phi=0.7), dict(orthogonal=True), dict(outside="source"), dict(mask="joint")])
def test_it_holds_what_every_setting_did(settings):
    out, guidance = edited(settings=settings, steps=6)
    assert close(replayed(guidance, steps=6), out, paint(FAMILIES["sd1"].model(), steps=6))


def test_it_acts_in_the_concepts_window_alone():
    out, guidance = edited(concepts=(concept(start=0.3, end=0.95, scale=20.0),), steps=10)
    assert 0 < len(guidance.sigmas) < 10
    assert close(replayed(guidance, steps=10), out, paint(FAMILIES["sd1"].model(), steps=10))


def test_scale_multiplies_and_0_is_the_unpatched_picture():
    guidance = edited(steps=1)[1]
    plain = paint(FAMILIES["sd1"].model(), steps=1)
    assert torch.equal(replayed(guidance, 0.0, steps=1), plain)
    once, twice, back = (replayed(guidance, scale, steps=1) - plain for scale in (1.0, 2.0, -1.0))
    assert once.abs().max() > 1e-2
    assert torch.allclose(twice, 2 * once, atol=1e-4) and torch.allclose(back, -once, atol=1e-4)


@pytest.mark.parametrize("sampler, steps", [("heun", 6), ("euler_ancestral", 9), ("dpmpp_2m_sde", 5)])
def test_another_sampler_schedule_and_number_of_pictures(sampler, steps):
    guidance = edited(steps=6)[1]
    other = dict(batch=3, sampler=sampler, steps=steps, scheduler="karras")
    out, plain = replayed(guidance, **other), paint(FAMILIES["sd1"].model(), **other)
    assert torch.isfinite(out).all() and (out - plain).abs().amax((1, 2, 3)).min() > 1e-2


@pytest.mark.parametrize("change", [dict(batch=3), dict(size=(16, 24)), dict(family="flux")])
def test_another_size_is_refused(change):
    from pack.patches.replay import replay

    guidance = edited(batch=2)[1]
    family = FAMILIES[change.pop("family", "sd1")]
    with pytest.raises(ValueError, match=r"stored guidance is \[2, 4, 16, 16\]"):
        paint(replay(family.model(), guidance, 1.0), family, **{"batch": 2, **change})


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
    ):
        save_file(stored, path)
        with pytest.raises(ValueError, match="holds no guidance"):
            load_guidance("x.safetensors")
    path.write_bytes(b"not a tensor in it")
    with pytest.raises(ValueError, match="holds no guidance"):
        load_guidance("x.safetensors [input]")


def test_a_run_without_edits_cannot_be_saved():
    from pack.patches.replay import save_guidance

    model, maps = guided(FAMILIES["sd1"].model(), concept(start=0.45, end=0.46))
    paint(model, steps=2)
    with pytest.raises(ValueError, match="Nothing was edited"):
        save_guidance(maps.runs[-1], "edit")
