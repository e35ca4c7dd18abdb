// Chromium for the tests: Debian's own, driven by playwright-core, with screenshots kept as test output.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const OUTPUT = fileURLToPath(new URL('../output/', import.meta.url));

// Opens a browser, with more options of Chromium. Root cannot have its sandbox; what is opened here is only our own
// loopback pages.
export async function openChromium(options = []) {
  const asRoot = process.getuid() === 0;
  return chromium.launch({
    executablePath: process.env.DOKUEI_CHROMIUM ?? '/usr/bin/chromium',
    args: [...(asRoot ? ['--no-sandbox'] : []), ...options],
  });
}

// One person's window: own cookies, own language. Every script error, refusal by the content security policy or failed
// request in it is kept in `faults`.
export async function openWindow(browser, { locale = 'ja-JP', colorScheme = 'light', width = 1440 } = {}) {
  const context = await browser.newContext({
    locale,
    colorScheme,
    timezoneId: 'Asia/Tokyo',
    viewport: { width, height: 900 },
  });
  const faults = [];
  context.on('page', (page) => listen(page, faults));
  const page = await context.newPage();
  return { context, page, faults };
}

function listen(page, faults) {
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (message) => {
    // What a server refused is an answer, and shows as one; everything else on the console is a fault.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      faults.push(`console: ${message.text()}`);
    }
  });
  page.on('response', (response) => {
    if (response.status() >= 500) faults.push(`${response.status()}: ${new URL(response.url()).pathname}`);
  });
}

// A person signed in, in a window of his own.
export async function signIn(browser, dokuei, login, options = {}) {
  const window = await openWindow(browser, options);
  const { page } = window;
  await page.goto(`${dokuei.origin}/login`);
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill((await dokuei.person(login)).password);
  await page.locator('button.wide').click();
  await page.locator('details.menu').first().waitFor();
  return { ...window, login };
}

// Chooses the colours through the person's own menu.
export async function chooseTheme(page, theme) {
  await page.locator('header details.menu > summary').click();
  await page.locator(`[data-theme-choice=${theme}]`).click();
  await page.locator(`html[data-theme=${theme}]`).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('header details.menu:not([open])').waitFor();
}

// Fails when anything went wrong in a window.
export function assertCalm(window, what) {
  assert.deepEqual(window.faults, [], what);
}

// Keeps what the page shows now as tests/output/NAME.png.
export async function keep(page, name, { fullPage = true } = {}) {
  await mkdir(OUTPUT, { recursive: true });
  if (fullPage) await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: `${OUTPUT}${name}.png`, fullPage });
}

// Nothing may stand out of the window at its side, and no word may be missing from the languages.
export async function assertTidy(page, what) {
  const found = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const keys = document.body.innerText.match(/\b(?:portal|request|upload|reading|worklist|dispatch|billing|skills|account|sign|page|nav|live)-[a-z]+(?:-[a-z]+)*\b/g);
    return { wide, keys: keys ?? [] };
  });
  assert.ok(found.wide <= 1, `${what} is ${found.wide} pixels wider than its window`);
  assert.deepEqual(found.keys, [], `${what} shows words that no language has`);
}
