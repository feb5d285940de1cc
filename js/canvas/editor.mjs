// Draws regions over a picture. Plain DOM, which knows nothing of ComfyUI:
// host: {changed(), undo(redo), prompts(): [{title, text}], size(): {width, height}, picture(): address or ""}.
// Returns {root, get(), set(text), refresh()}; the text is the drawing, set once per finished action.
import { advice } from "./advice.mjs";
import { button, make } from "./dom.mjs";
import { frameOf, paint } from "./draw.mjs";
import { begin, cursor, TOOLS } from "./gestures.mjs";
import { HELP, pressed } from "./keys.mjs";
import { parse, serialise } from "./model.mjs";
import { panel } from "./panel.mjs";
import { dress } from "./style.mjs";
import { table } from "./table.mjs";

const NAMES = { box: "Box", ellipse: "Ellipse", lasso: "Lasso", brush: "Brush", eraser: "Eraser" };
const REACH = 8;  // pixels around a handle

export function editor(host) {
  dress();
  const state = { regions: [], active: -1, tool: "box", brush: 0.1, fault: "", shown: true };
  let kept = serialise([]), gesture = null, draft = null, pointer = null, image = null;
  const canvas = make("canvas", { class: "lm-canvas", tabindex: "0", role: "application",
    "aria-label": `Regions of the picture. ${HELP}.` });
  const say = make("div", { class: "lm-say", role: "status", "aria-live": "polite" });
  const self = { state, set, commit, ratio, prompts: host.prompts, undo: host.undo, focusPicture };
  const text = table(self), { bar, views, showBar } = toolbar(self, text.open), below = panel({ ...self, views });
  const root = make("div", { class: "lm-regions" }, bar, canvas, ...below.parts, say, text.part);

  function ratio() {
    const { width, height } = host.size();
    return width / height;
  }
  function focusPicture() {
    canvas.focus({ preventScroll: true });
  }
  function set(change) {
    Object.assign(state, change);
    if (change.regions) [kept, state.fault] = [serialise(state.regions), ""];
    show();
  }
  function commit(change) {
    set(change);
    host.changed();
  }
  function show() {
    showBar();
    below.show();
    const [words, warn] = advice(state, host.size(), host.prompts());
    say.textContent = words;
    say.classList.toggle("lm-warn", warn);
    draw();
  }
  function draw() {
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    const zoom = Math.max(1, canvas.getBoundingClientRect().width / width);
    const painting = ["brush", "eraser"].includes(state.tool) && pointer;
    paint(canvas, width, height, { ...(draft ?? state), ratio: ratio(), scale: Math.min(3, (window.devicePixelRatio || 1) * zoom),
      picture: state.shown && image?.naturalWidth ? image : null, brush: painting ? { point: pointer, size: state.brush } : null });
  }
  function place(event) {  // of the pointer, as a share of the picture; right at any zoom of the page
    const outer = canvas.getBoundingClientRect(), frame = frameOf(canvas.clientWidth, canvas.clientHeight, ratio());
    const x = ((event.clientX - outer.left) / outer.width) * canvas.clientWidth;
    const y = ((event.clientY - outer.top) / outer.height) * canvas.clientHeight;
    return [(x - frame.x) / frame.w, (y - frame.y) / frame.h];
  }
  function view(event) {
    const { w, h } = frameOf(canvas.clientWidth, canvas.clientHeight, ratio());
    return { ratio: ratio(), reach: [REACH / w, REACH / h], over: event.ctrlKey || event.metaKey };
  }
  function down(event) {  // no preventDefault: the host counts an undo step on the mouseup that would be lost
    if (event.button || gesture) return;
    focusPicture();
    gesture = begin(state, place(event), view(event));
    if (!gesture) return set({ active: -1 });
    canvas.setPointerCapture(event.pointerId);
    draft = gesture.start?.() ?? null;
    draw();
  }
  function moveTo(event) {
    pointer = place(event);
    if (gesture) draft = gesture.move(pointer);
    else canvas.style.cursor = cursor(state, pointer, view(event));
    if (gesture || ["brush", "eraser"].includes(state.tool)) draw();
  }
  function up() {
    if (!gesture) return;
    const before = kept, made = gesture.end(), count = state.regions.length;
    gesture = draft = null;
    set(made);
    if (kept !== before) host.changed();
    if (made.regions.length > count) below.focusWords();
  }
  function key(event) {
    if (gesture) {
      if (event.key === "Escape") gesture = draft = null;
      return draw();
    }
    const words = event.key === "Enter" && state.regions[state.active];
    const made = words ? null : pressed(state, event, ratio());
    if (!made && !words) return;
    event.preventDefault();
    event.stopPropagation();  // the host's own keys
    if (words) below.focusWords();
    else if (made.regions === state.regions) set({ active: made.active });
    else commit(made);
  }
  function refresh() {
    const address = host.picture();
    if (address !== (image?.dataset.address ?? "")) {
      image = address ? make("img", { "data-address": address, onload: draw }) : null;
      if (image) image.src = address;
    }
    show();
  }
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", moveTo);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("lostpointercapture", up);
  canvas.addEventListener("pointerleave", () => { pointer = null; draw(); });
  canvas.addEventListener("keydown", key);
  root.addEventListener("pointerenter", refresh);
  root.addEventListener("focusin", (event) => root.contains(event.relatedTarget) || refresh());
  new ResizeObserver(draw).observe(canvas);

  return {
    root,
    refresh,
    get: () => kept,
    set(value) {
      if (typeof value !== "string" || value === kept) return;
      kept = value;
      try {
        Object.assign(state, { regions: parse(value), fault: "" });
      } catch (error) {
        Object.assign(state, { regions: [], fault: error.message });
      }
      state.active = Math.min(state.active, state.regions.length - 1);
      show();
    },
  };
}

function toolbar(editor, openText) {
  const { state } = editor;
  const tools = TOOLS.map((tool) => button(NAMES[tool], `${NAMES[tool]} tool`, () => editor.set({ tool })));
  const size = make("input", { type: "range", min: 0.01, max: 0.5, step: 0.01, "aria-label": "Brush size",
    oninput: () => editor.set({ brush: Number(size.value) }) });
  const brush = make("label", { class: "lm-brush", title: "Size of brush and eraser" }, "Size", size);
  const picture = button("Picture", "Show the picture under the regions", () => editor.set({ shown: !state.shown }));
  const bar = make("div", { class: "lm-row", role: "toolbar", "aria-label": "Drawing" }, ...tools, brush);
  function showBar() {
    tools.forEach((part, i) => part.setAttribute("aria-pressed", String(TOOLS[i] === state.tool)));
    picture.setAttribute("aria-pressed", String(state.shown));
    brush.hidden = !["brush", "eraser"].includes(state.tool);
    size.value = state.brush;
  }
  return { bar, views: [picture, button("Text", "Copy or paste the regions as text", openText)], showBar };
}
