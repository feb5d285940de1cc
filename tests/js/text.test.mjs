import assert from "node:assert/strict";
import { test } from "node:test";
import { fromText, toText } from "../../js/canvas/text.mjs";

const regions = [
  { phrase: "red dog", strength: 0.7, outside: 0, colour: "#e03030", box: [0.1, 0.2, 0.3, 0.4] },
  { phrase: "sun", strength: 0.5, outside: 0.2, colour: "#ffe119", ellipse: [0, 0, 0.5, 0.25] },
  { phrase: "sky", strength: 0.5, outside: 0, colour: "#4363d8", polygon: [[0, 0], [1, 0], [0.5, 1]] },
];
const brushed = { phrase: "grass", strength: 0.5, outside: 0, colour: "#3cb44b", soft: 0.1, strokes: [{ size: 0.1, points: [[0.5, 0.9]] }] };

test("regions are written a line each, and read back as they were", () => {
  const text = toText([...regions, brushed]);
  assert.equal(text, "red dog | 0.7 | 0 | #e03030 | 0.1 0.2 0.3 0.4\nsun | 0.5 | 0.2 | #ffe119 | ellipse 0 0 0.5 0.25\n" +
    "sky | 0.5 | 0 | #4363d8 | polygon 0 0 1 0 0.5 1\ngrass | 0.5 | 0 | #3cb44b");
  assert.deepEqual(fromText(text), [...regions, { ...brushed, soft: undefined, strokes: undefined, box: [0.25, 0.25, 0.5, 0.5] }]
    .map((region) => ({ focus: 1, ...JSON.parse(JSON.stringify(region)) })));
  assert.deepEqual(fromText(text, [...regions, brushed]), [...regions, brushed]);
});

test("what a line leaves out stays as it was, found by its phrase, else by its place", () => {
  const [grass, dog, sun] = fromText("GRASS | 1\nred dog | | 0.3 | 0 0 1 1\n// a comment\n\nmoon", [...regions, brushed]);
  assert.deepEqual(grass, { ...brushed, phrase: "GRASS", strength: 1 });
  assert.deepEqual(dog, { ...regions[0], outside: 0.3, box: [0, 0, 1, 1] });
  assert.deepEqual(sun, { ...regions[2], phrase: "moon" });
});

test("a line of the table for masks gets a box, and what a new region has", () => {
  const [one] = fromText("cat | 0.8");
  assert.deepEqual([one.phrase, one.strength, one.outside, one.focus, one.box], ["cat", 0.8, 0.5, 1, [0.25, 0.25, 0.5, 0.5]]);
});

test("a line keeps the focus of its region, and gives none to one that has none", () => {
  const [dog, sun] = fromText("red dog | 0.2\nsun", [{ ...regions[0], focus: 0.4 }, regions[1]]);
  assert.deepEqual(dog, { ...regions[0], focus: 0.4, strength: 0.2 });
  assert.deepEqual(sun, regions[1]);
});

test("a line that cannot be read is named", () => {
  const wrong = { "a\n | 1": /Line 2 has no phrase/, "a | #12": /'#12' is no colour/, "a | 9": /9 must be from 0 to 3/, "a | -1": /-1 must/,
    "a | 1 | 1 | 1": /too many numbers/, "a | 0 0 1": /is no shape/, "a | 0 0 0 1": /above 0/, "a | blue": /'blue' is no shape/,
    "a | polygon 0 0 1 1": /is no shape/, "a | 0 0 9 1": /is no shape/ };
  for (const [text, message] of Object.entries(wrong)) assert.throws(() => fromText(text), message);
});
