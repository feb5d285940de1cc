"""Every family of transformers that effects reach: to add one, add its entry here and a tiny build to the tests."""

from __future__ import annotations

import math
from dataclasses import replace

from torch.nn import Module

from .family import Blocks, Family

STREAMS = {"double": Blocks("double_blocks", 0), "single": Blocks("single_blocks", joint=True)}
LAYERS = {"double": Blocks("layers", joint=True)}


def wan(network: Module) -> Family:
    """An image-to-video block looks at its image first, and a reference (Fun Control) stands before the picture."""
    blocks = {"double": Blocks("blocks", attention="cross_attn", alone="self_attn")}
    if hasattr(network, "vace_blocks"):
        blocks["vace"] = Blocks("vace_blocks", attention="cross_attn", features=False)
    order = "* picture" if getattr(network, "ref_conv", None) is not None else "picture *"
    call = 1 if getattr(network, "img_emb", None) is None else 2
    return Family(blocks, order, cross=True, call=call, moves=True)


def scail(network: Module) -> Family:
    """Reference pictures stand before the video, its pose behind it."""
    return replace(wan(network), order=_behind_references)


def _behind_references(network: Module, given: dict) -> str:
    reference = given.get("reference_latent")  # (B, C, frames, h, w)
    if reference is None:
        return "picture *"
    sides = zip(reference.shape[2:], network.patch_size, strict=True)
    return f"{math.prod(side // cells for side, cells in sides)} picture *"


def cogvideox(network: Module) -> Family:
    """1.5 takes frames in pairs."""
    side = network.patch_size
    return Family({"block": Blocks("blocks", 0)}, "text picture", patch=(network.patch_size_t or 1, side, side))


def hunyuan_video(network: Module) -> Family:
    """1.5 puts images and quoted text before the prompt, the others behind it."""
    before = getattr(network, "cond_type_embedding", None) is not None
    return Family(STREAMS, "* text picture" if before else "text * picture")


def lumina(network: Module, given: dict) -> str:
    """Z-Image Omni: captions of the reference pictures, the prompt, ..., those pictures, the picture."""
    if not given.get("ref_latents"):
        return "text picture"
    multiple, captions = network.pad_tokens_multiple, given.get("ref_contexts") or []
    rows = [
        0 if i >= len(captions) or captions[i] is None else captions[i].shape[1]
        for i in range(len(given["ref_latents"]))
    ]
    return f"{sum(max(1, math.ceil(count / multiple)) * multiple for count in rows)} text * picture"


FLUX = Family(STREAMS)
LUMINA = Family(LAYERS, lumina, moves=True)
QWEN = {"double": Blocks("transformer_blocks", 1)}
NO_OPTIONS = "its attention does not tell the host's hook which call it is in"
THREE = "each call of its attention holds the prompt in three places, in two encodings"
COSMOS = {"block": Blocks("blocks", attention="cross_attn", alone="self_attn")}
LTX = Blocks("transformer_blocks", attention="attn2", alone="attn1")
LTX_AV = Blocks("transformer_blocks", 0, attention="attn2", alone="attn1")

TABLE = {
    "anima.model.Anima": Family(COSMOS, "picture", cross=True, patch=(1, 2, 2), fills=True),
    "aura.mmdit.MMDiT": Family(
        {"double": Blocks("double_layers", 1), "single": Blocks("single_layers", joint=True)}, "8 text picture"
    ),
    "boogu.model.BooguTransformer2DModel": Family(
        {
            "double": Blocks("double_stream_layers", 0, attention="img_instruct_attn", alone="img_self_attn"),
            "single": Blocks("single_stream_layers", joint=True),
        },
        "text * picture",
    ),
    "chroma.model.Chroma": FLUX,
    "chroma_radiance.model.ChromaRadiance": Family(STREAMS, "text picture"),
    "cogvideo.model.CogVideoXTransformer3DModel": cogvideox,
    "cosmos.predict2.MiniTrainDIT": Family(COSMOS, "picture", cross=True, patch=(1, 2, 2)),
    "ernie.model.ErnieImageModel": Family(LAYERS, "picture text", unreachable=NO_OPTIONS),
    "flux.model.Flux": Family(STREAMS, moves=True),
    "hidream.model.HiDreamImageTransformer2DModel": Family(
        {"double": Blocks("double_stream_blocks", 0), "single": Blocks("single_stream_blocks", joint=True)},
        "picture *",
        wordless=THREE,
    ),
    "hunyuan_video.model.HunyuanVideo": hunyuan_video,
    "hydit.models.HunYuanDiT": Family({"block": Blocks("blocks")}, "picture", unreachable=NO_OPTIONS),
    "ideogram4.model.Ideogram4Transformer2DModel": Family(
        {"layer": Blocks("layers", joint=True)}, "text picture", patch=(1, 1, 1)
    ),
    "joyimage.model.JoyImageTransformer3DModel": Family({"double": Blocks("double_blocks", 0)}, "picture * text"),
    "kandinsky5.model.Kandinsky5": Family(
        {"double": Blocks("visual_transformer_blocks", attention="cross_attention", alone="self_attention")},
        "picture",
        cross=True,
    ),
    "krea2.model.SingleStreamDiT": Family({"single": Blocks("blocks", joint=True)}, patch="patch"),
    "lens.model.LensTransformer2DModel": Family(QWEN, "picture text", patch=(1, 1, 1)),
    "lightricks.av_model.LTXAVModel": Family({"block": LTX_AV}, "picture *", cross=True, patch=(1, 1, 1), fills=True),
    "lightricks.model.LTXVModel": Family({"block": LTX}, "picture *", cross=True, patch=(1, 1, 1)),
    "lumina.model.NextDiT": LUMINA,
    "lumina.model.NextDiTPixelSpace": LUMINA,
    "mage_flow.model.MageFlowTransformer2DModel": Family(QWEN, patch=(1, 1, 1)),
    "minimax.model.MiniMaxH3Model": Family({"block": Blocks("blocks", joint=True)}, "text * picture"),
    "modules.diffusionmodules.mmdit.OpenAISignatureMMDITWrapper": Family(
        {"joint": Blocks("joint_blocks", 1)}, "text picture"
    ),
    "omnigen.omnigen2.OmniGen2Transformer2DModel": Family({"layer": Blocks("layers", joint=True)}, "text * picture"),
    "pixeldit.model.PixDiT_T2I": Family({"patch": Blocks("patch_blocks", 0)}, "text picture"),
    "pixart.pixartms.PixArtMS": Family({"block": Blocks("blocks")}, "picture", unreachable=NO_OPTIONS),
    "qwen_image.model.QwenImageTransformer2DModel": Family(QWEN),
    "wan.model.CameraWanModel": wan,
    "wan.model.HumoWanModel": wan,
    "wan.model.VaceWanModel": wan,
    "wan.model.WanModel": wan,
    "wan.model.WanModel_S2V": wan,
    "wan.model.SCAIL2WanModel": scail,
    "wan.model.SCAILWanModel": scail,
    "wan.model_animate.AnimateWanModel": wan,
    "wan.model_animate2.WanAnimate2Model": Family(
        {"double": Blocks("blocks", attention="cross_attn", features=False)}, "picture *", cross=True, call=2
    ),
}
"""Exact class below comfy.ldm -> its family, or what makes it of a network; subclasses may add tokens of their own."""


def family_of(network: Module) -> Family | None:
    """None: a kind of model that is not in the table."""
    kind = type(network)
    found = TABLE.get(f"{kind.__module__.removeprefix('comfy.ldm.')}.{kind.__name__}")
    return found(network) if callable(found) else found
