// Geometry of regions, in shares of the picture: (0, 0) top left, (1, 1) bottom right. Nothing here changes its arguments.
// A region is what the drawing's JSON says: {phrase, box | ellipse | polygon, strokes, strength, outside, soft, colour}.
// ratio: width / height of the picture. bounds: [left, top, right, bottom].

export const KINDS = ["box", "ellipse", "polygon"];
export const LEAST = 0.01;  // no side is made smaller than this
export const HANDLES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

export const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
export const kindOf = (region) => KINDS.find((kind) => region[kind]) ?? "";

// Half a brush's width and height: round in pixels, and its size is a share of the shorter side.
export const radii = (size, ratio) => (ratio >= 1 ? [size / 2 / ratio, size / 2] : [size / 2, (size / 2) * ratio]);

export function boxOf([ax, ay], [bx, by]) {
  return [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)];
}

export function bounds(region, ratio) {
  const found = [Infinity, Infinity, -Infinity, -Infinity], kind = kindOf(region);
  const add = ([x, y], [rx, ry] = [0, 0]) => {
    found[0] = Math.min(found[0], x - rx);
    found[1] = Math.min(found[1], y - ry);
    found[2] = Math.max(found[2], x + rx);
    found[3] = Math.max(found[3], y + ry);
  };
  if (kind === "polygon") region.polygon.forEach((point) => add(point));
  else if (kind) {
    const [x, y, w, h] = region[kind];
    add([x, y]);
    add([x + w, y + h]);
  }
  for (const stroke of region.strokes ?? []) {
    if (!stroke.erase) for (const point of stroke.points) add(point, radii(stroke.size, ratio));
  }
  return found;
}

function inBase(region, [x, y]) {
  const kind = kindOf(region);
  if (!kind) return false;
  if (kind === "polygon") return inPolygon(region.polygon, x, y);
  const [left, top, w, h] = region[kind];
  if (kind === "box") return x >= left && x <= left + w && y >= top && y <= top + h;
  return ((x - left - w / 2) / (w / 2)) ** 2 + ((y - top - h / 2) / (h / 2)) ** 2 <= 1;
}

// Nonzero rule, as the masks are made: a loop that crosses itself counts on both sides.
function inPolygon(points, x, y) {
  let winding = 0;
  points.forEach(([ax, ay], i) => {
    const [bx, by] = points[(i + 1) % points.length];
    if (ay <= y !== by <= y && ax + ((y - ay) / (by - ay)) * (bx - ax) > x) winding += by > ay ? 1 : -1;
  });
  return winding !== 0;
}

function underStroke({ points, size }, [x, y], ratio) {
  const [rx, ry] = radii(size, ratio);
  return points.some(([ax, ay], i) => {
    const [bx, by] = points[i + 1] ?? points[i];
    const [dx, dy, px, py] = [(bx - ax) / rx, (by - ay) / ry, (x - ax) / rx, (y - ay) / ry];
    const along = clamp((px * dx + py * dy) / (dx * dx + dy * dy || 1), 0, 1);
    return (px - along * dx) ** 2 + (py - along * dy) ** 2 <= 1;
  });
}

export function contains(region, point, ratio) {
  let inside = inBase(region, point);
  for (const stroke of region.strokes ?? []) {
    if (inside === Boolean(stroke.erase) && underStroke(stroke, point, ratio)) inside = !stroke.erase;
  }
  return inside;
}

// The active region if it holds the point, else the one that is drawn last, on top; -1: none.
export function hit(regions, point, ratio, active = -1) {
  if (regions[active] && contains(regions[active], point, ratio)) return active;
  return regions.findLastIndex((region) => contains(region, point, ratio));
}

export function handlePlace([left, top, right, bottom], name) {
  const x = name.includes("w") ? left : name.includes("e") ? right : (left + right) / 2;
  return [x, name.includes("n") ? top : name.includes("s") ? bottom : (top + bottom) / 2];
}

