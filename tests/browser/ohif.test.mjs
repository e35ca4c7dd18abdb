// OHIF, the viewer many hospitals have, on a host of its own against our DICOMweb: it finds studies, opens them and
// draws them. Its list sifts what it was answered once more by the name's Latin letters, so kanji are searched for in
// the tests of QIDO-RS.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { keep, openChromium, openWindow } from './chromium.mjs';
import { startDokuei } from './dokuei.mjs';
import { makeStudy } from './hospital.mjs';
import { serveOhif } from './ohif.mjs';

let folder;
let ohif;
let dokuei;
let browser;
let token;
const studies = {};
// Native, lossless and lossy, grey and colour, one frame and many.
const STUDIES = {
  ct: { template: 'CT_small.dcm', count: 6 },
  film: { template: 'RG3_J2KR.dcm', count: 1 },
  enhanced: { template: 'emri_small_jpeg_2k_lossless.dcm', count: 1 },
  ultrasound: { template: 'examples_ybr_color.dcm', count: 1 },
  lossless: { template: 'JPEG-LL.dcm', count: 1 },
};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dokuei-ohif-'));
  ohif = await serveOhif();
  dokuei = await startDokuei([], async ({ environment }) => {
    environment.DOKUEI_HTTP_DICOMWEB_ORIGINS = ohif.origin;
  });
  ohif.useRoot(`${dokuei.origin}/dicomweb/sites/hospital_a`);
  token = await dokuei.token('tech_a');
  const patient = { PatientID: '0004711', PatientName: 'MATSUMOTO^TARO=松本^太郎=まつもと^たろう' };
  for (const [key, { template, count }] of Object.entries(STUDIES)) {
    const into = join(folder, key);
    studies[key] = await makeStudy(template, into, count, { ...patient, StudyDescription: `OHIF ${key}` });
    await storeOverWeb(into);
  }
  browser = await openChromium();
});

// STOW-RS of a folder, whatever its transfer syntaxes.
async function storeOverWeb(into) {
  const parts = [];
  for (const name of await readdir(into)) {
    parts.push(Buffer.from('--part\r\nContent-Type: application/dicom\r\n\r\n'), await readFile(join(into, name)), Buffer.from('\r\n'));
  }
  const body = Buffer.concat([...parts, Buffer.from('--part--\r\n')]);
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'multipart/related; type="application/dicom"; boundary=part' };
  const answer = await fetch(`${dokuei.origin}/dicomweb/sites/hospital_a/studies`, { method: 'POST', headers, body });
  assert.equal(answer.status, 200, await answer.text());
}

after(async () => {
  await browser?.close();
  await dokuei?.stop();
  await ohif?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

// What the viewer asked our server and what it was answered.
function listen(page) {
  const answers = [];
  page.on('response', (response) => {
    const url = new URL(response.url());
    if (url.origin === dokuei.origin) answers.push({ status: response.status(), method: response.request().method(), path: url.pathname, query: url.search });
  });
  return answers;
}

// How many grey values the largest canvas shows: one or two are an empty viewport.
function shades(page) {
  return page.evaluate(() => {
    const canvas = [...document.querySelectorAll('canvas')].sort((a, b) => b.width * b.height - a.width * a.height)[0];
    if (!canvas) return 0;
    const copy = document.createElement('canvas');
    copy.width = canvas.width;
    copy.height = canvas.height;
    const pen = copy.getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const seen = new Set();
    const { data } = pen.getImageData(0, 0, copy.width, copy.height);
    for (let at = 0; at < data.length; at += 4) seen.add(data[at]);
    return seen.size;
  });
}

for (const key of Object.keys(STUDIES)) {
  test(`OHIF draws the ${key} study it is given`, async () => {
    const { context, page } = await openWindow(browser);
    const answers = listen(page);
    try {
      await page.goto(`${ohif.origin}/viewer?StudyInstanceUIDs=${studies[key].study}&token=${token}`);
      await page.waitForFunction(() => document.querySelectorAll('canvas').length > 0, null, { timeout: 60_000 });
      let seen = 0;
      for (let turn = 0; turn < 60 && seen < 8; turn += 1) {
        await page.waitForTimeout(500);
        seen = await shades(page);
      }
      await page.getByText('Skip all').click({ timeout: 5_000 }).catch(() => {});
      await keep(page, `ohif-${key}`, { fullPage: false });
      assert.ok(seen >= 8, `the viewport shows ${seen} shades; ${JSON.stringify(answers.slice(-10))}`);
      const refused = answers.filter((answer) => answer.status >= 400);
      assert.deepEqual(refused, [], 'nothing is refused');
      assert.ok(answers.some((answer) => answer.path.endsWith('/metadata')), 'it read the metadata');
      assert.ok(answers.some((answer) => answer.path.includes('/frames/')), 'it read frames');
    } finally {
      await context.close();
    }
  });
}

test('OHIF lists the studies of a part of a name', async () => {
  const { context, page } = await openWindow(browser);
  const answers = listen(page);
  try {
    // Its list takes no token from the address: the header is what its sign-in would send.
    await context.setExtraHTTPHeaders({ Authorization: `Bearer ${token}` });
    await page.goto(`${ohif.origin}/?patientName=matsu`);
    const row = page.getByText('OHIF enhanced');
    await row.first().waitFor({ timeout: 30_000 });
    await keep(page, 'ohif-list', { fullPage: false });
    assert.match(await page.locator('body').innerText(), /OHIF film/);
    const refused = answers.filter((answer) => answer.status >= 400);
    assert.deepEqual(refused, [], 'nothing is refused');
  } finally {
    await context.close();
  }
});
