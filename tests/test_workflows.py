"""Every template is a UI graph, its API twin, its note and its picture, and they agree."""

import itertools
import re
from urllib.parse import unquote

import pytest
from pack.tests.ui_graphs import FOLDER, NAMES, api_graph, nodes_of, to_api, ui_graph, without_titles
from pack.tools.picture import OWN
from pack.tools.template import LAYOUTS

TITLE = 30  # pixels of a node's head, above its position
MACHINE = re.compile(r"/home/|/root/|/Users/|/tmp/|/work/|[A-Za-z]:\\\\|localhost|127\.0\.0\.1")
each_template = pytest.mark.parametrize("name", NAMES)


def test_there_is_a_template():
    assert NAMES


@pytest.mark.parametrize("place", ["api/*.json", "*.jpg", "notes/*.md"])
def test_each_template_has_a_twin_a_picture_a_note_and_a_layout(place):
    assert sorted(path.stem for path in FOLDER.glob(place)) == NAMES == sorted(LAYOUTS)


@pytest.mark.parametrize("page", ["README.md", "bench/README.md"])
def test_links_to_files_of_templates_lead_somewhere(page):
    path = FOLDER.parent / page
    links = re.findall(r"\]\(([./]*workflows/[^)]*)\)", path.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (path.parent / unquote(link)).is_file()] == []


@each_template
def test_the_twin_is_what_the_ui_graph_says(name):
    """By the names that the frontend saved next to the values; no host needed."""
    ui = ui_graph(name)
    names = {node: list(entry.get("widgets_values_named", {})) for node, entry in nodes_of(ui).items()}
    assert to_api(ui, names) == without_titles(api_graph(name))


@each_template
def test_it_is_small_and_has_one_note(name):
    nodes = ui_graph(name)["nodes"]
    notes = [node for node in nodes if node["type"] == "MarkdownNote"]
    text = (FOLDER / "notes" / f"{name}.md").read_text(encoding="utf-8").strip()
    assert len(nodes) - 1 <= 9 and [note["widgets_values"][0] for note in notes] == [text]


@each_template
def test_the_title_says_which_checkpoint_it_takes(name):
    files = [node["inputs"]["ckpt_name"] for node in api_graph(name).values() if "ckpt_name" in node["inputs"]]
    families = {"v1-5-pruned-emaonly-fp16.safetensors": "SD1.5", "sd_xl_base_1.0.safetensors": "SDXL"}
    assert [families[file] for file in files] == [said[2] for said in [OWN.search(name)] if said]


@each_template
def test_seeds_stay(name):
    """Every seed keeps its value after a run, and is a number, or comes from a node whose number stays."""
    ui = ui_graph(name)
    nodes, graph = nodes_of(ui), api_graph(name)
    for node, entry in graph.items():
        for seed in {"seed", "noise_seed"} & set(entry["inputs"]):
            given = entry["inputs"][seed]
            giver = given[0] if isinstance(given, list) else node
            assert graph[giver]["class_type"] == "PrimitiveInt" or giver == node
            values = nodes[giver].get("widgets_values", [])
            assert not {"increment", "decrement", "randomize"} & {value for value in values if isinstance(value, str)}


@each_template
def test_it_names_no_place_of_this_machine(name):
    for path in (FOLDER / f"{name}.json", FOLDER / "api" / f"{name}.json", FOLDER / "notes" / f"{name}.md"):
        assert not MACHINE.findall(path.read_text(encoding="utf-8"))


WISHES = {
    "LM_RegionAttention": "Put Phrases in Regions",
    "LM_SubjectMaskFromAttention": "Mask a Phrase",
    "LM_AttentionCapture": "Watch Phrases",
    "LM_LatentCacheInject": "Keep Subject",
    "LM_InfusionBias": "Bias by Pictures",
    "LM_SemanticGuidance": "Add or Remove Concepts",
    "LM_ClipSlerpAugment": "Style Slider",
}
"""Titles in templates, without the technique in brackets, which would make the nodes wider."""


@each_template
def test_titles_are_the_nodes_own_or_planned_and_the_view_is_free(name):
    ui = ui_graph(name)
    planned, nodes = LAYOUTS[name]["titles"], {str(node["id"]): node for node in ui["nodes"]}
    wishes = {id_: WISHES[node["type"]] for id_, node in nodes.items() if node["type"] in WISHES}
    assert {id_: node["title"] for id_, node in nodes.items() if "title" in node} == wishes | planned
    assert [node["id"] for node in ui["nodes"] if node["mode"] != 0] == []
    assert "ds" not in ui["extra"]  # else the frontend opens it at this zoom instead of fitting it to the window


@each_template
def test_it_reads_from_left_to_right_and_nothing_overlaps(name):
    """Nodes that stand above each other may also lead from the upper one to the lower one."""
    ui = ui_graph(name)
    boxes = {node["id"]: (*node["pos"], *node["size"]) for node in ui["nodes"]}
    for (left, top, width, height), (x, y, wide, high) in itertools.combinations(boxes.values(), 2):
        beside = left + width <= x or x + wide <= left
        assert beside or top + height <= y - TITLE or y + high <= top - TITLE
    for _, origin, _, target, *_ in ui["links"]:
        (left, top, width, _), (x, y, *_) = boxes[origin], boxes[target]
        assert left + width < x or (left == x and top < y)


@each_template
def test_what_to_change_and_the_result_are_framed(name):
    groups = {group["title"]: group for group in ui_graph(name)["groups"]}
    assert {"Read me", "Change this", "Result"} <= set(groups)
    assert len({group["color"] for group in groups.values()}) == len(groups)


SD15 = (
    "https://huggingface.co/Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/v1-5-pruned-emaonly-fp16.safetensors"
)
PACKS = {"LM_": "latent-manipulation", "IPAdapter": "comfyui_ipadapter_plus"}
FOLDERS = {"ckpt_name": "checkpoints", "control_net_name": "controlnet"}


@each_template
def test_files_and_packs_that_it_needs_are_named(name):
    """As the host's own templates name them, so that the frontend offers what is missing."""
    nodes = nodes_of(ui_graph(name))
    for node, entry in api_graph(name).items():
        properties, kind = nodes[node]["properties"], entry["class_type"]
        assert properties.get("cnr_id") == next((pack for start, pack in PACKS.items() if kind.startswith(start)), None)
        wanted = [(FOLDERS[put], file) for put, file in entry["inputs"].items() if str(file).endswith(".safetensors")]
        given = properties.get("models", [])
        assert [(model["directory"], model["name"]) for model in given] == wanted
        for model in given:
            assert re.fullmatch(rf"https://huggingface\.co/[\w.-]+/[\w.-]+/resolve/main/{model['name']}", model["url"])


def test_the_address_of_a_file_is_the_hosts_own():
    (model,) = nodes_of(ui_graph("Keep my subject - own picture (SD1.5)"))["1"]["properties"]["models"]
    assert model["url"] == SD15
