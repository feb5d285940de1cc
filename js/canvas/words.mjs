// Words of prompts, for picking a phrase instead of typing it.
import { placeOf, UNSPACED } from "./letters.mjs";

const UNREADABLE = "\ufffc";  // stands for an embedding: no phrase reaches across it
const SINGLE = `(?=[\\p{L}\\p{N}])${UNSPACED}[\\p{M}\\u0e33\\u0eb3]*`;  // the two vowels begin with a mark for the server
const SPACED = `(?:(?!${UNSPACED})[\\p{L}\\p{N}\\p{M}'’_-])+`;
const EMOJI = "[\\p{So}\\p{M}\\u200d\\u{1f3fb}-\\u{1f3ff}]+";
const PARTS = new RegExp(`${UNREADABLE}|${SINGLE}|${SPACED}|${EMOJI}|[^\\s()[\\]{}]|\\n`, "gu"), ALONE = new RegExp(`^${SINGLE}$`, "u");

// Text without weights, brackets of weights, <tags> and embeddings.
function plain(text, bracket = " ") {
  const read = text.replace(/<[^<>]*>/g, " , ").replace(/embedding:\S+/gi, ` ${UNREADABLE} `);
  return read.replace(/:\s*[-+]?[\d.]+\s*(?=\))/g, "").replace(/\\([()[\]{}])|[()]/g, (_, escaped = bracket) => escaped);
}

// [{text, at, gap, joined}] of a prompt; at: its index in the plain text, gap: punctuation or a line end stands before it,
// joined: no space does, as in scripts written without them, where each character is a word.
export function wordsOf(prompt) {
  const words = [];
  let gap = false, end = -1, alone = false;
  for (const { 0: text, index: at } of plain(prompt).matchAll(PARTS)) {
    if (text !== UNREADABLE && /[\p{L}\p{N}\p{So}]/u.test(text)) {
      const before = alone;
      alone = ALONE.test(text);
      words.push({ text, at, gap, joined: at === end && (before || alone) });
      gap = false;
      end = at + text.length;
    } else gap = true;
  }
  return words;
}

// [first, last] of the words of a prompt among which a phrase stands, or null: where the server finds it, too.
export function find(prompt, phrase) {
  const wanted = plain(phrase, ""), words = wordsOf(prompt);
  const place = wordsOf(phrase).length && !wanted.includes(UNREADABLE) && placeOf(wanted, plain(prompt));
  if (!place) return null;
  return [words.findIndex(({ at, text }) => at + text.length > place[0]), words.findLastIndex(({ at }) => at <= place[1])];
}

// The phrase once word n is clicked: a neighbour makes it longer, its first or last word shorter, another begins anew.
export function pick(prompt, phrase, n) {
  const words = wordsOf(prompt), place = find(prompt, phrase);
  let [first, last] = place ?? [n, n];
  if (place && n === first && n === last) return "";
  if (place && n === last + 1 && !words[n].gap) last = n;
  else if (place && n === first - 1 && !words[first].gap) first = n;
  else if (place && n === last) last = n - 1;
  else if (place && n === first) first = n + 1;
  else [first, last] = [n, n];
  return words.slice(first, last + 1).map(({ text, joined }, i) => (i && !joined ? " " : "") + text).join("");
}
