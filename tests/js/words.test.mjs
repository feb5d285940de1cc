import assert from "node:assert/strict";
import { test } from "node:test";
import { find, pick, wordsOf } from "../../js/canvas/words.mjs";

const texts = (prompt) => wordsOf(prompt).map(({ text, gap }) => (gap ? `|${text}` : text)).join(" ");
const words = "a red dog, a blue cat";

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
  assert.deepEqual(find("1girl, (long_hair:1.2), hat", "hair"), [1, 1]);
  assert.deepEqual(find("1girl, (long_hair:1.2), hat", ", (long hair)"), [1, 1]);
  assert.equal(find("red embedding:style cat", "red cat"), null);
  assert.equal(find("red embedding:style cat", "red embedding:style cat"), null);
});

test("in scripts without spaces each character is a word; emoji are words", () => {
  assert.equal(texts("4K高清，一只red猫"), "4K 高 清 |一 只 red 猫");
  assert.equal(texts("ที่นี่ かっこいい。"), "ที่ นี่ か っ こ い い");
  assert.equal(texts("red 🐱👍🏽 cat"), "red 🐱👍🏽 cat");
  assert.deepEqual(find("一只黑猫和一只白狗", "黑猫"), [2, 3]);
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

test("characters of scripts without spaces are joined as they stand in the prompt, and found there again", () => {
  const joined = (prompt, ...clicks) => clicks.reduce((phrase, n) => pick(prompt, phrase, n), "");
  assert.equal(joined("一只黑猫和狗", 3, 2), "黑猫");
  assert.equal(joined("一只黑猫和狗", 2, 3, 4, 4), "黑猫");
  assert.equal(joined("4K高清red猫", 0, 1, 2, 3, 4), "4K高清red猫");
  assert.equal(joined("แมวดำ", 2, 3), "วดำ");
  assert.equal(joined("黑 猫", 0, 1), "黑 猫");
  assert.equal(joined("(黑:1.2)猫", 0, 1), "黑 猫");
  assert.equal(joined("red cat 🐱", 0, 1, 2), "red cat 🐱");
  assert.equal(joined("黑猫，狗", 1, 2), "狗");
});

test("whatever is picked is found", () => {
  for (const prompt of ["a red_cat, (old:1.2)-ish dog's 🐱! 4K高清red猫", "แมวดำตัวหนึ่ง ที่นี่", "ガラス [カップ] 2 0 c++ \\(猫\\)犬"]) {
    const count = wordsOf(prompt).length;
    for (let i = 0; i < count; i++) {
      for (let j = i, phrase = ""; j < count; j++) {
        phrase = pick(prompt, phrase, j);
        assert.ok(find(prompt, phrase), `${phrase} in ${prompt}`);
      }
    }
  }
});
