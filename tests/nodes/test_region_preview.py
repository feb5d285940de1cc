"""Region Preview: what it draws and what it reports."""

import pytest
import torch


@pytest.fixture
def preview(comfy):
    from pack.nodes.region_preview import preview

    return preview


@pytest.fixture
def overlay(comfy):
    from pack.nodes.pictures import overlay

    return overlay


def region(phrase, mask, strength=0.5, outside=0.0, **more):
    from pack.attention.regions import Region

    return Region(phrase, mask, strength, outside, **more)


def latent(width, height, batch=1):
    return {"samples": torch.zeros(batch, 4, height // 8, width // 8)}


def box(size, left, top, right, bottom, value=1.0):
    """(1, H, W); corners as shares of the picture."""
    mask = torch.zeros(1, size[1], size[0])
    mask[:, int(top * size[1]) : int(bottom * size[1]), int(left * size[0]) : int(right * size[0])] = value
    return mask


def at(picture, x, y, size):
    """Mean colour of the 24 x 24 pixels around a place, given as shares of the picture above the legend."""
    column, row = int(x * size[0]), int(y * size[1])
    return picture[row - 12 : row + 12, column - 12 : column + 12].mean((0, 1))


SIZE = (512, 256)


def test_regions_have_their_colours_and_the_rest_is_hatched(preview):
    regions = (
        region("left", box(SIZE, 0, 0, 0.25, 1), colour=(255, 0, 0)),
        region("right", box(SIZE, 0.75, 0, 1, 1), colour=(0, 0, 255)),
    )
    (picture,), report = preview(regions, latent(*SIZE))
    assert picture.shape[1:] == (512, 3) and picture.shape[0] > 256
    red, blue = at(picture, 0.12, 0.5, SIZE), at(picture, 0.88, 0.5, SIZE)
    assert torch.allclose(red, torch.tensor([0.8, 0.2, 0.2]), atol=1e-3)  # 0.6 of the colour over 0.5 grey
    assert torch.allclose(blue, torch.tensor([0.2, 0.2, 0.8]), atol=1e-3)
    middle = picture[:256, 200:300]
    assert (middle == middle[..., :1]).all() and len(middle.unique()) == 2  # grey stripes only
    assert torch.equal(middle[1:, :-1], middle[:-1, 1:])  # that run diagonally
    assert "In no region: 50.0%. In two or more: 0.0%." in report


def test_soft_masks_are_transparent_and_overlaps_mix(preview):
    half = region("a", box(SIZE, 0, 0, 1, 1, 0.4), colour=(255, 0, 0))
    (picture,), report = preview((half,), latent(*SIZE), image=torch.zeros(1, 256, 512, 3))
    stripes = picture[:256, :, 0].round(decimals=5).unique()
    assert stripes.tolist() == pytest.approx([0.24, 0.24 + 0.76 * 0.4 * 0.6], abs=1e-4)  # colour; hatch shines through
    assert "covers 40.0%" in report and "In no region: 60.0%" in report
    regions = (
        region("a", torch.ones(1, 8, 8), colour=(255, 0, 0)),
        region("b", torch.ones(1, 8, 8), colour=(0, 0, 255)),
    )
    (picture,), report = preview(regions, latent(*SIZE), image=torch.zeros(1, 256, 512, 3))
    assert torch.allclose(at(picture, 0.5, 0.5, SIZE), torch.tensor([0.3, 0, 0.3]), atol=1e-3)
    assert "In two or more: 100.0%." in report


def test_edges_are_outlined_in_the_full_colour_and_borders_are_not(preview):
    (picture,), _ = preview((region("a", box(SIZE, 0, 0, 0.5, 1), colour=(255, 0, 0)),), latent(*SIZE))
    pure = (picture[:256] == torch.tensor([1.0, 0, 0])).all(-1)
    assert pure[:, 254:256].all() and not pure[:, :254].any() and not pure[:, 256:].any()


@pytest.mark.parametrize(
    ("size", "out"), [((64, 64), 256), ((128, 128), 256), ((512, 768), 512), ((136, 104), 272), ((1216, 832), 1216)]
)
def test_small_pictures_are_enlarged_until_words_fit(preview, size, out):
    (picture,), _ = preview((region("a", torch.ones(1, 8, 8)),), latent(*size))
    factor = out // size[0]
    assert picture.shape[1] == out and picture.shape[0] > size[1] * factor
    assert picture.min() >= 0 and picture.max() <= 1
    legend = picture[size[1] * factor :]
    assert (legend[0] == 1).all() and (legend < 0.5).all(-1).any()  # white, with text


def test_the_picture_gives_the_size_and_the_ground(preview):
    image = torch.rand(1, 300, 400, 3)
    (picture,), report = preview((region("a", box((64, 64), 0, 0, 0.5, 1)),), latent(512, 512), image=image)
    assert picture.shape[1] == 400 and "preview of 400 x 300 pixels" in report
    (empty,), _ = preview((region("a", torch.zeros(1, 8, 8)),), latent(512, 512), image=image)
    stripes = empty[:300] - 0.6 * image[0]  # the picture shines through black and white
    assert torch.allclose(stripes.unique().round(decimals=3).unique(), torch.tensor([0.0, 0.4]))
    for channels in (1, 4):
        preview((region("a", torch.ones(1, 8, 8)),), latent(64, 64), image=torch.rand(1, 64, 64, channels))


def test_one_picture_per_item_only_if_masks_differ(preview):
    both, per_item = (
        region("a", torch.ones(1, 8, 8)),
        region("b", torch.cat([torch.ones(1, 8, 8), torch.zeros(1, 8, 8)])),
    )
    assert len(preview((both,), latent(*SIZE, batch=2))[0]) == 1
    pictures, report = preview((both, per_item), latent(*SIZE, batch=2))
    assert len(pictures) == 2 and not torch.equal(pictures[0], pictures[1])
    assert "b: strength 0.5, outside 0, covers 50.0%" in report and "In two or more: 50.0%" in report
    with pytest.raises(ValueError, match="'b' holds 2 pictures, but the latent 3"):
        preview((both, per_item), latent(*SIZE, batch=3))


def test_an_empty_drawing_is_the_picture_itself(preview):
    image = torch.rand(1, 20, 30, 3)
    picture, report = preview((), latent(*SIZE), None, image)
    assert torch.equal(picture, image) and report == "There is no region, so no phrase is placed."


def test_colours_differ_and_keep_away_from_given_ones(overlay):
    given = [(230, 25, 75), None, (60, 180, 75), *[None] * 8]
    colours = overlay.region_colours(given)
    assert colours[0] == given[0] and colours[2] == given[2] and len(set(colours)) == 11
    near = [max(abs(a - b) for a, b in zip(one, two, strict=True)) for one in colours for two in colours if one != two]
    assert min(near) >= 64
    assert len(overlay.region_colours([None] * 30)) == 30


def test_a_legend_has_a_swatch_per_region_and_its_long_text_wraps(overlay):
    colours = [(255, 0, 0), (0, 0, 255)]
    short = overlay.legend(["a", "b"], colours, "", 256)
    words = "a phrase of a good many words that has to run over three lines, as none of this width can hold half of it"
    long = overlay.legend([words, "b"], colours, "", 256)
    hatched = overlay.legend(["a", "b"], colours, "none", 256)
    for strip in (short, long, hatched):
        assert strip.shape[1:] == (256, 3)
        for colour in colours:
            assert ((strip * 255).round() == torch.tensor(colour)).all(-1).sum() == 12 * 12
        assert (strip[:, -6:] == 1).all()
    assert len(long) >= len(short) + 24 and len(hatched) > len(short)


def test_the_node_shows_its_picture_and_hands_the_report_on(comfy, tmp_path):
    import folder_paths
    from pack.nodes.region_preview import RegionPreview
    from PIL import Image

    before = folder_paths.get_temp_directory()
    folder_paths.set_temp_directory(str(tmp_path))
    try:
        out = RegionPreview.execute((region("red cat", torch.ones(1, 8, 8)),), latent(*SIZE))
    finally:
        folder_paths.set_temp_directory(before)
    picture, report = out.result
    (shown,) = out.ui["images"]
    assert shown["type"] == "temp" and out.ui["text"] == (report,)
    assert Image.open(tmp_path / shown["subfolder"] / shown["filename"]).size == (512, picture.shape[1])
    assert RegionPreview.GET_SCHEMA().is_output_node


def test_a_region_without_a_mask_is_found_while_sampling(preview):
    """Alone and beside a drawn one, which is shown as ever."""
    drawn, found = region("left", box(SIZE, 0, 0, 0.5, 1)), region("right", None, outside=0.5)
    (picture,), report = preview((found, drawn), latent(*SIZE))
    assert "1. right: strength 0.5, outside 0.5, finds its place while sampling\n2. left: strength" in report
    assert "In no region: 50.0%. In two or more: 0.0%." in report
    (alone,), _ = preview((drawn,), latent(*SIZE))
    assert torch.equal(picture[:256, 300:], alone[:256, 300:])  # hatched
    (picture,), report = preview((found, region("off", None, 0.0)), latent(*SIZE))
    assert "In no region" not in report and picture.isfinite().all()
    assert report.endswith("warning: strength and outside are 0, so it changes nothing")


def test_a_video_with_sound_is_shown_in_the_videos_size(preview):
    from comfy.nested_tensor import NestedTensor

    both = NestedTensor((torch.zeros(1, 128, 3, 8, 16), torch.zeros(1, 8, 20, 16)))  # as of LTX: 32 pixels a cell
    pictures, report = preview((region("left", box(SIZE, 0, 0, 0.25, 1)),), {"samples": both})
    assert pictures.shape[2] == 512
    assert report.startswith("Latent 16 x 8, batch of 1; preview of 512 x 256 pixels.")
