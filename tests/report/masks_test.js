// SPDX-License-Identifier: Apache-2.0
// node masks_test.js masks.js cases.json: every case's counts give its mask, and so does the outline of it, filled.
const fs = require('fs');
const vm = require('vm');

const [script, cases] = process.argv.slice(2).map(path => fs.readFileSync(path, 'utf8'));
const { decodeMask, outline, meanMap } = vm.runInThisContext(`${script}; ({ decodeMask, outline, meanMap })`);

// A pixel is in when a ray from its centre to the left crosses an odd number of vertical edges.
function fill(path, height, width) {
  const mask = new Uint8Array(height * width);
  let x = 0, y = 0, start = '';
  for (const [, command, first, second] of path.matchAll(/([Mhvz])(-?\d+)?(?: (\d+))?/g)) {
    if (command === 'M') [x, y, start] = [Number(first), Number(second), `${first} ${second}`];
    if (command === 'h') x += Number(first);
    if (command === 'v') {
      const end = y + Number(first);
      for (let row = Math.min(y, end); row < Math.max(y, end); ++row) for (let i = x; i < width; ++i) mask[row * width + i] ^= 1;
      y = end;
    }
    if (command === 'z' && `${x} ${y}` !== start) throw new Error(`${path} is not closed`);
  }
  return mask;
}

function expectEqual(actual, wanted, what) {
  if (String(actual) !== String(wanted)) throw new Error(`${what}: ${String(actual).slice(0, 200)} instead of ${String(wanted).slice(0, 200)}`);
}

JSON.parse(cases).forEach(({ size: [height, width], counts, mask }, i) => {
  const decoded = decodeMask({ size: [height, width], counts });
  expectEqual(decoded, mask, `mask ${i}`);
  expectEqual(fill(outline(decoded, height, width), height, width), mask, `outline ${i}`);
});
expectEqual(outline([0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1], 3, 4), 'M1 1h3v2h-3v-2z', 'a rectangle');
expectEqual(outline([1, 0, 0, 1], 2, 2), 'M0 0h1v1h-1v-1zM1 1h1v1h-1v-1z', 'ones that touch by a corner');
expectEqual(outline([0, 0], 1, 2), '', 'nothing');
// Token 0 is 0 and 1, token 1 is .25 and .5: their mean is .125 and .75.
const map = meanMap({ size: [1, 2], low: [0, 0.25], high: [1, 0.5], bytes: 'AP8A/w==' }, [0, 1]);
expectEqual([map.low, map.high, ...map.values], [0.125, 0.75, 0, 1], 'the mean of two maps');
