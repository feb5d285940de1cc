// What a drag on the picture does, with each tool. A gesture is {move(point), end()}; both return {regions, active}.
// state: {regions, active, tool, brush}, which a gesture never changes. view: {ratio, reach: [x, y] of a handle, over}.
import { added, fresh, MOST, replaced } from "./model.mjs";
import { bounds, boxOf, clamp, handleAt, hit, LEAST, moved, resized, simplified } from "./shapes.mjs";

export const TOOLS = ["box", "ellipse", "lasso", "brush", "eraser"];

const inside = ([x, y]) => [clamp(x, 0, 1), clamp(y, 0, 1)];

// The gesture that begins at a point; null: nothing to do there.
export function begin(state, point, view) {
  const { regions, active, tool } = state;
  if (tool === "brush") return stroke(state, point, regions[active] ? active : -1);
  if (tool === "eraser") return erase(state, point, view);
  if (tool === "lasso") return regions.length < MOST ? loop(state, point) : null;
  const handle = regions[active] && !view.over && handleAt(bounds(regions[active], view.ratio), point, view.reach);
  if (handle) return resize(state, handle, view);
  const at = view.over ? -1 : hit(regions, point, view.ratio, active);
  if (at >= 0) return move(state, at, point, view);
  return regions.length < MOST ? shape(state, inside(point)) : null;
}

// What a press would do there, as the name of a CSS cursor.
export function cursor(state, point, view) {
  if (!["box", "ellipse"].includes(state.tool) || view.over) return "crosshair";
  const region = state.regions[state.active];
  const handle = region && handleAt(bounds(region, view.ratio), point, view.reach);
  if (handle) return `${handle}-resize`;
  return hit(state.regions, point, view.ratio) >= 0 ? "move" : "crosshair";
}

function shape({ regions, tool }, start) {
  const none = { regions, active: -1 };
  let made = none;
  return {
    move(point) {
      const box = boxOf(start, inside(point));
      made = box[2] < LEAST || box[3] < LEAST ? none : added(regions, fresh(regions, { [tool]: box }));
      return made;
    },
    end: () => made,
  };
}

function move({ regions }, at, start, { ratio }) {
  let made = { regions, active: at };
  return {
    move([x, y]) {
      made = replaced(regions, at, moved(regions[at], [x - start[0], y - start[1]], ratio));
      return made;
    },
    end: () => made,
  };
}

function resize({ regions, active }, handle, { ratio }) {
  let made = { regions, active };
  return {
    move(point) {
      made = replaced(regions, active, resized(regions[active], handle, inside(point), ratio));
      return made;
    },
    end: () => made,
  };
}

function loop({ regions }, start) {
  const points = [inside(start)];
  const made = () => added(regions, fresh(regions, { polygon: [...points] }));
  return {
    move(point) {
      points.push(inside(point));
      return points.length > 2 ? made() : { regions, active: -1 };
    },
    end() {
      const polygon = simplified(points), [left, top, right, bottom] = bounds({ polygon }, 1);
      const large = polygon.length > 2 && right - left >= LEAST && bottom - top >= LEAST;
      return large ? added(regions, fresh(regions, { polygon })) : { regions, active: -1 };
    },
  };
}

// A brush line: on the region at `at`, or a region of its own.
function stroke({ regions, brush }, start, at, erasing = false) {
  const points = [inside(start)];
  const made = (list) => {
    const line = { size: brush, ...(erasing ? { erase: true } : {}), points: [...list] };
    if (at >= 0) return replaced(regions, at, { ...regions[at], strokes: [...(regions[at].strokes ?? []), line] });
    return regions.length < MOST ? added(regions, fresh(regions, { strokes: [line] })) : { regions, active: -1 };
  };
  return {
    start: () => made(points),
    move(point) {
      points.push(inside(point));
      return made(points);
    },
    end: () => made(simplified(points)),
  };
}

// Erases in the active region, else in the one under the point.
function erase(state, point, { ratio }) {
  const at = state.regions[state.active] ? state.active : hit(state.regions, point, ratio);
  return at < 0 ? null : stroke(state, point, at, true);
}

