// One picture with its caption: what a card and the large view share.

const utf8 = new TextEncoder(), text8 = new TextDecoder();
const colourCount = 8;  // --c0 ... --c7

function create(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function createSvg(tag, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

// Numbers that JSON does not have arrive as null.
function decimals(value, digits = 2) {
  return Number.isFinite(value) ? value.toFixed(digits) : '–';
}

function isScore(value) { return Number.isFinite(value); }

// "thing · 0.623 · 17% area": what stands under the caption while its phrase is lit.
function describe({ role, score, share }) {
  const parts = [role];
  if (isScore(score)) parts.push(decimals(score, 3));
  parts.push(share === undefined ? 'no mask' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}% area`);
  return parts.join(' · ');
}

// The caption cut at its phrases and, where they are given, tokens: [{ text, phrase, token }]. Spans are bytes of UTF-8;
// one that overlaps an earlier one, or does not lie in the caption, stays plain text.
function cutCaption(caption, phrases, tokens = []) {
  const bytes = utf8.encode(caption), parts = [];
  const spans = [
    ...phrases.map(({ span: [begin, end] }, phrase) => ({ begin, end, phrase })),
    ...tokens.map(([, begin, end], token) => ({ begin, end, token })),
  ].sort((a, b) => a.begin - b.begin || (a.phrase === undefined) - (b.phrase === undefined));
  let done = 0;
  const cut = (begin, end, mark) => {
    if (end > begin) parts.push({ text: text8.decode(bytes.subarray(begin, end)), ...mark });
    done = end;
  };
  const phraseStarts = spans.filter(({ phrase }) => phrase !== undefined);
  for (const { begin, end, ...mark } of spans) {
    if (begin < done || end <= begin || end > bytes.length) continue;
    const isInPhrase = mark.token !== undefined && phraseStarts.some(other => begin < other.end && other.begin < end);
    if (isInPhrase) continue;
    cut(done, begin, {});
    cut(begin, end, mark);
  }
  cut(done, bytes.length, {});
  return parts;
}

// A picture under its masks and maps. `light` shows one phrase or token, or, with nothing, how the view rests.
class Stage {
  constructor(sample, block, view, matches) {
    Object.assign(this, { sample, block, view, matches });
    this.element = create('div', { className: 'picture' });
    if (block.picture) {
      const image = create('img', { alt: sample.caption, decoding: 'async', src: block.picture });
      image.addEventListener('load', () => image.classList.toggle('small', image.naturalWidth <= 128));
      this.element.append(image);
    } else {
      this.element.append(create('p', { className: 'missing', textContent: 'no picture' }));
    }
    this.canvas = create('canvas');
    this.canvas.setAttribute('aria-hidden', 'true');
    this.element.append(this.canvas, this.masks());
    this.light(null);
  }

  // Stuff first, so that a pointer finds the things.
  masks() {
    const size = this.block.masks.find(mask => mask)?.size ?? [1, 1];
    const svg = createSvg('svg', { viewBox: `0 0 ${size[1]} ${size[0]}`, 'aria-hidden': 'true' });
    this.shade = svg.appendChild(createSvg('path', { class: 'shade' }));
    this.frame = `M0 0h${size[1]}v${size[0]}h${-size[1]}z`;
    this.paths = this.block.masks.map(mask => mask && outline(decodeMask(mask), ...mask.size));
    for (const things of [false, true]) {
      this.sample.phrases.forEach(({ role }, i) => {
        if (!this.paths[i] || (role === 'thing') !== things) return;
        const rests = this.matches ? this.matches.has(i) : things;
        svg.append(createSvg('path', {
          class: `mask c${i % colourCount}${rests ? ' rests' : ''}`, 'data-phrase': i, d: this.paths[i],
        }));
      });
    }
    return svg;
  }

  tokensOf({ phrase, token }) {
    const tokens = token !== undefined ? [token] : this.sample.phrases[phrase].tokens ?? [];
    return tokens.filter(i => i >= 0 && i < (this.block.maps?.low.length ?? 0));
  }

  light(target) {
    const tokens = target && this.view === 'maps' ? this.tokensOf(target) : [];
    const path = target && tokens.length === 0 ? this.paths[target.phrase] : null;
    this.element.classList.toggle('lit', Boolean(target));
    this.element.classList.toggle('hot', tokens.length > 0);
    for (const mask of this.element.querySelectorAll('.mask')) {
      mask.classList.toggle('on', Boolean(path) && Number(mask.dataset.phrase) === target.phrase);
    }
    this.shade.setAttribute('d', path ? this.frame + path : '');
    this.element.dataset.view = this.view;
    this.canvas.hidden = this.view !== 'maps' || !this.block.maps;
    if (this.canvas.hidden) return;
    if (tokens.length > 0) paintMap(this.canvas, meanMap(this.block.maps, tokens));
    else this.paintThings();
  }

  paintThings() {
    const shown = this.sample.phrases.map((phrase, i) => ({ phrase, i, tokens: this.tokensOf({ phrase: i }) }))
      .filter(({ phrase, i, tokens }) => tokens.length > 0 && (this.matches ? this.matches.has(i) : phrase.role === 'thing'));
    this.canvas.hidden = shown.length === 0;
    if (shown.length === 0) return;
    const colours = shown.map(({ i }) => pictureColour(this.element, i));
    paintMaps(this.canvas, shown.map(({ tokens }) => meanMap(this.block.maps, tokens)), colours);
  }
}

// --c0 ... as [r, g, b]. Before an element is on the page it has no style: the grid stands in for it.
function pictureColour(element, i) {
  const styled = element.isConnected ? element : document.querySelector('.cards');
  const hex = getComputedStyle(styled).getPropertyValue(`--m${i % colourCount}`).trim();
  return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
}

// The caption: phrases are buttons with their scores; with soft maps every other token can be pointed at, too.
function captionOf(sample, block, view) {
  const caption = create('p', { className: 'caption', tabIndex: -1 });  // it may scroll, but is no stop of Tab
  const tokens = view === 'maps' && block.maps ? block.tokens : [];
  for (const { text, phrase, token } of cutCaption(sample.caption, sample.phrases, tokens)) {
    if (phrase !== undefined) {
      const { box, score } = sample.phrases[phrase];
      const isSeen = box || (view === 'maps' && block.maps);
      const button = create('button', { type: 'button', className: `phrase ${isSeen ? `c${phrase % colourCount}` : 'unseen'}` }, text);
      button.dataset.phrase = phrase;
      button.setAttribute('aria-pressed', 'false');
      button.setAttribute('aria-description', describe(sample.phrases[phrase]));
      if (isScore(score)) button.append(create('small', { textContent: decimals(score).replace(/^0/, '') }));
      caption.append(button);
    } else if (token !== undefined) {
      const word = create('span', { className: 'token', textContent: text });
      word.dataset.token = token;
      caption.append(word);
    } else {
      caption.append(text);
    }
  }
  return caption;
}

// What an event is about: { phrase } of a button or a mask, { token } of another word, or null.
function targetOf(element) {
  const part = element.closest?.('[data-phrase], [data-token]');
  if (!part) return null;
  return part.dataset.phrase !== undefined ? { phrase: Number(part.dataset.phrase) } : { token: Number(part.dataset.token) };
}

// Joins a stage and the words beside it: pointing at either lights both, a click on a phrase pins it.
class Lights {
  constructor(root, stage, onLight) {
    Object.assign(this, { root, stage, onLight, pinned: null });
    for (const [over, out] of [['pointerover', 'pointerout'], ['focusin', 'focusout']]) {
      root.addEventListener(over, event => this.light(targetOf(event.target)));
      root.addEventListener(out, event => targetOf(event.target) && this.light(null));
    }
    root.addEventListener('click', event => {
      const target = targetOf(event.target);
      if (target?.phrase !== undefined && event.target.closest('button')) this.pin(target.phrase);
    });
  }

  light(target) {
    const shown = target ?? this.pinned;
    this.stage.light(shown);
    for (const word of this.root.querySelectorAll('[data-phrase]:not(path), [data-token]')) {
      const own = targetOf(word);
      word.classList.toggle('on', Boolean(shown) && own.phrase === shown.phrase && own.token === shown.token);
    }
    this.onLight(shown);
  }

  pin(phrase) {
    this.pinned = this.pinned?.phrase === phrase || phrase === null ? null : { phrase };
    for (const word of this.root.querySelectorAll('button[data-phrase]')) {
      word.setAttribute('aria-pressed', Number(word.dataset.phrase) === this.pinned?.phrase);
    }
    this.light(null);
  }
}

// What stands under the caption while a phrase or another token is lit.
function detailOf(sample, block, { phrase, token }) {
  return phrase !== undefined ? describe(sample.phrases[phrase]) : `attention ${rangeOf(block.maps, token)}`;
}

function rangeOf(maps, token) {
  return `${decimals(maps.low[token], 3)} to ${decimals(maps.high[token], 3)}`;
}
