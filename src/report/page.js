// What every page does: light, dark, or as the system has it.
'use strict';

const themes = ['auto', 'light', 'dark'];

// Browsers may refuse storage to pages from disk: then the choice lasts as long as the page.
function stored(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch {}
  return null;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const button = document.querySelector('.theme');
  button.textContent = theme;
  button.setAttribute('aria-label', `colours: ${theme}`);
}

function nextTheme() {
  const theme = themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length];
  stored('freeatm-theme', theme);
  setTheme(theme);
}

document.querySelector('.theme').addEventListener('click', nextTheme);
setTheme(themes.find(theme => theme === stored('freeatm-theme')) ?? 'auto');
