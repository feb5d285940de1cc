import assert from "node:assert/strict";
import { test } from "node:test";
import { advice } from "../../js/canvas/advice.mjs";

const SIZE = { width: 512, height: 512 }, PROMPTS = [{ title: "p", text: "a red dog" }];
const dog = { phrase: "red dog", box: [0, 0, 0.5, 0.5] };
const told = (regions, active = 0, more = {}, size = SIZE, prompts = PROMPTS) =>
  advice({ regions, active, tool: "box", fault: "", ...more }, size, prompts);

test("what is missing is said, the most urgent first", () => {
  assert.match(told([dog], -1, { fault: "region 1 has no shape" })[0], /cannot be shown \(region 1/);
  assert.match(told([dog, { ...dog, phrase: " " }], -1)[0], /Region 2 has no words/);
  assert.match(told([{ ...dog, phrase: "" }])[0], /Type its words/);
  assert.match(told([{ ...dog, phrase: "cat" }])[0], /"cat" stands in no prompt/);
  assert.match(told([{ ...dog, box: [0, 0, 0.25, 0.12] }])[0], /covers 2 of/);
  assert.ok(!told([dog])[1] && !told([dog], -1)[1]);
});

test("no warning where the server finds the phrase: in scripts without spaces, across underscores and hyphens", () => {
  for (const [phrase, text] of [["黑猫", "一只黑猫和狗"], ["long hair", "1girl, long_hair"], ["close up", "a close-up"]]) {
    assert.ok(!told([{ ...dog, phrase }], 0, {}, SIZE, [{ title: "p", text }])[1]);
  }
});

test("no warning without prompts to look in, nor of cells in pictures that have none so coarse", () => {
  assert.ok(!told([{ ...dog, phrase: "cat" }], 0, {}, SIZE, [])[1]);
  assert.ok(!told([{ ...dog, box: [0, 0, 0.25, 0.12] }], 0, {}, { width: 128, height: 128 })[1]);
});
