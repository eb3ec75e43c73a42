// From what the page holds of masks and maps to what a browser draws. Nothing here knows the page.

// COCO's compressed run lengths: five bits a character, the lowest first; bit 6 says that more follow; the last one's
// highest bit is the sign. From the fourth run on it is the difference to the run before the last.
function readRuns(counts) {
  const runs = [];
  for (let at = 0; at < counts.length;) {
    let value = 0, shift = 0, digit;
    do {
      digit = counts.charCodeAt(at++) - 48;
      value |= (digit & 31) << shift;
      shift += 5;
    } while (digit & 32);
    if (digit & 16 && shift < 32) value |= -1 << shift;
    runs.push(runs.length > 2 ? value + runs.at(-2) : value);
  }
  return runs;
}

// { size: [height, width], counts } as bytes, row by row. Runs go down the columns, zeros first.
function decodeMask({ size: [height, width], counts }) {
  const mask = new Uint8Array(height * width);
  let at = 0, value = 0;
  for (const run of readRuns(counts)) {
    const end = Math.min(at + run, mask.length);
    for (; at < end; ++at) if (value) mask[(at % height) * width + Math.floor(at / height)] = 1;
    value = 1 - value;
  }
  return mask;
}

// The border between ones and zeros as an SVG path, holes included: by the even-odd rule it is the mask exactly.
// Edges run from corner to corner with the ones on their right; each corner holds a bit for every direction that an
// edge leaves in (right, down, left, up: +1 is a turn to the right).
function outline(mask, height, width) {
  const stride = width + 1, edges = new Uint8Array((height + 1) * stride);
  const isOne = (y, x) => y >= 0 && y < height && x >= 0 && x < width && mask[y * width + x] === 1;
  for (let y = 0; y < height; ++y) {
    for (let x = 0; x < width; ++x) {
      if (!isOne(y, x)) continue;
      if (!isOne(y - 1, x)) edges[y * stride + x] |= 1;
      if (!isOne(y, x + 1)) edges[y * stride + x + 1] |= 2;
      if (!isOne(y + 1, x)) edges[(y + 1) * stride + x + 1] |= 4;
      if (!isOne(y, x - 1)) edges[(y + 1) * stride + x] |= 8;
    }
  }
  let path = '';
  for (let corner = 0; corner < edges.length; ++corner) {
    while (edges[corner]) path += takeLoop(edges, corner, stride);
  }
  return path;
}

// Takes one closed loop away and gives it as "M.. h.. v.. z". Where two ones touch by a corner, the right turn keeps to
// the same one.
function takeLoop(edges, corner, stride) {
  const steps = [1, stride, -1, -stride];
  let path = `M${corner % stride} ${Math.floor(corner / stride)}`, length = 0;
  let direction = 31 - Math.clz32(edges[corner] & -edges[corner]);
  for (let next; direction !== undefined; direction = next) {
    edges[corner] &= ~(1 << direction);
    corner += steps[direction];
    ++length;
    const way = direction;
    next = [1, 0, 3].map(turn => (way + turn) % 4).find(turned => edges[corner] & (1 << turned));
    if (next === direction) continue;
    path += (direction % 2 ? 'v' : 'h') + (direction < 2 ? length : -length);
    length = 0;
  }
  return path + 'z';
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), c => c.charCodeAt(0));
}

// The mean of some tokens' maps: { height, width, low, high, values in [0, 1] between the two }.
function meanMap(maps, tokens) {
  maps.levels ??= bytesOf(maps.bytes);
  const [height, width] = maps.size, area = height * width;
  const values = new Float32Array(area);
  for (const token of tokens) {
    const low = maps.low[token], scale = (maps.high[token] - low) / 255;
    for (let i = 0; i < area; ++i) values[i] += (low + maps.levels[token * area + i] * scale) / tokens.length;
  }
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  for (let i = 0; i < area; ++i) values[i] = (values[i] - low) / (high - low || 1);
  return { height, width, low, high, values };
}

// matplotlib's "magma" at nine places.
const magma = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100], [251, 135, 97],
  [254, 194, 135], [252, 253, 191]];

function heat(value) {
  const at = Math.min(value * 8, 7.999), i = Math.floor(at);
  return [...magma[i].map((low, k) => low + (magma[i + 1][k] - low) * (at - i)), 255 * (0.4 + 0.4 * value)];
}

function paint(canvas, height, width, rgba) {
  canvas.height = height;
  canvas.width = width;
  const context = canvas.getContext('2d'), image = context.createImageData(width, height);
  for (let i = 0; i < height * width; ++i) image.data.set(rgba(i), i * 4);
  context.putImageData(image, 0, 0);
}

// One map in the colours of heat.
function paintMap(canvas, map) {
  paint(canvas, map.height, map.width, i => heat(map.values[i]));
}

// Several maps, each in its own colour ([r, g, b]): everywhere the strongest shows.
function paintMaps(canvas, maps, colours) {
  paint(canvas, maps[0].height, maps[0].width, i => {
    const best = maps.reduce((best, map, k) => map.values[i] > maps[best].values[i] ? k : best, 0);
    return [...colours[best], 225 * maps[best].values[i] ** 1.5];
  });
}
