import assert from "node:assert/strict";
import { test } from "node:test";
import { graphOf } from "./graphs.mjs";
import { inputPictureOf, lastResultOf, promptsOf, sizeOf } from "../../js/canvas/graph.mjs";

const text = (value) => ({ name: "text", type: "customtext", value });
const number = (name, value) => ({ name, value });
const known = () => undefined;

test("every prompt is found, also in subgraphs and behind links, negative ones last", () => {
  const inner = graphOf([{ id: 1, title: "Inside", gives: "CONDITIONING", widgets: [text("a fox")] }], []);
  const graph = graphOf([
    { id: 1, title: "Bad", gives: "CONDITIONING", widgets: [text("blurry")] }, { id: 2, type: "Combine", gives: "CONDITIONING" },
    { id: 3, gives: "LATENT" }, { id: 4, title: "Good", gives: "CONDITIONING", widgets: [text("old")] },
    { id: 5, gives: "STRING", widgets: [{ name: "value", value: "a dog" }] }, { id: 6, subgraph: inner, gives: "IMAGE" },
    { id: 7, title: "Note", gives: "STRING", widgets: [text("no prompt")] }, { id: 8, gives: "CONDITIONING", widgets: [text("  ")] },
  ], [[1, 2, "conditioning_1", "CONDITIONING"], [2, 3, "negative", "CONDITIONING"], [4, 3, "positive", "CONDITIONING"], [5, 4, "text", "STRING"]]);
  assert.deepEqual(promptsOf(graph), [{ title: "Good", text: "a dog" }, { title: "Inside", text: "a fox" }, { title: "Bad", text: "blurry" }]);
});

test("the size comes from the image, else the latent, else the node", () => {
  const nodes = () => [{ id: 1, widgets: [number("width", 640), number("height", 384)] }, { id: 2 }, { id: 3,
    imgs: [{ naturalWidth: 300, naturalHeight: 200 }] }, { id: 9, widgets: [number("width", 512), number("height", 256)] },
    { id: 4, widgets: [number("width", 1), number("height", 2)] }];
  const size = (wires, seen = known) => sizeOf(graphOf(nodes(), wires).getNodeById(9), "/p", seen);
  assert.deepEqual(size([]), { width: 512, height: 256 });
  const latent = [[4, 2, "model", "MODEL"], [1, 2, "samples", "LATENT"], [2, 9, "latent", "LATENT"]];
  assert.deepEqual(size(latent), { width: 640, height: 384 });
  assert.deepEqual(size([...latent, [3, 9, "image", "IMAGE"]]), { width: 300, height: 200 });
  assert.deepEqual(size([...latent, [3, 9, "image", "IMAGE"]], () => ({ width: 8, height: 4 })), { width: 8, height: 4 });
});

test("the picture is a loader's file, or what was shown or given in the last run", () => {
  const picture = (before, outputs = {}) => inputPictureOf(graphOf([{ id: 1, ...before }, { id: 9 }],
    [[1, 9, "image", "IMAGE"]]).getNodeById(9), outputs);
  const load = (value) => ({ type: "LoadImage", widgets: [{ name: "image", value }] });
  assert.equal(picture(load("a b.png")), "/view?filename=a+b.png&subfolder=&type=input");
  assert.equal(picture(load("in/x.png [output]")), "/view?filename=x.png&subfolder=in&type=output");
  const own = { 9: { lm_picture: [{ filename: "g.png", subfolder: "", type: "temp" }] } };
  assert.equal(picture({ type: "VAEDecode" }, own), "/view?filename=g.png&subfolder=&type=temp");
  assert.equal(picture({ type: "VAEDecode" }), "");
});

test("the last result counts if it has the picture's shape; saved ones before previews", () => {
  const graph = graphOf([{ id: 1 }, { id: 2 }, { id: 3 }], []);
  const given = (filename, type) => ({ images: [{ filename, subfolder: "", type }] });
  const outputs = { 1: given("a.png", "temp"), 2: given("b.png", "output"), 3: given("grid.png", "output"), 77: given("gone.png", "output") };
  const sizes = (address) => ({ width: address.includes("grid") ? 900 : 300, height: 200 });
  assert.match(lastResultOf(graph, outputs, ["3", "1"], 1.5, sizes), /b\.png/);
  assert.match(lastResultOf(graph, { 1: outputs[1] }, ["1"], 1.5, sizes), /a\.png/);
  assert.equal(lastResultOf(graph, outputs, [], 1, sizes), "");
});
