import assert from "node:assert/strict";
import { test } from "node:test";
import { inputPictureOf, lastResultOf, originOf, promptsOf } from "../../js/canvas/graph.mjs";
import { graphOf, virtual } from "./graphs.mjs";

const MUTED = 2, BYPASSED = 4, UUID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
const text = (value) => ({ name: "text", type: "customtext", value });
const says = (value, more = {}) => ({ title: value, gives: "CONDITIONING", widgets: [text(value)], ...more });
const origin = (nodes, wires, name = "image") => {
  const graph = graphOf([...nodes, { id: 9 }], wires);
  const found = originOf(graph.getNodeById(9), name);
  return found && found.id;
};

test("a bypassed node hands on its input of the same type, the one in the same place first", () => {
  const nodes = (gives = "IMAGE", mode = BYPASSED) => [{ id: 1, gives: "MASK" }, { id: 2, gives: "IMAGE" }, { id: 3, gives: "IMAGE" },
    { id: 5, gives, mode }];
  const last = [5, 9, "image", "IMAGE"];
  assert.equal(origin(nodes(), [[1, 5, "mask", "MASK"], [2, 5, "a", "IMAGE"], [3, 5, "b", "IMAGE"], last]), 2);
  assert.equal(origin(nodes(), [[3, 5, "b", "IMAGE"], [2, 5, "a", "IMAGE"], last]), 3);
  assert.equal(origin(nodes(), [[1, 5, "mask", "MASK"], last]), null);
  assert.equal(origin(nodes(), [[1, 5, "mask", "MASK"], [2, 5, "any", "image,LATENT"], last]), 2);
  assert.equal(origin(nodes(), [[1, 5, "any", "*"], [2, 5, "a", "IMAGE"], last]), 1);
  assert.equal(origin(nodes("*"), [[2, 5, "a", "IMAGE"], [5, 9, "image", "*"]]), 2);
  assert.equal(origin(nodes("IMAGE", 0), [[2, 5, "a", "IMAGE"], last]), 5);
});

test("a muted node gives nothing, nor does a circle; what comes from outside of a subgraph is unknown", () => {
  assert.equal(origin([{ id: 1, mode: MUTED }], [[1, 9, "image", "IMAGE"]]), null);
  assert.equal(origin([{ id: 1, mode: MUTED }, { id: 2, mode: BYPASSED, gives: "IMAGE" }], [[1, 2, "a", "IMAGE"], [2, 9, "image", "IMAGE"]]), null);
  assert.equal(origin([], []), null);
  assert.equal(origin([], [[-10, 9, "image", "IMAGE"]]), undefined);
  const round = [{ id: 1, mode: BYPASSED, gives: "IMAGE" }, { id: 2, mode: BYPASSED, gives: "IMAGE" }];
  assert.equal(origin(round, [[1, 2, "a", "IMAGE"], [2, 1, "a", "IMAGE"], [2, 9, "image", "IMAGE"]]), null);
});

test("reroutes are passed through, also far ones; a primitive is itself", () => {
  const last = [2, 9, "image", "IMAGE"];
  assert.equal(origin([{ id: 1 }, virtual({ id: 2 })], [[1, 2, "", "*"], last]), 1);
  assert.equal(origin([{ id: 1 }, { id: 5, mode: BYPASSED, gives: "IMAGE" }, virtual({ id: 2 })],
    [[1, 5, "a", "IMAGE"], [5, 2, "", "*"], last]), 1);
  assert.equal(origin([virtual({ id: 2 })], [last]), null);
  assert.equal(origin([virtual({ id: 2, widgets: [text("a dog")] })], [last]), 2);
  assert.equal(origin([virtual({ id: 2, resolveVirtualOutput: () => ({ node: { id: 7 }, slot: 0 }) })], [last]), 7);
  const graph = graphOf([{ id: 1, type: "LoadImage", widgets: [{ name: "image", value: "a.png" }] }, virtual({ id: 2 }), { id: 9 }],
    [[1, 2, "", "*"], last]);
  assert.match(inputPictureOf(graph.getNodeById(9), {}), /filename=a\.png/);
});

test("only prompts that are encoded count, with the text that is sent", () => {
  const off = graphOf([says("in a bypassed box", { id: 1 })], []);
  const graph = graphOf([says("muted", { id: 1, mode: MUTED }), says("bypassed", { id: 2, mode: BYPASSED }), says("good", { id: 3 }),
    { id: 4, mode: BYPASSED, gives: "CONDITIONING", subgraph: off }, says("own", { id: 5 }),
    { id: 6, mode: MUTED, gives: "STRING", widgets: [{ name: "value", value: "not sent" }] }], [[6, 5, "text", "STRING"]]);
  assert.deepEqual(promptsOf(graph).map(({ text }) => text), ["good", "own"]);
});

test("a prompt is negative behind a reroute, too", () => {
  const graph = graphOf([says("bad", { id: 1 }), virtual({ id: 2, gives: "CONDITIONING" }), { id: 3 }, says("good", { id: 4 })],
    [[1, 2, "", "*"], [2, 3, "negative", "CONDITIONING"], [4, 3, "positive", "CONDITIONING"]]);
  assert.deepEqual(promptsOf(graph).map(({ text }) => text), ["good", "bad"]);
});

test("in a subgraph, pictures are kept under the subgraph's id", () => {
  const inner = graphOf([{ id: 1, type: "VAEDecode" }, { id: 9 }], [[1, 9, "image", "IMAGE"]], { isRootGraph: false, id: UUID });
  const given = (filename) => [{ filename, subfolder: "", type: "temp" }], canvas = inner.getNodeById(9);
  assert.match(inputPictureOf(canvas, { [`${UUID}:9`]: { lm_picture: given("own.png") }, 9: { lm_picture: given("other.png") } }), /own\.png/);
  assert.match(inputPictureOf(canvas, { [`${UUID}:1`]: { images: given("before.png") }, 1: { images: given("other.png") } }), /before\.png/);
});

test("results of subgraphs count, the latest first, and none of another graph's", () => {
  const innermost = graphOf([{ id: 5 }], [], { isRootGraph: false, id: UUID.replace("a", "b") });
  const inner = graphOf([{ id: 5 }, { id: 6 }, { id: 7, subgraph: innermost }], [], { isRootGraph: false, id: UUID });
  const graph = graphOf([{ id: 1 }, { id: 10, mode: MUTED, subgraph: inner }], []);
  const last = (keys, latest) => lastResultOf(graph, Object.fromEntries(keys.map((key) => [key,
    { images: [{ filename: `${key.replaceAll(":", "-")}.png`, type: "output" }] }])), latest, 1.5, () => ({ width: 300, height: 200 }))
    .match(/filename=(.*)\.png/)?.[1];
  const first = `${UUID}:5`, second = `${UUID}:6`, deep = `${innermost.id}:5`;
  assert.equal(last(["1", first, second], ["10:5", "10:6", "1"]), `${UUID}-5`);
  assert.equal(last(["1", first, second, deep], ["10:7:5", "10:5"]), `${innermost.id}-5`);
  assert.equal(last(["1", first], [1, "10:5"]), "1");
  assert.equal(last([second], []), `${UUID}-6`);
  assert.equal(last(["10:6"], []), "10-6");
  assert.equal(last([`${UUID.replace("a", "c")}:5`, "11:5", "77"], ["11:5", "10:99", "77"]), undefined);
});
