// The picture with its regions: what is seen there, and what pointer and keys do to it.
import { make } from "./dom.mjs";
import { frameOf, paint } from "./draw.mjs";
import { begin, cursor } from "./gestures.mjs";
import { HELP, pressed } from "./keys.mjs";

const REACH = 8;      // pixels around a handle
const SHARPEST = 3;   // device pixels per pixel
const paints = (tool) => ["brush", "eraser"].includes(tool);

// editor: {state, ratio(), set(change), commit(change), focusWords()}. Returns {canvas, draw(), focus(), lay(address)}.
export function surface(editor) {
  const canvas = make("canvas", { class: "lm-canvas", tabindex: "0", role: "application",
    "aria-label": `Regions of the picture. ${HELP}.` });
  const now = { gesture: null, draft: null, pointer: null, image: null };
  const draw = () => show(canvas, editor, now);
  const focus = () => canvas.focus({ preventScroll: true });
  canvas.addEventListener("keydown", (event) => key(event, editor, now, draw));
  listen(canvas, editor, now, { draw, focus });
  new ResizeObserver(draw).observe(canvas);
  function lay(address) {
    if (address === (now.image?.dataset.address ?? "")) return;
    now.image = address ? make("img", { "data-address": address, onload: draw }) : null;
    if (now.image) now.image.src = address;
  }
  return { canvas, draw, focus, lay };
}

function show(canvas, { state, ratio }, { draft, pointer, image }) {
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  const zoom = Math.max(1, canvas.getBoundingClientRect().width / width);
  paint(canvas, width, height, {
    ...(draft ?? state),
    ratio: ratio(),
    scale: Math.min(SHARPEST, (window.devicePixelRatio || 1) * zoom),
    picture: state.shown && image?.naturalWidth ? image : null,
    brush: paints(state.tool) && pointer ? { point: pointer, size: state.brush } : null,
  });
}

// Where an event is, as a share of the picture; right at any zoom of the page.
function placeOf(event, canvas, ratio) {
  const outer = canvas.getBoundingClientRect(), frame = frameOf(canvas.clientWidth, canvas.clientHeight, ratio);
  const x = ((event.clientX - outer.left) / outer.width) * canvas.clientWidth;
  const y = ((event.clientY - outer.top) / outer.height) * canvas.clientHeight;
  return [(x - frame.x) / frame.w, (y - frame.y) / frame.h];
}

function viewOf(event, canvas, ratio) {
  const { w, h } = frameOf(canvas.clientWidth, canvas.clientHeight, ratio);
  return { ratio, reach: [REACH / w, REACH / h], over: event.ctrlKey || event.metaKey };
}

function listen(canvas, editor, now, { draw, focus }) {
  const { state } = editor, place = (event) => placeOf(event, canvas, editor.ratio());
  const view = (event) => viewOf(event, canvas, editor.ratio());
  canvas.addEventListener("pointerdown", (event) => {  // no preventDefault: the host counts an undo step on the mouseup
    if (event.button || now.gesture) return;             // that would then not come
    focus();
    now.gesture = begin(state, place(event), view(event));
    if (!now.gesture) return editor.set({ active: -1 });
    canvas.setPointerCapture(event.pointerId);
    now.draft = now.gesture.start?.() ?? null;
    draw();
  });
  canvas.addEventListener("pointermove", (event) => {
    now.pointer = place(event);
    if (now.gesture) now.draft = now.gesture.move(now.pointer);
    else canvas.style.cursor = cursor(state, now.pointer, view(event));
    if (now.gesture || paints(state.tool)) draw();
  });
  for (const name of ["pointerup", "lostpointercapture"]) canvas.addEventListener(name, () => finish(editor, now));
  canvas.addEventListener("pointerleave", () => {
    now.pointer = null;
    draw();
  });
}

function finish(editor, now) {
  if (!now.gesture) return;
  const made = now.gesture.end(), before = editor.state.regions;
  now.gesture = now.draft = null;
  if (made.regions === before) editor.set({ active: made.active });
  else editor.commit(made);
  if (made.regions.length > before.length) editor.focusWords();
}

function key(event, editor, now, draw) {
  const { state } = editor;
  if (now.gesture) {
    if (event.key === "Escape") now.gesture = now.draft = null;
    return draw();
  }
  const words = event.key === "Enter" && state.regions[state.active];
  const made = words ? null : pressed(state, event, editor.ratio());
  if (!made && !words) return;
  event.preventDefault();
  event.stopPropagation();  // the host's own keys
  if (words) editor.focusWords();
  else if (made.regions === state.regions) editor.set({ active: made.active });
  else editor.commit(made);
}
