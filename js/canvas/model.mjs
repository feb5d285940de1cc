// Lists of regions: read from text and written, and what can be done to them. Nothing here changes its arguments.
import { bounds, kindOf, moved } from "./shapes.mjs";

export const PALETTE = ["#e6194b", "#3cb44b", "#4363d8", "#ffe119", "#f58231", "#911eb4", "#42d4f4", "#f032e6", "#9a6324",
  "#bfef45", "#000075", "#fabed4"];
export const MOST = 64;

const numbers = (list, count) => Array.isArray(list) && list.length === count && list.every(Number.isFinite);
const places = (list) => Array.isArray(list) && list.length > 0 && list.every((point) => numbers(point, 2));

function drawable(region) {
  if (typeof region !== "object" || !region) return false;
  const kind = kindOf(region), strokes = region.strokes ?? [];
  if (kind && !(kind === "polygon" ? places(region.polygon) : numbers(region[kind], 4))) return false;
  const fine = Array.isArray(strokes) && strokes.every((stroke) => stroke && places(stroke.points));
  return fine && (Boolean(kind) || strokes.some((stroke) => !stroke.erase));
}

// The regions of a drawing. Error: it says which one cannot be drawn. Keys that nobody here knows are kept.
export function parse(text) {
  const given = text.trim() ? JSON.parse(text) : [];
  const regions = Array.isArray(given) ? given : given?.regions ?? (given && typeof given === "object" ? [] : null);
  if (!Array.isArray(regions)) throw new Error("it must be a list of regions");
  regions.forEach((region, i) => {
    if (!drawable(region)) throw new Error(`region ${i + 1} has no shape that can be drawn`);
  });
  return regions.map((region) => completed(region));
}

const completed = (region) => ({
  ...region,
  phrase: typeof region.phrase === "string" ? region.phrase : "",
  ...(region.strokes ? { strokes: region.strokes.map((stroke) => ({ ...stroke, size: stroke.size ?? 0.05 })) } : {}),
});

const rounded = (key, value) => (typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value);

export const serialise = (regions) => JSON.stringify({ regions }, rounded);

export const strengthOf = (region) => region.strength ?? 0.5;
export const outsideOf = (region) => region.outside ?? 0;
export const focusOf = (region) => region.focus ?? 0;
export const softOf = (region) => region.soft ?? 0;

// Its own colour, or the palette's by its place.
export const colourOf = (regions, i) => regions[i].colour || PALETTE[i % PALETTE.length];

// The first colour of the palette that no region has.
export function freshColour(regions) {
  const taken = new Set(regions.map((_, i) => colourOf(regions, i).toLowerCase()));
  return PALETTE.find((colour) => !taken.has(colour)) ?? PALETTE[regions.length % PALETTE.length];
}

// What a new region has; what a drawing leaves out is 0.5, 0 and 0.
export const WEIGHTS = { strength: 0.5, outside: 0.5, focus: 1 };

export const fresh = (regions, shape) => ({ phrase: "", ...shape, ...WEIGHTS, colour: freshColour(regions) });

// Each of these returns {regions, active}.

export const added = (regions, region) => ({ regions: [...regions, region], active: regions.length });

export function changed(regions, i, change) {
  return { regions: regions.map((region, n) => (n === i ? { ...region, ...change } : region)), active: i };
}

export function replaced(regions, i, region) {
  return { regions: regions.map((other, n) => (n === i ? region : other)), active: i };
}

export function removed(regions, i) {
  const left = regions.filter((_, n) => n !== i);
  return { regions: left, active: Math.min(i, left.length - 1) };
}

// A copy beside it, in a colour of its own.
export function duplicated(regions, i, ratio) {
  const [left, top] = bounds(regions[i], ratio), away = [left > 0.5 ? -0.04 : 0.04, top > 0.5 ? -0.04 : 0.04];
  return added(regions, { ...moved(regions[i], away, ratio), colour: freshColour(regions) });
}

// Changed places with its neighbour, by = -1 or 1.
export function reordered(regions, i, by) {
  const to = i + by;
  if (!regions[i] || !regions[to]) return { regions, active: i };
  const list = regions.map((region, n) => ({ ...region, colour: colourOf(regions, n) }));  // colours go with them
  [list[i], list[to]] = [list[to], list[i]];
  return { regions: list, active: to };
}
