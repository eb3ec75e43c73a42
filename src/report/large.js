// The large view of one picture: all that is known of it.

function phraseRow(phrase, i) {
  const row = create('tr', {});
  const name = create('button', { type: 'button', className: `phrase c${i % colourCount}`, textContent: phrase.text });
  name.dataset.phrase = i;
  name.setAttribute('aria-pressed', 'false');
  const box = phrase.box ? phrase.box.join(', ') : 'no mask';
  const share = phrase.box ? `${(phrase.share * 100).toFixed(1)}%` : '–';
  row.append(create('th', { scope: 'row' }, name));
  for (const text of [phrase.role, decimals(phrase.score, 3), share, box]) row.append(create('td', { textContent: text }));
  return row;
}

function phraseTable(sample) {
  const head = create('tr', {});
  for (const name of ['phrase', 'role', 'score', 'area', 'x, y, width, height']) head.append(create('th', { scope: 'col', textContent: name }));
  return create('table', {}, create('thead', {}, head), create('tbody', {}, ...sample.phrases.map(phraseRow)));
}

// Every token's map, small, each on its own scale.
function tokenStrip(block) {
  const strip = create('div', { className: 'tokens' });
  block.tokens.forEach(([text], i) => {
    const canvas = create('canvas');
    paintMap(canvas, meanMap(block.maps, [i]));
    const button = create('button', { type: 'button', className: 'token', title: rangeOf(block.maps, i) }, canvas, text.replace(/<\/w>$/, ''));
    button.dataset.token = i;
    strip.append(button);
  });
  return strip;
}

function fillLarge(dialog, sample, block, view) {
  const stage = new Stage(sample, block, view);
  const aside = create('div', { className: 'aside' }, captionOf(sample, block, view));
  aside.append(create('p', { className: 'detail' }));
  for (const problem of sample.problems ?? []) aside.append(create('p', { className: 'problem', textContent: problem }));
  if (sample.phrases.length > 0) aside.append(phraseTable(sample));
  const facts = create('dl', {});
  for (const [name, value] of block.facts) facts.append(create('dt', { textContent: name }), create('dd', { textContent: value }));
  aside.append(facts);
  const close = create('button', { type: 'button', className: 'quiet close', textContent: 'close' });
  close.addEventListener('click', () => dialog.close());
  const title = create('h3', { textContent: [sample.source, sample.key].filter(Boolean).join(' / ') });
  // What listens goes with the picture: the dialog stays and is filled with many.
  const whole = create('div', { className: 'whole' }, create('header', {}, title, close));
  whole.append(create('div', { className: 'body' }, stage.element, aside));
  if (block.maps) whole.append(tokenStrip(block));
  dialog.replaceChildren(whole);
  // A token of the strip has a map but no mask: it is shown as one, whatever the view.
  return new Lights(whole, stage, target => {
    const isToken = target?.token !== undefined;
    if (isToken && stage.view !== 'maps') {
      stage.view = 'maps';
      stage.light(target);
      stage.view = view;
    }
    whole.querySelector('.detail').textContent = target ? detailOf(sample, block, target) : '';
  });
}
