// The reader's part of the day: the live list, the images, the draft, a question, two windows, signing.

import assert from 'node:assert/strict';
import { assertTidy, keep } from '../chromium.mjs';

const row = (page, words) => page.locator('tr[data-read]', { hasText: words });
const corner = (page) => page.locator('.view .corner.bl').first();
const findings = (page) => page.locator('textarea[name=findings]');
const impression = (page) => page.locator('textarea[name=impression]');
const saved = (page) => page.locator('[data-save-state]', { hasText: /保存済み|Saved/i });

export async function opensHisList(day) {
  const { page } = day.reader;
  await page.goto(`${day.dokuei.origin}/worklist`);
  await page.locator('#live-state:not(.off)').waitFor();
  // A mark that a reload would wipe out.
  await page.evaluate(() => { window.neverReloaded = true; });
  await keep(page, 'worklist-before-ja');
}

// What was pinned to him comes by itself.
export async function seesItCome(day, words) {
  const { page } = day.reader;
  await row(page, words).waitFor({ timeout: 30_000 });
  assert.equal(await page.evaluate(() => window.neverReloaded), true, 'the list is live: no reload');
  await assertTidy(page, 'the worklist');
  await keep(page, 'worklist-ja');
}

async function waitForImage(page) {
  await page.locator('.view .corner.bl', { hasText: /C -?\d+\s+W \d+/ }).first().waitFor({ timeout: 30_000 });
}

export async function open(page, words) {
  await row(page, words).locator('.row-button').click();
  await page.locator('#room').waitFor();
  await waitForImage(page);
}

// Window and level by dragging, the stack by the wheel, orientation and patient on the view.
export async function looksAtTheImages(day) {
  const { page } = day.reader;
  await open(page, day.exams.chest.row);
  await keep(page, 'reading-ja');
  const box = await page.locator('.view').first().boundingBox();
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const before = await corner(page).textContent();
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down();
  await page.mouse.move(middle.x + 90, middle.y + 60, { steps: 6 });
  await page.mouse.up();
  const windowed = await corner(page).textContent();
  const width = (text) => Number(text.match(/W (\d+)/)[1]);
  assert.ok(width(windowed) > width(before), `dragging to the right widens the window: ${before}, then ${windowed}`);
  assert.match(windowed, /画像 1 \/ 12/);
  for (let step = 0; step < 3; step += 1) await page.mouse.wheel(0, 40);
  await page.locator('.view .corner.bl', { hasText: /画像 4 \/ 12/ }).waitFor();
  await page.locator('.view').first().press('End');
  await page.locator('.view .corner.bl', { hasText: /画像 12 \/ 12/ }).waitFor();
  assert.match(await page.locator('.view .corner.tl').first().textContent(), new RegExp(day.exams.chest.name), 'the patient is on the view');
  const edges = await page.locator('.view .edge').allTextContents();
  assert.ok(edges.includes('R') && edges.includes('L'), `orientation letters: ${edges}`);
  await page.locator('[data-act=invert]').click();
  await page.locator('[data-act=one]').click();
  await keep(page, 'reading-windowed-ja');
  await page.locator('[data-act=fit]').click();
}

// What is typed is kept without a word, and is there after a reload.
export async function writes(day) {
  const { page } = day.reader;
  await findings(page).fill('両側肺野に浸潤影を認めない。');
  await saved(page).waitFor({ timeout: 15_000 });
  await page.reload();
  await waitForImage(page);
  assert.equal(await findings(page).inputValue(), '両側肺野に浸潤影を認めない。');
  const scan = page.locator('.request a[href*="/files/"]');
  assert.equal((await page.request.get(await scan.first().evaluate((link) => link.href))).headers()['content-type'], 'application/pdf', 'the scanned form opens');
}

// Two windows on one read: neither overwrites the other, and the person chooses.
export async function hasTwoWindows(day) {
  const { page, context } = day.reader;
  const other = await context.newPage();
  await other.goto(page.url());
  await findings(other).fill('両側肺野に浸潤影を認めない。胸水なし。');
  await saved(other).waitFor({ timeout: 15_000 });
  await impression(page).fill('急性所見なし。');
  await page.locator('#differs[open]').waitFor({ timeout: 15_000 });
  await keep(page, 'reading-two-windows-ja', { fullPage: false });
  assert.match(await page.locator('[data-there]').textContent(), /胸水なし/);
  assert.match(await page.locator('[data-mine]').textContent(), /急性所見なし/);
  await page.locator('[data-keep=there]').click();
  assert.equal(await findings(page).inputValue(), '両側肺野に浸潤影を認めない。胸水なし。');
  await other.close();
}