// The handle within reach [x, y] of a point, or undefined.
export function handleAt(frame, [x, y], reach) {
  return HANDLES.find((name) => {
    const [hx, hy] = handlePlace(frame, name);
    return Math.abs(hx - x) <= reach[0] && Math.abs(hy - y) <= reach[1];
  });
}

// Everything of a region, moved and scaled as one bounds becomes another.
export function fitted(region, from, to) {
  const scale = [0, 1].map((i) => (to[i + 2] - to[i]) / (from[i + 2] - from[i] || 1));
  const at = (point) => point.map((value, i) => to[i] + (value - from[i]) * scale[i]);
  const kind = kindOf(region), made = { ...region };
  if (kind === "polygon") made.polygon = region.polygon.map(at);
  else if (kind) {
    const [x, y, w, h] = region[kind];
    made[kind] = [...at([x, y]), w * scale[0], h * scale[1]];
  }
  const size = Math.sqrt(scale[0] * scale[1]);
  const larger = (stroke) => ({ ...stroke, size: clamp(stroke.size * size, 0.001, 2), points: stroke.points.map(at) });
  if (region.strokes) made.strokes = region.strokes.map(larger);
  return made;
}

// Moved, but not out of the picture.
export function moved(region, [dx, dy], ratio) {
  const [left, top, right, bottom] = bounds(region, ratio);
  const x = clamp(dx, Math.min(0, -left), Math.max(0, 1 - right));
  const y = clamp(dy, Math.min(0, -top), Math.max(0, 1 - bottom));
  return fitted(region, [left, top, right, bottom], [left + x, top + y, right + x, bottom + y]);
}

// With one handle dragged to a point; the opposite side stays.
export function resized(region, name, [x, y], ratio) {
  const from = bounds(region, ratio), to = [...from];
  if (name.includes("w")) to[0] = clamp(x, Math.min(0, from[0]), from[2] - LEAST);
  if (name.includes("e")) to[2] = clamp(x, from[0] + LEAST, Math.max(1, from[2]));
  if (name.includes("n")) to[1] = clamp(y, Math.min(0, from[1]), from[3] - LEAST);
  if (name.includes("s")) to[3] = clamp(y, from[1] + LEAST, Math.max(1, from[3]));
  return fitted(region, from, to);
}

// A hand-drawn line without the points that lie within a tolerance of it (Ramer, Douglas and Peucker).
export function simplified(points, tolerance = 0.002) {
  const keep = new Set([0, points.length - 1]), open = [[0, points.length - 1]];
  while (open.length) {
    const [first, last] = open.pop(), [ax, ay] = points[first], [bx, by] = points[last];
    const length = Math.hypot(bx - ax, by - ay);
    let far = tolerance, at = -1;
    for (let i = first + 1; i < last; i++) {
      const [x, y] = points[i];
      const off = length ? Math.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length : Math.hypot(x - ax, y - ay);
      if (off > far) [far, at] = [off, i];
    }
    if (at < 0) continue;
    keep.add(at);
    open.push([first, at], [at, last]);
  }
  return [...keep].sort((a, b) => a - b).map((i) => points[i]);
}

// Cells of the model's coarsest attention layer (64 pixels wide) that a region covers at least half; counts up to `most`.
export function cellCount(region, { width, height }, most = 4) {
  const CELL = 64, PARTS = 4, ratio = width / height, across = Math.ceil(width / CELL), down = Math.ceil(height / CELL);
  const [left, top, right, bottom] = bounds(region, ratio);
  let count = 0;
  for (let row = Math.max(0, Math.floor(top * down)); row < Math.min(down, bottom * down); row++) {
    for (let column = Math.max(0, Math.floor(left * across)); column < Math.min(across, right * across); column++) {
      let inside = 0;
      for (let part = 0; part < PARTS * PARTS; part++) {
        const x = column + ((part % PARTS) + 0.5) / PARTS, y = row + (Math.floor(part / PARTS) + 0.5) / PARTS;
        inside += contains(region, [x / across, y / down], ratio);
      }
      if (inside * 2 >= PARTS * PARTS && ++count >= most) return count;
    }
  }
  return count;
}
