"""Guidance files in a real host: saved and replayed in one graph, listed afterwards, and missed in a sentence."""


def graph(**load: object) -> dict:
    made = {
        "1": ("LM_LoadTinyScenes", {}),
        "2": ("CLIPTextEncode", {"clip": ["1", 1], "text": "a red circle on a beach"}),
        "3": ("LM_EditConcept", {"conditioning": ["2", 0], "direction": "add", "scale": 5.0, "threshold": 0.9}),
        "4": ("LM_SemanticGuidance", {"model": ["1", 0], "concepts": ["3", 0], "mask_mode": "sega"}),
        "5": ("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}),
        "6": ("KSampler", {"model": ["4", 0], "latent_image": ["5", 0]}),
        "7": ("LM_SaveGuidance", {"maps": ["4", 1], "latent": ["6", 0], "filename_prefix": "guidance/live"}),
        "8": ("LM_LoadGuidance", {"model": ["1", 0], "file": ["7", 0], "scale": 1.0, **load}),
        "9": ("KSampler", {"model": ["8", 0], "latent_image": ["5", 0]}),
        "10": ("VAEDecode", {"samples": ["9", 0], "vae": ["1", 2]}),
        "11": ("PreviewImage", {"images": ["10", 0]}),
    }
    made["3"][1].update(start_percent=0.0, end_percent=1.0, weight=1.0, how="guidance")
    made["4"][1].update(momentum_scale=0.1, momentum_beta=0.4, outside_window="off", normalise="source")
    made["4"][1].update(rescale_phi=0.0, orthogonal=False, against="auto", keep="")
    for node in ("6", "9"):
        made[node][1].update(positive=["2", 0], negative=["2", 0], seed=1, steps=2, cfg=2.0, sampler_name="euler")
        made[node][1].update(scheduler="normal", denoise=1.0)
    return {node: {"class_type": kind, "inputs": inputs} for node, (kind, inputs) in made.items()}


def test_the_name_goes_over_a_link_and_is_in_the_list_afterwards(client):
    result = client.run(graph())
    assert result.errors == [] and len(result.images["11"]) == 1
    (name,) = result.texts["7"]
    listed = client.object_info()["LM_LoadGuidance"]["input"]["required"]["file"]
    assert listed[0] == "COMBO" and name in listed[1]["options"]
    assert client.run(graph(file=name)).errors == []


def test_a_missing_file_is_told_before_anything_is_sampled(client):
    (line,) = client.run(graph(file="gone.safetensors")).errors
    assert "Load Guidance: There is no guidance file 'gone.safetensors'" in line
