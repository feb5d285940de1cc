// Draws regions on a canvas of `width` x `height` CSS pixels.
import { colourOf, softOf } from "./model.mjs";
import { bounds, HANDLES, handlePlace, kindOf } from "./shapes.mjs";

const PAD = 8, GRIP = 8, FONT = "12px system-ui, sans-serif";
const FILL = 0.42, FILL_ACTIVE = 0.6, THROUGH = 0.65;  // opacity; less of it over a picture

// Where the picture lies, {x, y, w, h}: as large as it fits, with room for handles at its border.
export function frameOf(width, height, ratio) {
  const w = Math.max(1, Math.min(width - 2 * PAD, (height - 2 * PAD) * ratio)), h = w / ratio;
  return { x: (width - w) / 2, y: (height - h) / 2, w, h };
}

// scene: {regions, active, ratio, picture: an image or null, brush: {point, size} or null, scale: device pixels per pixel}
export function paint(canvas, width, height, scene) {
  const { scale } = scene, frame = frameOf(width, height, scene.ratio);
  fit(canvas, width * scale, height * scale);
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.translate(frame.x, frame.y);
  pen.fillStyle = "#6b6b6b";
  pen.fillRect(0, 0, frame.w, frame.h);
  if (scene.picture) pen.drawImage(scene.picture, 0, 0, frame.w, frame.h);
  const layers = scene.regions.map((_, i) => layerOf(scene, i, frame));
  pen.drawImage(hatched(layers, frame, scale), 0, 0, frame.w, frame.h);
  layers.forEach((layer, i) => {
    pen.globalAlpha = (i === scene.active ? FILL_ACTIVE : FILL) * (scene.picture ? THROUGH : 1);
    pen.drawImage(layer, 0, 0, frame.w, frame.h);
  });
  pen.globalAlpha = 1;
  scene.regions.forEach((_, i) => trim(pen, scene, i, frame));
  if (scene.brush) cursor(pen, scene.brush, frame);
}

function fit(canvas, width, height) {
  if (canvas.width !== Math.round(width)) canvas.width = Math.round(width);
  if (canvas.height !== Math.round(height)) canvas.height = Math.round(height);
}

function sheet(frame, scale) {
  const canvas = document.createElement("canvas");
  fit(canvas, Math.max(1, frame.w * scale), Math.max(1, frame.h * scale));
  const pen = canvas.getContext("2d");
  pen.setTransform(canvas.width / frame.w, 0, 0, canvas.height / frame.h, 0, 0);
  return [canvas, pen];
}

// One region in its full colour, on a sheet of its own, as an eraser must not reach the others.
function layerOf({ regions, scale }, i, frame) {
  const [canvas, pen] = sheet(frame, scale), region = regions[i], short = Math.min(frame.w, frame.h);
  pen.fillStyle = pen.strokeStyle = colourOf(regions, i);
  pen.lineCap = pen.lineJoin = "round";
  pen.fill(pathOf(region, frame));
  for (const stroke of region.strokes ?? []) {
    pen.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    pen.lineWidth = stroke.size * short;
    pen.stroke(line(stroke.points, frame));
  }
  return softOf(region) ? softened(canvas, frame, softOf(region) * short * scale, scale) : canvas;
}

function softened(canvas, frame, width, scale) {
  const [soft, pen] = sheet(frame, scale);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.filter = `blur(${width / 4}px)`;
  pen.drawImage(canvas, 0, 0);
  return soft;
}

function pathOf(region, { w, h }) {
  const path = new Path2D(), kind = kindOf(region);
  if (kind === "polygon") {
    region.polygon.forEach(([x, y]) => path.lineTo(x * w, y * h));
    path.closePath();
  } else if (kind) {
    const [x, y, width, height] = region[kind].map((value, i) => value * (i % 2 ? h : w));
    if (kind === "box") path.rect(x, y, width, height);
    else path.ellipse(x + width / 2, y + height / 2, Math.abs(width / 2), Math.abs(height / 2), 0, 0, 2 * Math.PI);
  }
  return path;
}

function line(points, { w, h }) {
  const path = new Path2D();
  for (const [x, y] of points.length > 1 ? points : [points[0], points[0]]) path.lineTo(x * w, y * h);
  return path;
}

// Stripes where no region is.
function hatched(layers, frame, scale) {
  const [canvas, pen] = sheet(frame, scale);
  pen.strokeStyle = "rgba(255, 255, 255, 0.28)";
  for (let x = -frame.h; x < frame.w; x += 9) {
    pen.moveTo(x, frame.h);
    pen.lineTo(x + frame.h, 0);
  }
  pen.stroke();
  pen.globalCompositeOperation = "destination-out";
  for (const layer of layers) pen.drawImage(layer, 0, 0, frame.w, frame.h);
  return canvas;
}

// Outline, name, and the handles of the active one.
function trim(pen, scene, i, frame) {
  const region = scene.regions[i], active = i === scene.active, colour = colourOf(scene.regions, i);
  const [left, top, right, bottom] = bounds(region, scene.ratio).map((value, n) => value * (n % 2 ? frame.h : frame.w));
  pen.lineWidth = active ? 2 : 1.5;
  pen.strokeStyle = colour;
  if (!region.strokes) pen.stroke(pathOf(region, frame));
  if (active) {
    pen.strokeStyle = "rgba(255, 255, 255, 0.9)";
    pen.lineWidth = 1;
    pen.setLineDash([4, 3]);
    pen.strokeRect(left, top, right - left, bottom - top);
    pen.setLineDash([]);
  }
  label(pen, `${i + 1} ${region.phrase || "(no words yet)"}`, colour, [left, top, right], frame);
  if (active) HANDLES.forEach((name) => grip(pen, handlePlace([left, top, right, bottom], name)));
}

function label(pen, text, colour, [left, top, right], frame) {
  pen.font = FONT;
  let words = text;
  const room = Math.max(36, right - left - 12);
  while (words.length > 1 && pen.measureText(words).width > room) words = `${words.slice(0, words.endsWith("…") ? -2 : -1)}…`;
  const width = pen.measureText(words).width + 12;
  const x = Math.min(Math.max(left + 4, 2), frame.w - width - 2), y = Math.min(Math.max(top + 4, 2), frame.h - 20);
  pen.fillStyle = "rgba(0, 0, 0, 0.72)";
  pen.fillRect(x, y, width, 18);
  pen.fillStyle = colour;
  pen.fillRect(x, y, 3, 18);
  pen.fillStyle = "#fff";
  pen.textBaseline = "middle";
  pen.fillText(words, x + 7, y + 9.5);
}

function grip(pen, [x, y]) {
  pen.fillStyle = "#fff";
  pen.strokeStyle = "#222";
  pen.fillRect(x - GRIP / 2, y - GRIP / 2, GRIP, GRIP);
  pen.strokeRect(x - GRIP / 2, y - GRIP / 2, GRIP, GRIP);
}

function cursor(pen, { point, size }, { w, h }) {
  pen.beginPath();
  pen.arc(point[0] * w, point[1] * h, (size * Math.min(w, h)) / 2, 0, 2 * Math.PI);
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1;
  pen.stroke();
}
