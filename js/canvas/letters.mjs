// Text as letters, and where the words of a phrase stand in it; the server's attention/letters.py decides in the same way.

// Scripts written without spaces (Thai, Lao, Burmese, Khmer, Chinese, Japanese): every character may end a word.
export const UNSPACED = "[\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u2e80-\\u9fff\\uf900-\\ufaff]";

const unspaced = new RegExp(UNSPACED, "u");
const WORD = /[\p{L}\p{N}\p{M}]/u, KEPT = /[\p{L}\p{N}\p{M}\p{So}]/u, LETTERS = /^\p{L}+$/u;
const JOINER = "\u200d", MARK = /[\p{M}\u200d\u{1f3fb}-\u{1f3ff}]/u;

// "ß" is "ss" and "ı" no "i", as the server has it
const folded = (char) => (char === "ı" ? char : char.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase());

// [{char, at, gap}] without whitespace; at: the index in the text, gap: whitespace stood before.
export function read(text) {
  const letters = [];
  let at = 0, gap = false;
  for (const raw of text) {
    for (const char of folded(raw)) {
      const last = letters.at(-1), whole = last && /\p{M}/u.test(char) ? (last.char + char).normalize("NFC") : "";
      const space = /\s/.test(char);
      if ([...whole].length === 1) last.char = whole;  // a letter and its accent, typed as two characters
      else if (!space) letters.push({ char, at, gap });
      gap = space;
    }
    at += raw.length;
  }
  return letters;
}

// Whether a word may begin or end before letter i.
function edge(letters, i) {
  if (i === 0 || i === letters.length) return true;
  const left = letters[i - 1].char, { char: right, gap } = letters[i];
  if (MARK.test(right) || left === JOINER) return false;
  return gap || !(WORD.test(left) && WORD.test(right)) || unspaced.test(left) || unspaced.test(right);
}

// Words and emoji alone, with gaps where punctuation stood.
function bare(letters) {
  const kept = [];
  let gap = false, keep = false;
  letters.forEach((letter, i) => {
    if (edge(letters, i)) {
      keep = KEPT.test(letter.char);
      gap ||= letter.gap || !keep;
    }
    if (keep) {
      kept.push({ ...letter, gap });
      gap = false;
    }
  });
  return kept;
}

// 'cat' is not in 'concatenate', 'a part' is not 'apart', and the other way round.
function standsAt(wanted, letters, start) {
  if (!edge(letters, start) || !edge(letters, start + wanted.length)) return false;
  return wanted.every(({ char, gap }, i) => {
    const found = letters[start + i];
    if (found.char !== char || (i && gap && !edge(letters, start + i))) return false;
    const pair = (wanted[i - 1]?.char ?? "") + char;
    return !(i && !gap && found.gap && LETTERS.test(pair) && !unspaced.test(pair));
  });
}

function firstOf(wanted, letters) {
  for (let i = 0; wanted.length && i + wanted.length <= letters.length; i++) {
    if (standsAt(wanted, letters, i)) return [letters[i].at, letters[i + wanted.length - 1].at];
  }
  return null;
}

// Indices of the first and last character of a phrase in a text, or null; as typed, else with punctuation passed over.
export function placeOf(phrase, text) {
  const wanted = read(phrase), letters = read(text);
  return firstOf(wanted, letters) ?? firstOf(bare(wanted), bare(letters));
}
