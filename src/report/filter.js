// What is shown of the samples, and in which order: the word, the scores, the folder.

class Filter {
  constructor(root, samples) {
    Object.assign(this, { root, samples, form: root.querySelector('form'), onlyProblems: false });
    samples.forEach((sample, i) => Object.assign(sample, { id: i, score: sampleScore(sample) }));
    const phrases = samples.flatMap(sample => sample.phrases);
    this.fillScores(phrases);
    this.fillPhrases(phrases);
    this.fillSources();
    this.addProblems();
    this.form.addEventListener('submit', event => event.preventDefault());
    this.form.addEventListener('input', ({ target }) => this.keepOrdered(target));
    this.read();
  }

  get view() { return this.form.elements.view.value; }

  changed() { this.root.dispatchEvent(new Event('filter')); }

  read() {
    const { words, least, most, source } = this.form.elements;
    this.word = words.value.trim().toLowerCase();
    this.least = Number(least.value);
    this.most = Number(most.value);
    this.isWide = least.value === least.min && most.value === most.max;
    this.source = source?.value;
  }

  // The samples that are asked for, in order.
  shown() {
    this.read();
    const sign = { index: 0, highest: -1, lowest: 1 }[this.form.elements.sort.value];
    const shown = this.samples.filter(sample => this.isShown(sample));
    shown.sort((a, b) => (sign && byScore(a, b, sign)) || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.id - b.id));
    this.report(shown);
    return shown;
  }

  // The phrases that the word and the scores ask for.
  matching({ phrases }) {
    const { word, least, most, isWide } = this;
    const fits = ({ text, score }) => (!word || text.toLowerCase().includes(word)) &&
      (isWide || (isScore(score) && score >= least && score <= most));
    return new Set(phrases.flatMap((phrase, i) => fits(phrase) ? [i] : []));
  }

  isShown(sample) {
    if (this.onlyProblems && !sample.problems) return false;
    if (this.source && sample.source !== this.source) return false;
    if (!this.word && this.isWide) return true;
    if (this.matching(sample).size > 0) return true;
    return this.isWide && (sample.caption.toLowerCase().includes(this.word) || sample.key.includes(this.word));
  }

  report(shown) {
    const phrases = shown.flatMap(sample => [...this.matching(sample)].map(i => sample.phrases[i]));
    const scores = phrases.flatMap(({ score }) => isScore(score) ? [score] : []);
    const mean = meanOf(scores);
    const count = (number, word) => `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;
    const all = this.samples.length;
    const pictures = shown.length === all ? count(all, 'picture') : `${shown.length.toLocaleString('en')} of ${count(all, 'picture')}`;
    const parts = [pictures, count(phrases.length, 'phrase'), count(phrases.filter(({ box }) => box).length, 'mask')];
    if (scores.length > 0) parts.push(`mean score ${decimals(mean)}`);
    this.root.querySelector('.status output').textContent = parts.join(' · ');
    this.form.querySelector('.scores output').textContent = `${decimals(this.least)} – ${decimals(this.most)}`;
    this.drawBars(scores);
  }

  // The histogram of the scores above the two sliders.
  drawBars(scores) {
    const bars = this.form.querySelector('.bars'), { least } = this.form.elements;
    const low = Number(least.min), high = Number(least.max), bins = new Array(bars.children.length).fill(0);
    const span = high / 2 - low / 2;  // halves: the whole may be more than a number holds
    for (const score of scores) ++bins[Math.min(bins.length - 1, Math.floor((score / 2 - low / 2) / span * bins.length))];
    const most = Math.max(...bins, 1);
    bins.forEach((number, i) => bars.children[i].style.setProperty('--height', `${number ? Math.max(4, number / most * 100) : 0}%`));
  }

  // -- the form

  fillScores(phrases) {
    const scores = phrases.flatMap(({ score }) => isScore(score) ? [score] : []);
    const { least, most } = this.form.elements;
    for (const slider of [least, most]) {
      slider.min = Math.min(0, Math.floor(scores.reduce((a, b) => Math.min(a, b), 0)));
      slider.max = Math.max(1, Math.ceil(scores.reduce((a, b) => Math.max(a, b), 0)));
    }
    least.value = least.min;
    most.value = most.max;
    this.form.querySelector('.scores').hidden = scores.length === 0;
    this.form.querySelector('.bars').append(...Array.from({ length: 40 }, () => create('i')));
  }

  // One slider pushes the other.
  keepOrdered(moved) {
    const { least, most } = this.form.elements;
    if (moved === least && Number(least.value) > Number(most.value)) most.value = least.value;
    if (moved === most && Number(most.value) < Number(least.value)) least.value = most.value;
  }

  addProblems() {
    const broken = this.samples.filter(({ problems }) => problems).length;
    if (broken === 0) return;
    const button = create('button', { type: 'button', className: 'quiet', textContent: `${broken} with something missing or broken` });
    button.addEventListener('click', () => {
      this.onlyProblems = !this.onlyProblems;
      button.setAttribute('aria-pressed', this.onlyProblems);
      this.changed();
    });
    button.setAttribute('aria-pressed', 'false');
    this.root.querySelector('.status').append(button);
  }

  fillSources() {
    const sources = [...new Set(this.samples.map(({ source }) => source))].filter(Boolean);
    if (sources.length < 2) return;
    const select = create('select', { name: 'source' }, create('option', { value: '', textContent: 'all folders' }));
    select.append(...sources.map(source => create('option', { value: source, textContent: source })));
    select.setAttribute('aria-label', 'folder');
    this.form.elements.sort.before(select);
  }

  fillPhrases(phrases) {
    const words = new Map();
    for (const { text, score } of phrases) {
      const word = words.get(text.toLowerCase()) ?? { count: 0, scores: [] };
      words.set(text.toLowerCase(), word);
      ++word.count;
      if (isScore(score)) word.scores.push(score);
    }
    const sorted = [...words].sort((a, b) => b[1].count - a[1].count || (a[0] < b[0] ? -1 : 1));
    this.root.querySelector('datalist').append(...sorted.slice(0, 500).map(([text]) => create('option', { value: text })));
    const details = this.root.querySelector('.words');
    details.hidden = sorted.length === 0;
    details.querySelector('summary').textContent = `${sorted.length.toLocaleString('en')} different phrases`;
    details.querySelector('ul').append(...sorted.slice(0, 500).map(([text, { count, scores }]) => {
      const button = create('button', { type: 'button', textContent: text });
      button.addEventListener('click', () => this.search(text));
      return create('li', {}, button, create('span', { textContent: count }), create('span', { textContent: decimals(meanOf(scores)) }));
    }));
  }

  search(text) {
    this.form.elements.words.value = text;
    this.changed();
  }
}

// Each divided first: a sum may be more than a number holds.
function meanOf(numbers) { return numbers.reduce((mean, number) => mean + number / numbers.length, numbers.length ? 0 : NaN); }

// The mean over a picture's things, or over all its phrases where it has no thing.
function sampleScore({ phrases }) {
  const scored = phrases.filter(({ score }) => isScore(score));
  const things = scored.filter(({ role }) => role === 'thing'), used = things.length > 0 ? things : scored;
  return used.length > 0 ? meanOf(used.map(({ score }) => score)) : undefined;
}

// Pictures without a score stand last, whichever the order.
function byScore(a, b, sign) {
  if (a.score === undefined || b.score === undefined) return (a.score === undefined) - (b.score === undefined);
  return sign * (a.score - b.score);
}
