import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { placeOf } from "../../js/canvas/letters.mjs";
import { find } from "../../js/canvas/words.mjs";

const CASES = JSON.parse(readFileSync(new URL("../phrases.json", import.meta.url)));

for (const [prompt, phrase, place] of CASES) {
  test(`"${phrase}" in "${prompt}" stands where the server finds it`, () => {
    assert.deepEqual(placeOf(phrase, prompt), place);
    assert.equal(find(prompt, phrase) !== null, place !== null);
  });
}
