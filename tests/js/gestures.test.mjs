import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, cursor } from "../../js/canvas/gestures.mjs";
import { pressed } from "../../js/canvas/keys.mjs";

const VIEW = { ratio: 1, reach: [0.02, 0.02], over: false };
const one = { phrase: "a", box: [0.2, 0.2, 0.4, 0.4], colour: "#e6194b" };
const state = (more = {}) => ({ regions: [one], active: -1, tool: "box", brush: 0.1, ...more });
const round = (list) => list.flat(2).map((value) => Math.round(value * 1e6) / 1e6);

function drag(given, from, to, view = VIEW) {
  const gesture = begin(given, from, view);
  gesture.move(to);
  return gesture.end();
}

test("a drag on free ground draws, clipped to the picture; a click there chooses none", () => {
  const { regions, active } = drag(state(), [0.9, 0.9], [0.7, 1.4]);
  assert.deepEqual([round(regions[1].box), active, regions[1].phrase], [[0.7, 0.9, 0.2, 0.1], 1, ""]);
  assert.deepEqual(drag(state({ active: 0 }), [0.9, 0.9], [0.9, 0.9]), { regions: [one], active: -1 });
  assert.deepEqual(round(drag(state({ tool: "ellipse" }), [0.7, 0.7], [1, 1]).regions[1].ellipse), [0.7, 0.7, 0.3, 0.3]);
});

test("a drag on a region moves it, with Ctrl it draws over it, on a handle it resizes", () => {
  const { regions, active } = drag(state(), [0.3, 0.3], [0.4, 0.5]);
  assert.deepEqual([round(regions[0].box), active], [[0.3, 0.4, 0.4, 0.4], 0]);
  assert.equal(drag(state(), [0.3, 0.3], [0.4, 0.5], { ...VIEW, over: true }).regions.length, 2);
  assert.deepEqual(round(drag(state({ active: 0 }), [0.61, 0.6], [0.8, 0.9]).regions[0].box), [0.2, 0.2, 0.6, 0.7]);
  assert.deepEqual(drag(state(), [0.3, 0.3], [0.3, 0.3]), { regions: [one], active: 0 });  // a click chooses
});

test("lasso, brush and eraser", () => {
  const loop = begin(state({ tool: "lasso" }), [0.1, 0.1], VIEW);
  [[0.5, 0.1], [0.9, 0.1], [0.9, 0.9]].forEach(loop.move);
  assert.deepEqual(loop.end().regions[1].polygon, [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]);
  const brush = begin(state({ tool: "brush" }), [0.5, 0.5], VIEW);
  assert.deepEqual(brush.start().regions[1].strokes, [{ size: 0.1, points: [[0.5, 0.5]] }]);
  assert.equal(brush.end().active, 1);
  const onto = drag(state({ tool: "brush", active: 0 }), [0.7, 0.7], [0.8, 0.7]).regions;
  assert.deepEqual([onto.length, onto[0].strokes[0].points], [1, [[0.7, 0.7], [0.8, 0.7]]]);
  const hole = drag(state({ tool: "eraser" }), [0.3, 0.3], [0.4, 0.3]);
  assert.deepEqual([hole.active, hole.regions[0].strokes[0].erase], [0, true]);
  assert.equal(begin(state({ tool: "eraser" }), [0.9, 0.9], VIEW), null);
});

test("no 65th region", () => {
  const full = state({ regions: Array(64).fill(one) });
  for (const tool of ["box", "ellipse", "lasso"]) assert.equal(begin({ ...full, tool }, [0.9, 0.9], VIEW), null);
  assert.equal(drag({ ...full, tool: "brush" }, [0.9, 0.9], [0.8, 0.8]).regions.length, 64);
  assert.equal(pressed(full, { key: "n" }, 1), null);
});

test("the cursor says what a press would do", () => {
  const at = (point, more) => cursor(state(more), point, VIEW);
  assert.deepEqual([at([0.3, 0.3]), at([0.9, 0.9]), at([0.6, 0.6], { active: 0 }), at([0.3, 0.3], { tool: "brush" })],
    ["move", "crosshair", "se-resize", "crosshair"]);
});

test("all of it without a mouse", () => {
  const key = (name, more = {}, given = state({ active: 0 })) => pressed(given, { key: name, ...more }, 1);
  assert.equal(key("n").regions.length, 2);
  assert.deepEqual(round(key("ArrowLeft").regions[0].box), [0.19, 0.2, 0.4, 0.4]);
  assert.deepEqual(round(key("ArrowDown", { altKey: true }).regions[0].box), [0.2, 0.202, 0.4, 0.4]);
  assert.deepEqual(round(key("ArrowRight", { shiftKey: true }).regions[0].box), [0.2, 0.2, 0.41, 0.4]);
  assert.deepEqual(key("Delete"), { regions: [], active: -1 });
  assert.equal(key("d", { ctrlKey: true }).regions.length, 2);
  assert.equal(key("Escape").active, -1);
  const two = state({ regions: [one, one], active: 1 });
  assert.deepEqual([key("]", {}, two).active, key("[", {}, two).active], [0, 0]);
  assert.equal(key("[", {}, state()).active, 0);
  for (const [name, more] of [["z", { ctrlKey: true }], ["a", {}], ["Tab", {}], ["c", { ctrlKey: true }]]) assert.equal(key(name, more), null);
  assert.equal(key("Delete", {}, state()), null);  // nothing chosen: left to the graph
});
