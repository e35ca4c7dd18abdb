// The story in Chromium: what each person sees and does, from the first page on.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keep, openChromium, openWindow } from './chromium.mjs';
import { startDokuei } from './dokuei.mjs';

let dokuei;
let browser;

before(async () => {
  dokuei = await startDokuei();
  browser = await openChromium();
});

after(async () => {
  await browser?.close();
  const how = await dokuei?.stop();
  assert.equal(how, 0, 'Ctrl-C stops it cleanly');
});

test('a stranger is asked who he is, in Japanese and in English', async () => {
  for (const [locale, name] of [['ja-JP', 'login-ja'], ['en-GB', 'login-en']]) {
    const { context, page, faults } = await openWindow(browser, { locale });
    await page.goto(`${dokuei.origin}/worklist`);
    assert.match(page.url(), /\/login/);
    await page.locator('input[name=password]').waitFor();
    await keep(page, name);
    assert.deepEqual(faults.filter((fault) => !fault.includes('401')), []);
    await context.close();
  }
});

test('a wrong password is refused with a sentence and without a session', async () => {
  const { context, page } = await openWindow(browser);
  await page.goto(`${dokuei.origin}/login`);
  await page.locator('input[name=login]').fill('nobody');
  await page.locator('input[name=password]').fill('not the password');
  await page.locator('input[name=password]').press('Enter');
  await page.locator('[role=alert]').waitFor();
  await keep(page, 'login-refused');
  const cookies = await context.cookies();
  assert.equal(cookies.find((cookie) => cookie.name === 'dokuei_session'), undefined);
  await context.close();
});
