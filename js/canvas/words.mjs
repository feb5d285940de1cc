// Words of prompts, for picking a phrase instead of typing it.

// [{text, gap}] of a prompt, without weights, brackets and <tags>; gap: punctuation or a line end stands before the word.
export function wordsOf(prompt) {
  const plain = prompt.replace(/<[^<>]*>/g, " , ").replace(/embedding:\S+/gi, " , ").replace(/:\s*[-+]?[\d.]+\s*(?=\))/g, " ");
  const words = [];
  let gap = false;
  for (const [part] of plain.replace(/\\([()[\]{}])/g, " ").matchAll(/[\p{L}\p{N}\p{M}'’_-]+|[^\s()[\]{}]|\n/gu)) {
    if (/[\p{L}\p{N}]/u.test(part)) {
      words.push({ text: part, gap });
      gap = false;
    } else gap = true;
  }
  return words;
}

const bare = (word) => word.toLowerCase();

// [first, last] of the place where a phrase stands among the words, or null. In any case; punctuation is passed over.
export function find(words, phrase) {
  const wanted = wordsOf(phrase).map((word) => bare(word.text));
  if (!wanted.length) return null;
  for (let i = 0; i + wanted.length <= words.length; i++) {
    if (wanted.every((word, n) => bare(words[i + n].text) === word)) return [i, i + wanted.length - 1];
  }
  return null;
}

// The phrase once word n is clicked: a neighbour makes it longer, its first or last word shorter, another begins anew.
export function pick(words, phrase, n) {
  const place = find(words, phrase);
  let [first, last] = place ?? [n, n];
  if (place && n === first && n === last) return "";
  if (place && n === last + 1 && !words[n].gap) last = n;
  else if (place && n === first - 1 && !words[first].gap) first = n;
  else if (place && n === last) last = n - 1;
  else if (place && n === first) first = n + 1;
  else [first, last] = [n, n];
  return words.slice(first, last + 1).map((word) => word.text).join(" ");
}
