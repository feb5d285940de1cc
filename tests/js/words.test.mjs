import assert from "node:assert/strict";
import { test } from "node:test";
import { find, pick, wordsOf } from "../../js/canvas/words.mjs";

const texts = (prompt) => wordsOf(prompt).map(({ text, gap }) => (gap ? `|${text}` : text)).join(" ");
const words = wordsOf("a red dog, a blue cat");

test("a prompt's words, without weights, brackets and tags; punctuation is a gap", () => {
  assert.equal(texts("a (red:1.2) dog, [blue] cat"), "a red dog |blue cat");
  assert.equal(texts("<lora:thing:0.8> masterpiece\nlong_hair, saber \\(fate\\)"), "|masterpiece |long_hair |saber fate");
  assert.equal(texts("embedding:bad-hands, l'été 猫"), "|l'été 猫");
  assert.equal(texts("  "), "");
});

test("a phrase is found among them, in any case", () => {
  assert.deepEqual(find(words, "Blue CAT"), [4, 5]);
  assert.deepEqual(find(words, "red"), [1, 1]);
  assert.equal(find(words, "red cat"), null);
  assert.equal(find(words, " "), null);
});

test("clicked words become a phrase: neighbours make it longer, its ends shorter, others begin anew", () => {
  assert.equal(pick(words, "", 1), "red");
  assert.equal(pick(words, "red", 2), "red dog");
  assert.equal(pick(words, "red dog", 0), "a red dog");
  assert.equal(pick(words, "a red dog", 2), "a red");
  assert.equal(pick(words, "a red dog", 0), "red dog");
  assert.equal(pick(words, "red", 1), "");
  assert.equal(pick(words, "red dog", 5), "cat");
  assert.equal(pick(words, "dog", 3), "a");  // over a comma
  assert.equal(pick(words, "my own words", 4), "blue");
});
