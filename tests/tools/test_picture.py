"""What a template's picture is made with, but for the frontend (tests/live/test_templates.py)."""

import io

import pytest
from pack.tools import picture

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: run tests/run.py")

LOADERS = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd/one.safetensors"}},
    "2": {"class_type": "ControlNetLoader", "inputs": {"control_net_name": "two.safetensors"}},
    "3": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
}


@pytest.fixture
def folders(tmp_path):
    """A server's base folder and a host's, which has the example picture."""
    (tmp_path / "host" / "input").mkdir(parents=True)
    (tmp_path / "host" / "input" / "example.png").write_bytes(b"example")
    return tmp_path / "base", tmp_path / "host"


def test_files_stand_in_for_models_and_the_example_picture(folders):
    assert picture.stand_ins(*folders, LOADERS)
    found = {str(file.relative_to(folders[0])) for file in folders[0].rglob("*") if file.is_file()}
    wanted = {"models/checkpoints/sd/one.safetensors", "models/controlnet/two.safetensors", "input/example.png"}
    assert {name.replace("\\", "/") for name in found} == wanted


def test_a_graph_without_model_files_needs_none(folders):
    assert not picture.stand_ins(*folders, {"3": LOADERS["3"]})
    assert not folders[0].exists()


def test_a_saved_picture_is_square_and_at_most_512_wide(tmp_path):
    data = io.BytesIO()
    Image.new("RGB", (1600, 400), "blue").save(data, "PNG")
    picture.save(data.getvalue(), tmp_path / "x.jpg")
    saved = Image.open(tmp_path / "x.jpg")
    assert saved.size == (512, 512)
    assert min(saved.getpixel((256, 100))) > 247 and saved.getpixel((256, 256))[2] > 247
