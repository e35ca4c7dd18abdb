// Another hospital's CD that cannot be read to its end: the technologist is told what is missing while he has it at hand.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertCalm, assertTidy, keep, openChromium, signIn } from './chromium.mjs';
import { speak } from './day/gallery.mjs';
import { startDokuei } from './dokuei.mjs';
import { makeScratchedCd, makeStudy } from './hospital.mjs';

let folder;
let cd;
let dokuei;
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dokuei-cd-'));
  const patient = {
    PatientID: 'T-5501', PatientName: 'TAIN^TARO=他院^太郎=たいん^たろう', PatientBirthDate: '19520803', PatientSex: 'M',
    StudyDate: '20260915', StudyDescription: 'HEAD CT', InstitutionName: 'Imaginary Clinic',
  };
  await makeStudy('CT_small.dcm', join(folder, 'study'), 6, patient);
  cd = join(folder, 'CD.zip');
  await makeScratchedCd(join(folder, 'study'), cd, 2);
  dokuei = await startDokuei();
  browser = await openChromium();
});

after(async () => {
  await browser?.close();
  await dokuei?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const fate = (page, name) => page.locator(`#upload [data-fate=${name}] dd`);

// The same CD twice: the second reading brings nothing new and lacks the same.
const TURNS = [
  { language: 'ja', fate: 'kept', said: /2026-09-15 HEAD CT：6 枚のうち 2 枚がありません。/ },
  { language: 'en', fate: 'repeated', said: /2026-09-15 HEAD CT: 2 of 6 images are missing\./ },
];

for (const turn of TURNS) {
  test(`what a CD's directory names and does not come is said, in ${turn.language}`, async () => {
    const window = await signIn(browser, dokuei, 'tech_a');
    const { page } = window;
    await speak(window, turn.language);
    await page.goto(`${dokuei.origin}/portal`);
    await page.locator('label:has([name=whose][value=elsewhere])').click();
    await page.locator('[data-whose-hint]').waitFor();
    await page.locator('[data-input=files]').setInputFiles(cd);
    const missing = page.locator('[data-upload-missing]');
    await missing.waitFor({ timeout: 30_000 });
    assert.match(await missing.locator('li').innerText(), turn.said);
    const share = await missing.locator('li').evaluate((line) => line.offsetWidth / line.closest('.note').offsetWidth);
    assert.ok(share > 0.6, `a sentence has ${share} of the note's width`);
    assert.equal(await fate(page, turn.fate).textContent(), '4', 'what could be read is here');
    assert.equal(await missing.getAttribute('role'), 'alert', 'who does not look at the screen hears it');
    await page.locator('[data-upload-details] summary').click();
    assert.match(await page.locator('.upload-files').textContent(), /DICOMDIR/);
    await assertTidy(page, `the portal after a CD in ${turn.language}`);
    await keep(page, `cd-missing-${turn.language}`);

    await page.locator('[data-upload-elsewhere] a').click();
    await page.waitForURL('**/portal/elsewhere**');
    assert.match(await page.locator('main').innerText(), /他院/);
    assert.match(await page.locator('main').innerText(), /T-5501/);
    await assertTidy(page, `whose images these are, in ${turn.language}`);
    await keep(page, `cd-elsewhere-${turn.language}`);
    assertCalm(window, 'the portal with a CD');
    await window.context.close();
  });
}
