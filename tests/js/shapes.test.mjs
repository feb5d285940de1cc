import assert from "node:assert/strict";
import { test } from "node:test";
import * as shapes from "../../js/canvas/shapes.mjs";

const box = { box: [0.2, 0.4, 0.4, 0.2] };
const near = (one, two) => one.forEach((value, i) => assert.ok(Math.abs(value - two[i]) < 1e-9, `${one} is not ${two}`));

test("bounds hold the shape and the whole brush, which is round in pixels", () => {
  near(shapes.bounds(box, 1), [0.2, 0.4, 0.6, 0.6]);
  near(shapes.bounds({ polygon: [[0.1, 0.9], [0.5, 0.2], [0.3, 0.3]] }, 1), [0.1, 0.2, 0.5, 0.9]);
  const dot = { strokes: [{ size: 0.2, points: [[0.5, 0.5]] }, { size: 1, erase: true, points: [[0, 0]] }] };
  near(shapes.bounds(dot, 2), [0.45, 0.4, 0.55, 0.6]);
  near(shapes.bounds(dot, 0.5), [0.4, 0.45, 0.6, 0.55]);
});

test("a point is inside a box, an ellipse, a loop that crosses itself, or a stroke that was not erased", () => {
  const inside = (region, point, ratio = 1) => shapes.contains(region, point, ratio);
  assert.ok(inside(box, [0.21, 0.41]) && !inside(box, [0.19, 0.41]));
  const ellipse = { ellipse: [0, 0, 1, 0.5] };
  assert.ok(inside(ellipse, [0.5, 0.01]) && !inside(ellipse, [0.05, 0.05]));
  const bow = { polygon: [[0, 0], [1, 1], [1, 0], [0, 1]] };
  assert.ok(inside(bow, [0.1, 0.5]) && inside(bow, [0.9, 0.5]) && !inside(bow, [0.5, 0.1]));
  const line = { strokes: [{ size: 0.2, points: [[0.2, 0.5], [0.8, 0.5]] }, { size: 0.2, erase: true, points: [[0.5, 0.5]] }] };
  assert.ok(inside(line, [0.3, 0.55]) && !inside(line, [0.3, 0.65]) && !inside(line, [0.5, 0.5]));
});

test("the active region is hit first, else the one on top", () => {
  const two = [box, { box: [0, 0, 1, 1] }];
  assert.deepEqual([shapes.hit(two, [0.3, 0.5], 1), shapes.hit(two, [0.3, 0.5], 1, 0), shapes.hit(two, [2, 2], 1)], [1, 0, -1]);
});

test("eight handles lie around the bounds, and only what is in reach counts", () => {
  const frame = [0.2, 0.4, 0.6, 0.6];
  for (const name of shapes.HANDLES) assert.equal(shapes.handleAt(frame, shapes.handlePlace(frame, name), [0.02, 0.02]), name);
  assert.deepEqual(shapes.handlePlace(frame, "se"), [0.6, 0.6]);
  assert.deepEqual(shapes.handlePlace(frame, "n"), [0.4, 0.4]);
  assert.equal(shapes.handleAt(frame, [0.63, 0.6], [0.02, 0.02]), undefined);
});

test("what is moved stays in the picture, and can come back into it", () => {
  near(shapes.moved(box, [0.1, -0.1], 1).box, [0.3, 0.3, 0.4, 0.2]);
  near(shapes.moved(box, [9, -9], 1).box, [0.6, 0, 0.4, 0.2]);
  near(shapes.moved({ box: [-0.5, 0, 0.2, 1] }, [0.1, 0], 1).box, [-0.4, 0, 0.2, 1]);
  const loop = shapes.moved({ polygon: [[0, 0], [0.5, 0], [0, 0.5]], phrase: "a" }, [0.1, 0.2], 1);
  near(loop.polygon.flat(), [0.1, 0.2, 0.6, 0.2, 0.1, 0.7]);
  assert.equal(loop.phrase, "a");
});

test("a handle moves its sides, the others stay, and no side gets lost", () => {
  near(shapes.resized(box, "se", [0.9, 0.8], 1).box, [0.2, 0.4, 0.7, 0.4]);
  near(shapes.resized(box, "w", [0.1, 0.9], 1).box, [0.1, 0.4, 0.5, 0.2]);
  near(shapes.resized(box, "n", [0.9, 0.9], 1).box, [0.2, 0.59, 0.4, 0.01]);
  near(shapes.resized(box, "e", [-1, 0], 1).box, [0.2, 0.4, 0.01, 0.2]);
  const loop = shapes.resized({ polygon: [[0, 0], [0.4, 0], [0, 0.4]] }, "se", [0.8, 0.8], 1).polygon;
  near(loop.flat(), [0, 0, 0.8, 0, 0, 0.8]);
});

test("a drawn line keeps its corners and drops what lies between them", () => {
  const line = Array.from({ length: 101 }, (_, i) => [i / 100, i < 50 ? 0 : (i - 50) / 100]);
  assert.deepEqual(shapes.simplified(line), [[0, 0], [0.5, 0], [1, 0.5]]);
  assert.deepEqual(shapes.simplified([[0.1, 0.1]]), [[0.1, 0.1]]);
});

test("coarse cells that a region covers at least half are counted", () => {
  const size = { width: 512, height: 512 };
  assert.equal(shapes.cellCount({ box: [0, 0, 0.25, 0.125] }, size), 2);
  assert.equal(shapes.cellCount({ box: [0, 0, 0.25, 0.25] }, size), 4);
  assert.equal(shapes.cellCount({ box: [0.03, 0.03, 0.06, 0.06] }, size), 0);
  assert.equal(shapes.cellCount({ box: [0, 0, 1, 1] }, size, 100), 64);
});
