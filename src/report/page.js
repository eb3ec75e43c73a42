// The gallery's behaviour. Masks are paths already: pointing at a phrase, or at its mask, only changes classes.
'use strict';

// Lights one phrase of a card; with none, the one that was pinned by a click, or nothing.
function light(card, phrase) {
  const shown = phrase ?? card.querySelector('.phrase[aria-pressed=true]');
  card.classList.toggle('lit', Boolean(shown));
  for (const part of card.querySelectorAll('.mask, .phrase')) {
    part.classList.toggle('on', part.dataset.phrase === shown?.dataset.phrase);
  }
  const mask = card.querySelector('.mask.on');
  const { width, height } = card.querySelector('svg').viewBox.baseVal;
  const frame = `M0 0h${width}v${height}h${-width}z`;
  if (shown) card.querySelector('.shade').setAttribute('d', frame + (mask ? mask.getAttribute('d') : ''));
  const detail = card.querySelector('.detail');
  detail.textContent = shown ? shown.dataset.detail : detail.dataset.rest;
}

// The phrase that an event is about: the button itself, or the one that belongs to a mask.
function phraseOf(target) {
  const part = target.closest('.phrase, .mask');
  return part && part.closest('.card').querySelector(`.phrase[data-phrase="${part.dataset.phrase}"]`);
}

function pin(phrase) {
  const card = phrase.closest('.card');
  const pinned = phrase.getAttribute('aria-pressed') !== 'true';
  for (const other of card.querySelectorAll('.phrase')) other.setAttribute('aria-pressed', other === phrase && pinned);
  light(card, pinned ? phrase : null);
}

function startGallery(gallery, index) {
  const cards = [...gallery.querySelectorAll('.card')];
  const form = gallery.querySelector('form');
  const search = form.querySelector('[type=search]');
  const unfold = gallery.querySelector('.unfold');
  let fold = Number(gallery.dataset.fold) || cards.length;

  const words = form.querySelector('datalist');
  words.id = `words-${index}`;
  search.setAttribute('list', words.id);

  function filter() {
    const word = search.value.trim().toLowerCase();
    const matches = cards.filter(card => card.querySelector('.caption').textContent.toLowerCase().includes(word));
    const visible = new Set(word ? matches : matches.slice(0, fold));
    for (const card of cards) card.hidden = !visible.has(card);
    unfold.hidden = Boolean(word) || visible.size === cards.length;
    form.querySelector('output').textContent = word ? `${visible.size} of ${cards.length}` : `${cards.length} pictures`;
  }

  // "both" shows each picture a second time, bare and above its masks.
  function show(view) {
    gallery.dataset.view = view;
    for (const bare of gallery.querySelectorAll('.bare')) bare.remove();
    if (view !== 'both') return;
    for (const picture of gallery.querySelectorAll('.picture')) {
      const bare = document.createElement('div');
      bare.className = 'picture bare';
      bare.append(picture.querySelector('img').cloneNode());
      picture.before(bare);
    }
  }

  for (const [over, out] of [['pointerover', 'pointerout'], ['focusin', 'focusout']]) {
    gallery.addEventListener(over, event => {
      const phrase = phraseOf(event.target);
      if (phrase) light(phrase.closest('.card'), phrase);
    });
    gallery.addEventListener(out, event => {
      const phrase = phraseOf(event.target);
      if (phrase) light(phrase.closest('.card'), null);
    });
  }
  gallery.addEventListener('click', event => {
    const phrase = phraseOf(event.target);
    if (phrase) pin(phrase);
  });
  search.addEventListener('input', filter);
  form.addEventListener('submit', event => event.preventDefault());
  form.addEventListener('change', () => show(form.elements.view.value));
  unfold.addEventListener('click', () => { fold = cards.length; filter(); });

  const wanted = location.hash.slice(1);  // page.html#both opens in that view
  const choice = [...form.elements.view].find(radio => radio.value === wanted);
  if (choice) choice.checked = true;
  show(form.elements.view.value);
  filter();
}

document.querySelectorAll('.gallery').forEach(startGallery);
