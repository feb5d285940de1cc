// Regions as a table of text, a line each: phrase | strength | outside | #colour | shape.
// The shape is "x y w h", "ellipse x y w h" or "polygon x y x y x y"; focus, soft edge and brush strokes have no text form
// and stay as they are.
import { freshColour, colourOf, outsideOf, strengthOf, WEIGHTS } from "./model.mjs";
import { kindOf } from "./shapes.mjs";

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)$/;
const short = (value) => String(Math.round(value * 1e4) / 1e4);

function shapeText(region) {
  const kind = kindOf(region);
  if (!kind) return "";
  const values = region[kind].flat().map(short).join(" ");
  return kind === "box" ? values : `${kind} ${values}`;
}

export function toText(regions) {
  const line = (region, i) => {
    const fields = [region.phrase, short(strengthOf(region)), short(outsideOf(region)), colourOf(regions, i), shapeText(region)];
    return fields.filter((field, n) => n < 4 || field).join(" | ");
  };
  return regions.map(line).join("\n");
}

function readShape(field, name) {
  const [, kind = "box", rest] = field.match(/^(box|ellipse|polygon)?\s*(.*)$/i);
  const values = rest.split(/[\s,]+/).filter(Boolean);
  const fine = values.every((value) => NUMBER.test(value) && value >= -1 && value <= 3);
  const polygon = kind.toLowerCase() === "polygon";
  if (!fine || (polygon ? values.length < 6 || values.length % 2 : values.length !== 4)) {
    throw new Error(`${name}: '${field}' is no shape; write x y w h, each 0 to 1`);
  }
  const all = values.map(Number);
  if (polygon) return { polygon: all.flatMap((x, i) => (i % 2 ? [] : [[x, all[i + 1]]])) };
  if (all[2] <= 0 || all[3] <= 0) throw new Error(`${name}: width and height must be above 0`);
  return { [kind.toLowerCase()]: all };
}

function read(line, n) {
  const [phrase, ...fields] = line.split("|").map((field) => field.trim()), name = `Line ${n}`;
  if (!phrase) throw new Error(`${name} has no phrase`);
  const region = { phrase }, weights = [];
  for (const field of fields) {
    if (/^#[0-9a-f]{6}$/i.test(field)) region.colour = field.toLowerCase();
    else if (field.startsWith("#")) throw new Error(`${name}: '${field}' is no colour; write it as #ff8800`);
    else if (NUMBER.test(field) || !field) weights.push(field);
    else Object.assign(region, readShape(field, name));
  }
  const wrong = weights.find((field) => field && !(field >= 0 && field <= 3));
  if (wrong) throw new Error(`${name}: ${wrong} must be from 0 to 3`);
  if (weights.length > 2 && weights.slice(2).some(Boolean)) throw new Error(`${name} has too many numbers`);
  if (weights[0]) region.strength = Number(weights[0]);
  if (weights[1]) region.outside = Number(weights[1]);
  return region;
}

// The regions of a table. What a line leaves out is taken from the region of that phrase, or that place, in `before`;
// without one it gets a box in the middle. Error: it names the line.
export function fromText(text, before = []) {
  const lines = text.split(/\r?\n/).map((line, i) => [line.trim(), i + 1]);
  const rows = lines.filter(([line]) => line && !line.startsWith("//")).map(([line, n]) => read(line, n));
  const left = [...before];
  return rows.reduce((made, row, i) => {
    const at = left.findIndex((region) => region?.phrase.toLowerCase() === row.phrase.toLowerCase());
    const old = left[at < 0 ? i : at];
    if (old) left[at < 0 ? i : at] = null;
    return [...made, joined(row, old, made)];
  }, []);
}

function joined(row, old, made) {
  const { box, ellipse, polygon, strokes, ...rest } = old ?? {};
  const shape = kindOf(row) ? { strokes } : { box, ellipse, polygon, strokes };
  const kept = Object.fromEntries(Object.entries(shape).filter(([, value]) => value));
  const middle = kindOf(row) || Object.keys(kept).length ? {} : { box: [0.25, 0.25, 0.5, 0.5] };
  return { ...(old ? {} : WEIGHTS), colour: freshColour(made), ...rest, ...kept, ...middle, ...row };
}
