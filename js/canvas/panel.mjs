// Below the picture: the list of regions, and words, colour, strength and more of the active one.
import { button, make, refill } from "./dom.mjs";
import { changed, colourOf, duplicated, focusOf, MOST, outsideOf, removed, reordered, softOf, strengthOf } from "./model.mjs";
import { find, pick, wordsOf } from "./words.mjs";

const NUMBERS = [
  ["strength", "Strength", strengthOf, 3, "How much the inside is drawn to its words, 0 to 3. 0 is off."],
  ["outside", "Push away", outsideOf, 3, "How much the rest of the picture is pushed away from the words, 0 to 3. 0 is off."],
  ["focus", "Focus", focusOf, 3, "How much strength is gathered in the middle, 0 to 3, so that one thing is drawn there. 0 is flat."],
  ["soft", "Soft edge", softOf, 0.5, "Width of the edge, as a share of the picture's shorter side. 0 is sharp."],
];

// editor: {state, views: two buttons beside the list, ratio(), prompts(), set(state), commit(state), undo(redo), focusPicture()}.
// Returns {parts, show(), focusWords()}.
export function panel(editor) {
  const { state } = editor;
  const list = make("div", { class: "lm-list", role: "group", "aria-label": "Regions" });
  const words = make("div", { class: "lm-words", role: "group", "aria-label": "Words of the prompts", "data-capture-wheel": "true" });
  const { row, phrase, show: showRow } = fields(editor, change, apply);
  const rows = NUMBERS.map((line) => numberField(editor, change, ...line));
  const numbers = make("div", { class: "lm-numbers" }, ...rows.map(({ part }) => part));

  function change(values, done) {
    if (!state.regions[state.active]) return;
    (done ? editor.commit : editor.set)(changed(state.regions, state.active, values));
  }
  function apply(action) {
    if (state.regions[state.active]) editor.commit(action(state.regions, state.active));
  }
  function showList() {
    const { regions, active } = state;
    refill(list, JSON.stringify([active, regions.map(({ phrase }, i) => [phrase, colourOf(regions, i)])]), () => [
      ...regions.map((region, i) => button(`${i + 1} ${region.phrase || "(no words yet)"}`, `Choose region ${i + 1}: ${
        region.phrase || "no words yet"}`, () => editor.set({ active: i }), { "aria-pressed": String(i === active),
        style: `border-left-color: ${colourOf(regions, i)}` })),
      ...(regions.length ? [] : ["No regions yet."]),
      ...(active >= 0 ? [button("+", "Choose none: the next line or shape is a new region", () => editor.set({ active: -1 }))] : []),
    ]);
  }
  function showWords() {
    const region = state.regions[state.active], prompts = editor.prompts();
    refill(words, JSON.stringify([prompts, region?.phrase, Boolean(region)]), () => prompts.flatMap((prompt) =>
      chips(prompt, region, (said) => change({ phrase: said }, true))));
  }
  function show() {
    const region = state.regions[state.active];
    showList();
    showRow(region);
    for (const { show } of rows) show(region);
    showWords();
  }
  const side = make("div", { class: "lm-row lm-side" }, list, make("div", {}, ...editor.views));
  return { parts: [side, row, words, numbers], show, focusWords: () => phrase.focus({ preventScroll: true }) };
}

function fields(editor, change, apply) {
  const { state } = editor;
  const colour = make("input", { type: "color", title: "Colour in the picture and in previews", "aria-label": "Colour",
    oninput: () => change({ colour: colour.value }), onchange: () => change({ colour: colour.value }, true) });
  const phrase = make("input", { type: "text", class: "lm-phrase", placeholder: "words of the prompt", "aria-label": "Words",
    spellcheck: "false", oninput: () => change({ phrase: phrase.value }), onchange: () => change({ phrase: phrase.value }, true),
    onfocus: () => (phrase.dataset.before = phrase.value), onkeydown: keys });
  const tools = [
    button("▲", "One place earlier", () => apply((regions, i) => reordered(regions, i, -1))),
    button("▼", "One place later, over the others", () => apply((regions, i) => reordered(regions, i, 1))),
    button("Copy", "Copy this region (Ctrl+D)", () => apply((regions, i) => duplicated(regions, i, editor.ratio()))),
    button("✕", "Delete this region (Del)", () => apply(removed)),
  ];
  function keys(event) {
    if (event.key === "Enter" || event.key === "Escape") editor.focusPicture();
    const undo = (event.ctrlKey || event.metaKey) && ["z", "y"].includes(event.key.toLowerCase());
    if (undo && phrase.value === phrase.dataset.before) {  // nothing typed: it means the drawing
      event.preventDefault();
      editor.undo(event.key.toLowerCase() === "y" || event.shiftKey);
    }
  }
  function show(region) {
    for (const part of [colour, phrase, ...tools]) part.disabled = !region;
    tools[2].disabled ||= state.regions.length >= MOST;
    const said = region?.phrase ?? "";
    if (phrase.value !== said) phrase.value = said;
    if (region) colour.value = colourOf(state.regions, state.active);
  }
  return { row: make("div", { class: "lm-row" }, colour, phrase, ...tools), phrase, show };
}

function numberField(editor, change, key, name, of, most, tip) {
  const send = (done) => (event) => {
    const value = Math.min(most, Math.max(0, Number(event.target.value) || 0));
    change({ [key]: value }, done);
  };
  const given = { min: 0, max: most, step: 0.01, "aria-label": name, oninput: send(false), onchange: send(true) };
  const number = make("input", { type: "number", ...given }), slider = make("input", { type: "range", ...given });
  const part = make("label", { title: tip }, name, number, slider);
  function show(region) {
    for (const input of [number, slider]) {
      input.disabled = !region;
      const value = region ? String(Math.round(of(region) * 100) / 100) : "0";
      if (document.activeElement !== input || Number(input.value) !== Number(value)) input.value = value;
    }
  }
  return { part, show };
}

// The words of one prompt as buttons; those of the phrase are pressed.
function chips({ title, text }, region, say) {
  const words = wordsOf(text), [first, last] = find(text, region?.phrase ?? "") ?? [-1, -2];
  const chip = (word, n) => button(word.text, `Use the word ${word.text}`, () => say(pick(text, region.phrase, n)),
    { "aria-pressed": String(n >= first && n <= last), disabled: !region });
  const gap = (word, n) => (word.gap && n ? [make("span", { class: "lm-break" }, "·")] : []);
  return words.length ? [make("span", { class: "lm-title" }, title), ...words.flatMap((word, n) => [...gap(word, n), chip(word, n)])] : [];
}