// Asks the site; the case leaves for the answer with its draft.
export async function asksTheSite(day) {
  const { page } = day.reader;
  await page.locator('[data-opens="#ask"]').click();
  await page.locator('#ask textarea').fill('側面像はありますか。');
  await keep(page, 'reading-ask-ja', { fullPage: false });
  await page.locator('#ask button.primary').click();
  await page.waitForURL(/\/worklist/);
  await page.evaluate(() => { window.neverReloaded = true; });
}

// The answered case is on the same reader's list again, with its draft and the answer.
export async function getsItBack(day) {
  const { page } = day.reader;
  await page.locator('tr[data-read]:not([data-held])', { hasText: day.exams.chest.row }).waitFor({ timeout: 30_000 });
  assert.equal(await page.evaluate(() => window.neverReloaded), true, 'it came by itself');
  await open(page, day.exams.chest.row);
  assert.match(await findings(page).inputValue(), /胸水なし/, 'the draft was kept');
  assert.match(await page.locator('.thread').textContent(), /正面像のみ/);
}

export async function declines(day, words) {
  const { page } = day.reader;
  await page.goto(`${day.dokuei.origin}/worklist`);
  // Where the window is narrow the row has no button: the key does it.
  const button = row(page, words).locator('[data-decline]');
  if (await button.isVisible()) await button.click();
  else {
    await row(page, words).locator('td').first().click();
    await page.keyboard.press('d');
  }
  await page.locator('#decline [data-reason]').first().click();
  await keep(page, 'worklist-decline-ja', { fullPage: false });
  await page.locator('#decline button.danger').click();
  await row(page, words).waitFor({ state: 'detached', timeout: 15_000 });
}

// Signing is one deliberate act, within a session opened by the password; the next case is one key away.
export async function signs(day) {
  const { page } = day.reader;
  await page.goto(`${day.dokuei.origin}/worklist`);
  await open(page, day.exams.chest.row);
  await findings(page).fill('両側肺野に浸潤影を認めない。胸水なし。縦隔に有意なリンパ節腫大なし。');
  await impression(page).fill('急性期の異常所見を認めない。');
  await page.locator('[data-sign]').click();
  await page.locator('#sign [name=password]').waitFor();
  assert.match(await page.locator('#sign').textContent(), new RegExp(day.exams.chest.name));
  await keep(page, 'reading-sign-ja', { fullPage: false });
  for (const conflict of await page.locator('#sign fieldset').all()) await conflict.locator('input').first().check();
  await page.locator('#sign [name=password]').fill('not the password');
  await page.locator('#sign [data-name]').click();
  await page.locator('#sign [data-fault]:not([hidden])').waitFor();
  await keep(page, 'reading-sign-refused-ja', { fullPage: false });
  await page.locator('#sign [name=password]').fill(day.dokuei.person(day.reader.login).password);
  await page.locator('#sign [data-name]').click();
  await page.waitForURL(/\/worklist/, { timeout: 60_000 });
  await page.locator('.note.good').waitFor();
  await keep(page, 'worklist-signed-ja');
}

// From the list to the signature without a mouse, in English and in the light.
export async function signsByKeyboard(day, words) {
  const { page } = day.keyboard;
  const { person } = day.dokuei;
  const press = (...keys) => keys.reduce((done, key) => done.then(() => page.keyboard.press(key)), Promise.resolve());
  await page.goto(`${day.dokuei.origin}/worklist`);
  await row(page, words).waitFor({ timeout: 30_000 });
  await assertTidy(page, 'the worklist in English');
  await press('/');
  await page.keyboard.type(words);
  await press('Enter', 'Enter');
  await page.locator('#room').waitFor();
  await page.locator('.view .corner.bl', { hasText: /Image|image/ }).first().waitFor({ timeout: 30_000 });
  await press('e');
  await page.keyboard.type('No focal consolidation. No effusion.');
  await press('Tab');
  await page.keyboard.type('No acute finding.');
  await press('Control+Enter');
  await page.locator('#sign [data-first]').waitFor();
  await keep(page, 'reading-sign-en', { fullPage: false });
  for (const conflict of await page.locator('#sign fieldset').all()) {
    await conflict.locator('input').first().focus();
    await press('Space');
  }
  await page.locator('#sign [data-first]').focus();
  await page.keyboard.type(person(day.keyboard.login).password);
  await press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.hasAttribute('data-name')), true, 'the name is a step of its own');
  await press('Enter');
  await page.waitForURL(/\/worklist/, { timeout: 60_000 });
}
