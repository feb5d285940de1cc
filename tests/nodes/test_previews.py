"""Nodes that make pictures show them in themselves, also in the middle of a graph."""

import numpy as np
import pytest
import torch

SHOWING = {"LM_SubjectMaskFromAttention", "LM_MaskFromAttentionMaps", "LM_InjectedMasks", "LM_EditMapsToImage"}
SHOWING |= {"LM_LabelledGrid", "LM_EvenSteps"}


@pytest.fixture
def nodes(comfy):
    from pack.nodes import NODES

    return {node.define_schema().node_id: node for node in NODES}


def test_which_nodes_show_pictures(nodes):
    found = {name for name, node in nodes.items() if node.define_schema().has_intermediate_output}
    assert SHOWING <= found


def test_what_is_shown_is_what_comes_out(nodes, tmp_path):
    import folder_paths
    from pack.patches.run.maps import Cuts, Maps
    from PIL import Image

    maps, samples = Maps(), torch.ones(1, 4, 2, 3)
    maps.add(Cuts(torch.tensor([[[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]), samples, 8))
    out = nodes["LM_InjectedMasks"].execute(maps=maps, latent={"samples": samples})
    ((shown,), (mask, _)) = out.ui.as_dict()["images"], out.result
    picture = Image.open(f"{folder_paths.get_temp_directory()}/{shown['filename']}")
    assert shown["type"] == "temp" and picture.size == (24, 16)
    assert torch.equal(torch.from_numpy(np.array(picture))[..., 0] / 255, mask[0])
