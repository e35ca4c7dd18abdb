// An administrator holds a site to a limit, and the peer's page shows what the limit refused.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertCalm, assertTidy, keep, openChromium, signIn } from './chromium.mjs';
import { speak } from './day/gallery.mjs';
import { startDokuei } from './dokuei.mjs';
import { makeStudy, storescu } from './hospital.mjs';

let folder;
let dokuei;
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dokuei-limits-'));
  await makeStudy('CT_small.dcm', folder, 5, { PatientID: '0004713', PatientName: 'MIHON^GORO=見本^五郎=' });
  dokuei = await startDokuei();
  browser = await openChromium();
});

after(async () => {
  await browser?.close();
  await dokuei?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('a site is held to its limits, and its page says what was refused and what to do', async () => {
  const window = await signIn(browser, dokuei, 'admin');
  const { page } = window;
  await page.goto(`${dokuei.origin}/admin/peers`);
  await page.locator('tr', { hasText: 'HOSPITAL_A' }).locator('a.row-link').click();
  const card = page.locator('#limits');
  await card.locator('form').waitFor();
  assert.match(await card.innerText(), /みなと総合病院/, 'it says whose limits these are');
  await card.locator('[name=association_objects]').fill('3');
  await card.locator('[name=day_megabytes]').fill('5000');
  // What the browser itself would not let through comes back with a word.
  await card.locator('form').evaluate((form) => { form.noValidate = true; });
  await card.locator('[name=idle_seconds]').fill('0');
  await card.locator('button.primary').click();
  await page.locator('#limits .field.wrong em').waitFor();
  assert.equal(await card.locator('[name=association_objects]').inputValue(), '3', 'what was typed stays');
  await keep(page, 'peer-limits-wrong-ja');
  await card.locator('[name=idle_seconds]').fill('');
  await card.locator('button.primary').click();
  await page.locator('#limits .field.wrong').waitFor({ state: 'detached' });
  assert.equal(await card.locator('[name=day_megabytes]').inputValue(), '5000');

  await assert.rejects(storescu(dokuei.dicom, 'HOSPITAL_A', folder), 'the fourth image is refused');
  const refused = page.locator('#refusals tbody tr');
  for (let turn = 0; turn < 60 && (await refused.count()) === 0; turn += 1) {
    await page.waitForTimeout(500);
    await page.reload();
  }
  for (const language of ['ja', 'en']) {
    await speak(window, language);
    const cells = (await refused.first().locator('td').allInnerTexts()).map((text) => text.trim());
    assert.ok(cells.every((text) => text.length > 0), `a reason and an advice: ${cells}`);
    assert.equal(/[ぁ-ん]/.test(cells.at(-1)), language === 'ja', `the advice in ${language}: ${cells.at(-1)}`);
    await assertTidy(page, `the page of a peer in ${language}`);
    await keep(page, `peer-limits-${language}`);
  }
  assertCalm({ faults: window.faults.filter((fault) => !fault.includes('422')) }, 'the page of a peer');
  await window.context.close();
});
