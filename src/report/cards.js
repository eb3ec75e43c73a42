// The grid of cards. All are of one height, so which of them are near the window is arithmetic, and only those exist:
// a page of many thousand pictures decodes and holds a few screenfuls.

const reach = 600;  // pixels above and below the window that are ready

class Cards {
  constructor(grid, filter) {
    Object.assign(this, { grid, filter, order: [], places: new Map(), shown: new Map() });
    addEventListener('scroll', () => this.render(), { passive: true });
    new ResizeObserver(() => this.measure()).observe(grid.parentElement);
  }

  // samples: what stands in the grid, in order
  setOrder(samples) {
    this.order = samples.map(({ id }) => id);
    this.places = new Map(this.order.map((index, place) => [index, place]));
    if (!this.places.has(this.current)) this.current = this.order[0];
    this.refill();
  }

  refill() {
    this.shown.clear();
    this.grid.replaceChildren();
    this.measure();
  }

  // The number of columns, and the height of a row with the gap under it.
  measure() {
    const style = getComputedStyle(this.grid);
    this.columns = style.gridTemplateColumns.split(' ').length;
    const probe = this.grid.firstChild ?? this.grid.appendChild(create('div', { className: 'card' }));
    this.rowHeight = probe.getBoundingClientRect().height + parseFloat(style.rowGap);
    if (this.shown.size === 0) probe.remove();
    this.render();
  }

  render() {
    const top = -this.grid.getBoundingClientRect().top, rows = Math.ceil(this.order.length / this.columns);
    const clamp = row => Math.min(Math.max(row, 0), rows);
    const first = clamp(Math.floor((top - reach) / this.rowHeight)), last = clamp(Math.ceil((top + innerHeight + reach) / this.rowHeight));
    const wanted = this.order.slice(first * this.columns, last * this.columns);
    // Moving the focus measures the page: before it is changed, or the window would jump.
    const focused = document.activeElement.closest('.card');
    if (focused && !wanted.includes(Number(focused.dataset.index))) this.grid.focus({ preventScroll: true });
    this.grid.style.paddingTop = `${first * this.rowHeight}px`;
    this.grid.style.paddingBottom = `${(rows - last) * this.rowHeight}px`;
    this.place(wanted);
  }

  // Cards that stay are not touched: one of them may have the focus.
  place(wanted) {
    const keep = new Set(wanted);
    for (const [index, { card }] of this.shown) {
      if (keep.has(index)) continue;
      card.remove();
      this.shown.delete(index);
    }
    wanted.forEach((index, i) => {
      const entry = this.shown.get(index) ?? this.add(index);
      if (!entry.lights) this.fill(index, entry);
      if (this.grid.children[i] !== entry.card) this.grid.insertBefore(entry.card, this.grid.children[i] ?? null);
    });
  }

  // null while the page is still being read
  block(index) {
    const element = document.getElementById(`sample-${index}`);
    const isWhole = element && (element.nextSibling || document.readyState !== 'loading');
    return isWhole ? JSON.parse(element.textContent) : null;
  }

  // An empty card, and what fills it as soon as its block has been read.
  add(index) {
    const card = create('div', { className: 'card' }), sample = this.filter.samples[index];
    card.dataset.index = index;
    card.setAttribute('role', 'listitem');
    card.setAttribute('aria-label', `${sample.key}: ${sample.caption}`);
    card.setAttribute('aria-setsize', this.order.length);
    card.setAttribute('aria-posinset', this.places.get(index) + 1);
    const entry = { card };
    this.shown.set(index, entry);
    return entry;
  }

  fill(index, entry) {
    const sample = this.filter.samples[index], block = this.block(index);
    if (!block) {
      clearTimeout(this.later);
      this.later = setTimeout(() => this.render(), 100);
      return;
    }
    const stage = new Stage(sample, block, this.filter.view, this.filter.word && this.filter.matching(sample));
    const detail = create('p', { className: 'detail' });
    entry.card.append(stage.element, captionOf(sample, block, this.filter.view), detail);
    entry.lights = new Lights(entry.card, stage, target => {
      detail.replaceChildren(...(target ? [detailOf(sample, block, target)] : restingDetail(sample)));
      detail.classList.toggle('text', Boolean(target));
      detail.title = detail.textContent;
    });
    entry.lights.light(null);
    setTabStops(entry.card, index === this.current);
  }

  // The grid is one stop of the Tab key, the current card; its words follow.
  setCurrent(index) {
    if (this.shown.has(this.current)) setTabStops(this.shown.get(this.current).card, false);
    this.current = index;
    if (this.shown.has(index)) setTabStops(this.shown.get(index).card, true);
  }

  // Makes a card the current one, brings it into the window and gives it the focus.
  focus(index) {
    const row = Math.floor(this.places.get(index) / this.columns);
    const top = row * this.rowHeight + this.grid.getBoundingClientRect().top, header = 70;
    if (top < header) scrollBy(0, top - header);
    else if (top + this.rowHeight > innerHeight) scrollBy(0, top + this.rowHeight - innerHeight);
    this.setCurrent(index);
    this.render();
    this.shown.get(index)?.card.focus({ preventScroll: true });
  }

  move(key) {
    const place = this.places.get(this.current) ?? 0, last = this.order.length - 1, { columns } = this;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -place, End: last - place };
    const next = place + steps[key];
    if (next >= 0 && next <= last) this.focus(this.order[next]);
  }
}

function setTabStops(card, isCurrent) {
  card.tabIndex = isCurrent ? 0 : -1;
  for (const button of card.querySelectorAll('button')) button.tabIndex = isCurrent ? 0 : -1;
}

function restingDetail(sample) {
  const name = create('span', { textContent: [sample.source, sample.key].filter(Boolean).join(' / ') });
  if (sample.problems) return [name, create('span', { className: 'problem', textContent: sample.problems.join('; ') })];
  return [name, create('span', { textContent: isScore(sample.score) ? decimals(sample.score) : '' })];
}
