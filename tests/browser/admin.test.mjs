// An administrator's first hour in Chromium: from `dokuei init` to a house that is set up, by clicking only.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { keep, openChromium, openWindow } from './chromium.mjs';
import { startDokuei } from './dokuei.mjs';

let dokuei;
let browser;
let password;

before(async () => {
  dokuei = await startDokuei([], async ({ binary, data, environment }) => {
    const { stdout } = await promisify(execFile)(binary, ['init', '--data', data], { env: environment });
    password = stdout.match(/password (\S+)/)[1];
  });
  browser = await openChromium();
});

after(async () => {
  await browser?.close();
  await dokuei?.stop();
});

async function signIn(options) {
  const { context, page, faults } = await openWindow(browser, options);
  await page.goto(`${dokuei.origin}/login`);
  await page.fill('[name=login]', 'admin');
  await page.fill('[name=password]', password);
  await page.press('[name=password]', 'Enter');
  await page.waitForURL(`${dokuei.origin}/`);
  return { context, page, faults };
}

// Sends a form of a sheet; the sheet then loads anew with what was entered.
async function send(page, button) {
  await page.evaluate(() => { window.isOld = true; });
  await page.click(button);
  await page.waitForFunction(() => !window.isOld && document.readyState === 'complete');
}

const ticks = (page) => page.locator('.setup li.done').count();

test('a newcomer sets an empty house up, step by step', async () => {
  const { context, page, faults } = await signIn();
  assert.equal(await ticks(page), 0);
  await keep(page, 'admin-setup');

  await page.click('.setup .next a');
  await page.waitForURL('**/admin/sites');
  await page.keyboard.press('n');
  await page.waitForURL('**/admin/sites/new');
  await page.fill('[name=name_ja]', '架空記念クリニック');
  await page.fill('[name=code]', 'clinic_a');
  await send(page, 'main form button.primary');
  await page.goto(`${dokuei.origin}/`);
  await page.click('.setup .next a');
  await page.waitForURL('**/admin/endpoints/new**');
  await page.fill('[name=ae_title]', 'CLINIC_A');
  await page.fill('[name=addresses]', '127.0.0.1');
  await page.check('[name=receives]');
  await page.fill('[name=host]', '127.0.0.1');
  await page.fill('[name=port]', dokuei.dicom.split(':').pop());
  await send(page, 'main form button.primary');
  await page.click('form.echo button');
  await page.locator('[id^=echo-] .badge-bad').waitFor();
  assert.match(await page.locator('[id^=echo-]').innerText(), /DOKUEI|CLINIC_A/, 'the peer has another title, and that is said');

  await page.goto(`${dokuei.origin}/`);
  await page.click('.setup .next a');
  await page.fill('[name=name]', '標準');
  await send(page, 'main form button.primary');
  await page.fill('.price-line [name=first]', '3000');
  await page.fill('.price-line [name=reader]', '1800');
  await send(page, '.price-line button');
  assert.equal(await page.locator('input.yen').first().inputValue(), '3000', 'the line stands in the table at once');
  await page.goto(`${dokuei.origin}/`);
  await page.click('.setup .next a');
  await send(page, '#contracts button.primary');
  assert.match(await page.locator('#contracts table').innerText(), /標準/);
  await page.click('#days summary.button');
  await page.fill('#days [name=from_day]', '2027-08-14');
  await page.fill('#days [name=to_day]', '2027-08-13');
  await page.fill('#days [name=name]', '夏季休診');
  await page.click('#days button.primary');
  await page.locator('#days .field.wrong em').waitFor();
  await page.fill('#days [name=to_day]', '2027-08-15');
  await send(page, '#days button.primary');
  assert.match(await page.locator('#days table').innerText(), /2027-08-14/);
  await keep(page, 'admin-site');

  await page.goto(`${dokuei.origin}/admin/users/new`);
  await page.fill('[name=login]', 'yomu');
  await page.fill('[name=name_ja]', '見本 読影');
  await page.selectOption('[name=role]', 'reader');
  await send(page, 'main form button.primary');
  assert.match(await page.locator('[data-password]').innerText(), /^(\w{4}-){3}\w{4}$/);
  await page.click('a[href^="/admin/readers/new"]');
  await send(page, 'main form button.primary');
  await send(page, '.week-form button');
  assert.equal(await page.locator('.week .span').count(), 5, 'Monday to Friday');
  await page.selectOption('#privileges [name=site]', { index: 1 });
  await send(page, '#privileges button.primary');
  await keep(page, 'admin-reader');
  await page.goto(`${dokuei.origin}/`);
  assert.equal(await ticks(page), 7);
  assert.deepEqual(faults.filter((fault) => !fault.includes('422')), []);
  await context.close();
});

test('a cell of the skill table is edited by keyboard, saved, and taken back', async () => {
  const { context, page, faults } = await signIn({ colorScheme: 'dark' });
  await page.goto(`${dokuei.origin}/skills`);
  const cell = (region, modality) => page.locator(`[id="c-${region}-${modality}"]`);
  await cell('head', 'CT').click();
  await page.keyboard.type('80');
  await page.keyboard.press('ArrowDown');
  await page.locator('.toast.good').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'c-head.brain-CT', 'the next cell keeps the focus');
  assert.equal(await cell('head.brain', 'CT').getAttribute('placeholder'), '80', 'the region below takes the value');
  await page.keyboard.type('101');
  await page.keyboard.press('Enter');
  assert.match(await cell('head.brain', 'CT').getAttribute('class'), /refused/);
  await keep(page, 'admin-skills');
  await cell('head.brain', 'CT').press('Escape');
  await page.locator('.toast [data-undoes] button').click();
  await page.waitForFunction(() => document.getElementById('c-head-CT').value === '');
  assert.equal(await cell('head.brain', 'CT').getAttribute('placeholder'), '');
  assert.deepEqual(faults, []);
  await context.close();
});
