// The gallery as a whole: its form, its keys, its large view.

const keyHelp = [
  ['← → ↑ ↓', 'another picture'], ['Home End', 'the first, the last'], ['Tab', 'the words of the picture'],
  ['1 … 9', 'keep a phrase lit'], ['Enter', 'the large view'], ['Esc', 'back'], ['/', 'filter'],
  ['p m s', 'pictures, masks, soft maps'], ['+ −', 'size'], ['t', 'light or dark'], ['?', 'these keys'],
];

class Gallery {
  constructor(root) {
    this.form = root.querySelector('form');
    this.grid = root.querySelector('.cards');
    this.large = root.querySelector('dialog.large');
    this.help = root.querySelector('dialog.help');
    this.help.append(helpList());
    this.samples = JSON.parse(root.querySelector('#samples').textContent);
    this.filter = new Filter(root, this.samples);
    this.cards = new Cards(this.grid, this.filter);
    this.form.elements.side.value = stored('freeatm-side') ?? this.form.elements.side.value;
    this.resize();
    this.update();
    this.listen(root);
  }

  update() { this.cards.setOrder(this.filter.shown()); }

  resize(by = 0) {
    const { side } = this.form.elements;
    side.value = Number(side.value) + by;
    stored('freeatm-side', side.value);
    this.grid.style.setProperty('--side', `${side.value}px`);
    this.cards.measure();
  }

  open(index) {
    const block = index !== undefined && this.cards.block(index);
    if (!block) return;
    this.opened = index;
    this.largeLights = fillLarge(this.large, this.samples[index], block, this.filter.view);
    if (!this.large.open) this.large.showModal();
  }

  listen(root) {
    root.addEventListener('filter', () => this.update());
    this.form.addEventListener('input', ({ target }) => {
      if (target.name === 'side') this.resize();
      else if (target.name === 'view') this.cards.refill();
      else this.soon();
    });
    this.form.elements.help.addEventListener('click', () => this.help.showModal());
    const indexOf = target => Number(target.closest('.card').dataset.index);
    this.grid.addEventListener('focusin', ({ target }) => target !== this.grid && this.cards.setCurrent(indexOf(target)));
    this.grid.addEventListener('click', ({ target }) => target.closest('.picture') && this.open(indexOf(target)));
    for (const dialog of [this.large, this.help]) {
      dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close());
    }
    this.large.addEventListener('close', () => this.cards.focus(this.opened));
    document.addEventListener('keydown', event => this.key(event));
  }

  soon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.update());
  }

  key(event) {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || this.help.open) return;
    if (target.matches('input[type=search], select')) {
      if (key !== 'Escape') return;
      event.preventDefault();  // browsers clear the field by themselves, and say nothing of it
      if (target.value !== '' && target.name === 'words') this.filter.search('');
      target.blur();
      return;
    }
    const isOpen = this.large.open, isArrow = /^(Arrow.*|Home|End)$/.test(key);
    const lights = isOpen ? this.largeLights : this.cards.shown.get(this.cards.current)?.lights;
    if (isArrow && isOpen) this.leaf(key);
    else if (isArrow && this.grid.contains(target)) this.cards.move(key);
    else if (key === 'Enter' && target.matches('.card')) this.open(this.cards.current);
    else if (key === 'Escape' && !isOpen) lights?.pin(null);
    else if (/^[1-9]$/.test(key) && lights?.stage.sample.phrases[key - 1]) lights.pin(key - 1);
    else if (!this.command(key)) return;
    event.preventDefault();
  }

  // The large view of the picture before or after.
  leaf(key) {
    const { order, places } = this.cards, place = places.get(this.opened);
    const next = { ArrowLeft: place - 1, ArrowUp: place - 1, Home: 0, End: order.length - 1 }[key] ?? place + 1;
    this.open(order[next]);
  }

  command(key) {
    const view = { p: 'picture', m: 'masks', s: 'maps' }[key];
    if (view) {
      this.form.elements.view.value = view;
      this.cards.refill();
      if (this.large.open) this.open(this.opened);
    } else if (key === '/') this.form.elements.words.focus();
    else if (key === '+' || key === '=') this.resize(16);
    else if (key === '-') this.resize(-16);
    else if (key === 't') nextTheme();
    else if (key === '?') this.help.showModal();
    else return false;
    return true;
  }
}

function helpList() {
  const list = create('dl', {});
  for (const [keys, meaning] of keyHelp) {
    const term = create('dt', {});
    for (const key of keys.split(' ')) term.append(key === '…' ? ' … ' : create('kbd', { textContent: key }));
    list.append(term, create('dd', { textContent: meaning }));
  }
  return list;
}

const galleryRoot = document.querySelector('.gallery');
const gallery = galleryRoot && new Gallery(galleryRoot);
