// Chromium for the tests: Debian's own, driven by playwright-core, with screenshots kept as test output.

import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const OUTPUT = fileURLToPath(new URL('../output/', import.meta.url));

// Opens a browser. Root cannot have Chromium's sandbox; what is opened here is only our own loopback pages.
export async function openChromium() {
  const asRoot = process.getuid() === 0;
  return chromium.launch({
    executablePath: process.env.DOKUEI_CHROMIUM ?? '/usr/bin/chromium',
    args: asRoot ? ['--no-sandbox'] : [],
  });
}

// One person's window: own cookies, own language. Every script error or failed request in it is kept in `faults`.
export async function openWindow(browser, { locale = 'ja-JP', colorScheme = 'light' } = {}) {
  const context = await browser.newContext({
    locale,
    colorScheme,
    timezoneId: 'Asia/Tokyo',
    viewport: { width: 1440, height: 900 },
  });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) faults.push(`${response.status()}: ${new URL(response.url()).pathname}`);
  });
  return { context, page, faults };
}

// Keeps what the page shows now as tests/output/NAME.png.
export async function keep(page, name) {
  await mkdir(OUTPUT, { recursive: true });
  await page.screenshot({ path: `${OUTPUT}${name}.png`, fullPage: true });
}
