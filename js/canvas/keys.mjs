// The picture's keyboard: what a key does to {regions, active}, as {regions, active}; null: this key is not ours.
import { added, duplicated, fresh, MOST, removed, replaced } from "./model.mjs";
import { bounds, clamp, fitted, LEAST, moved } from "./shapes.mjs";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.01, FINE = 0.002;
const MIDDLE = [0.35, 0.35, 0.3, 0.3];

export const HELP = "N new box, arrows move, Shift and arrows resize, Alt finer, [ and ] choose, Ctrl+D copy, Del delete, " +
  "Enter words, Esc none";

export function pressed({ regions, active }, event, ratio) {
  const region = regions[active], command = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (command) return key === "d" && region && regions.length < MOST ? duplicated(regions, active, ratio) : null;
  if (key === "n" && regions.length < MOST) return added(regions, fresh(regions, { box: MIDDLE }));
  if (key === "[" || key === "]") return chosen(regions, active, key === "]" ? 1 : -1);
  if (!region) return null;
  if (key === "Escape") return { regions, active: -1 };
  if (key === "Delete" || key === "Backspace") return removed(regions, active);
  if (!ARROWS[key]) return null;
  const by = ARROWS[key].map((value) => value * (event.altKey ? FINE : STEP));
  return replaced(regions, active, event.shiftKey ? grown(region, by, ratio) : moved(region, by, ratio));
}

function chosen(regions, active, by) {
  if (!regions.length) return null;
  return { regions, active: active < 0 ? (by > 0 ? 0 : regions.length - 1) : (active + by + regions.length) % regions.length };
}

// Its right and lower side moved.
function grown(region, [dx, dy], ratio) {
  const from = bounds(region, ratio), [left, top, right, bottom] = from;
  const to = [left, top, clamp(right + dx, left + LEAST, Math.max(1, right)), clamp(bottom + dy, top + LEAST, Math.max(1, bottom))];
  return fitted(region, from, to);
}
