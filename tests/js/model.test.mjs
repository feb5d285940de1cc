import assert from "node:assert/strict";
import { test } from "node:test";
import * as model from "../../js/canvas/model.mjs";

const a = { phrase: "a", box: [0, 0, 0.5, 0.5] }, b = { phrase: "b", ellipse: [0.5, 0.5, 0.5, 0.5], colour: "#123456" };

test("a drawing is read, bare or not, and written with four decimals; unknown keys stay", () => {
  assert.deepEqual(model.parse(""), []);
  assert.deepEqual(model.parse('{"regions": []}'), []);
  assert.deepEqual(model.parse(JSON.stringify([a])), [a]);
  assert.equal(model.serialise([{ phrase: "a", box: [1 / 3, 0, 0.5, 1], later: 7 }]),
    '{"regions":[{"phrase":"a","box":[0.3333,0,0.5,1],"later":7}]}');
  assert.deepEqual(model.parse(model.serialise([a, b])), [a, b]);
  assert.equal(model.parse('[{"strokes": [{"points": [[0, 0]]}]}]')[0].strokes[0].size, 0.05);
});

test("what cannot be drawn is refused, and named", () => {
  for (const text of ["{", "7", '"a"', '{"regions": 3}', "null"]) assert.throws(() => model.parse(text));
  const wrong = [{}, { box: [0, 0, 1] }, { box: [0, 0, 1, "1"] }, { polygon: [] }, { polygon: [[0]] }, { strokes: [] }, null,
    { strokes: [{ points: [[0, 0]], erase: true }] }, { box: [0, 0, 1, 1], strokes: [{}] }];
  for (const region of wrong) assert.throws(() => model.parse(JSON.stringify([a, region])), /region 2 has no shape/);
});

test("a new region has a colour that no other has", () => {
  const two = [{ ...a, colour: model.PALETTE[0] }, { ...a, colour: model.PALETTE[1].toUpperCase() }];
  assert.equal(model.freshColour(two), model.PALETTE[2]);
  assert.equal(model.freshColour([a]), model.PALETTE[1]);  // without a colour it shows the palette's
  assert.equal(model.fresh(two, { box: [0, 0, 1, 1] }).colour, model.PALETTE[2]);
});

test("a new region has one thing in it; a drawing that says nothing of that stays flat, as it was", () => {
  const { strength, outside, focus } = model.fresh([], { box: [0, 0, 1, 1] });
  assert.deepEqual([strength, outside, focus], [0.5, 0.5, 1]);
  assert.deepEqual([model.strengthOf(a), model.outsideOf(a), model.focusOf(a), model.focusOf({ ...a, focus: 2 })], [0.5, 0, 0, 2]);
});

test("regions are added, changed, removed, copied and reordered without changing the list that was", () => {
  const list = Object.freeze([Object.freeze(a), Object.freeze(b)]);
  assert.deepEqual(model.added(list, a), { regions: [a, b, a], active: 2 });
  assert.deepEqual(model.changed(list, 1, { strength: 1 }).regions[1], { ...b, strength: 1 });
  assert.deepEqual(model.removed(list, 1), { regions: [a], active: 0 });
  assert.deepEqual(model.removed([a], 0), { regions: [], active: -1 });
  const { regions: [, , copy], active } = model.duplicated(list, 0, 1);
  assert.deepEqual([copy.box, copy.phrase, active], [[0.04, 0.04, 0.5, 0.5], "a", 2]);
  assert.notEqual(copy.colour, b.colour);
});

test("a region keeps its colour when it changes places", () => {
  const { regions, active } = model.reordered([a, b], 0, 1);
  assert.deepEqual(regions, [b, { ...a, colour: model.PALETTE[0] }]);
  assert.equal(active, 1);
  assert.deepEqual(model.reordered([a, b], 0, -1), { regions: [a, b], active: 0 });
});
