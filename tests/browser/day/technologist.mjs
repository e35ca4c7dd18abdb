// The technologist's part of the day: images by drag and drop and as a CD's ZIP, requests, the answer to a question.

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { assertTidy, keep } from '../chromium.mjs';

// Drops files on an element as the system's file manager does.
async function dropFiles(page, selector, files) {
  const box = await page.locator(selector).boundingBox();
  const client = await page.context().newCDPSession(page);
  const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await client.send('Input.dispatchDragEvent', { type, ...at, data });
  await client.detach();
}

const fate = (page, name) => page.locator(`#upload [data-fate=${name}] dd`);

async function uploadEnds(page, count) {
  await page.locator('[data-upload-words]', { hasText: `${count} / ${count}` }).waitFor({ timeout: 30_000 });
  await page.locator('[data-upload-stop]').waitFor({ state: 'hidden' });
  const bar = await page.locator('#upload progress').evaluate((one) => one.value / one.max);
  assert.equal(bar, 1, 'the bar is full');
}

async function fillRequest(page, values) {
  const form = page.locator('[data-request-form]');
  for (const [name, value] of Object.entries(values)) {
    const field = form.locator(`[name=${name}]`);
    const kind = await field.first().evaluate((one) => one.type);
    if (kind === 'radio') await form.locator(`label:has([name=${name}][value=${value}])`).click();
    else if (kind === 'select-one') await field.selectOption(value);
    else if (kind === 'file') await field.setInputFiles(value);
    else await field.fill(value);
  }
}

// Drops a folder's files; the form fills itself; stat without a phone comes back with a word, then goes.
export async function dropsAStudyAndAsks(day) {
  const { page } = day.technologist;
  await page.goto(`${day.dokuei.origin}/portal`);
  await assertTidy(page, 'the empty portal');
  await keep(page, 'portal-empty-ja');
  const folder = day.exams.chest.folder;
  const files = (await readdir(folder)).sort().map((name) => join(folder, name));
  await dropFiles(page, '#drop', files);
  await uploadEnds(page, files.length);
  assert.equal(await fate(page, 'kept').textContent(), String(files.length));
  const id = page.locator('[data-request-form] [name=patient_id]');
  await page.waitForFunction((wanted) => document.querySelector('[data-request-form] [name=patient_id]')?.value === wanted, day.exams.chest.patientId);
  assert.equal(await id.inputValue(), day.exams.chest.patientId, 'the form filled itself from the headers');

  const doctor = await page.locator('[name=ordering_user] option').nth(1).getAttribute('value');
  const wanted = {
    exam: '胸部CT', ordering_user: doctor, department: '救急科', priority: 'stat', source: 'emergency',
    question: '突然の呼吸困難。肺塞栓、気胸の有無をお願いします。', history: '高血圧。', files: day.scan,
  };
  await fillRequest(page, wanted);
  await keep(page, 'portal-request-ja');
  await page.locator('[data-send]').click();
  await page.locator('.field.wrong:has([name=phone]) em').waitFor();
  assert.match(await page.locator('.field.wrong:has([name=phone]) em').textContent(), /電話番号が必要/);
  assert.match(await page.locator('[name=question]').inputValue(), /呼吸困難/, 'what was typed stays');
  await keep(page, 'portal-request-wrong-ja');
  // A browser gives no file back into a form: it is chosen once more.
  await fillRequest(page, { phone: '000-1000-0001', files: day.scan });
  await page.locator('[data-send]').click();
  await page.locator('#toasts .toast.good').first().waitFor();
  const line = page.locator('.submission', { hasText: day.exams.chest.name });
  await line.waitFor();
  await assertTidy(page, 'the portal with a case');
  await keep(page, 'portal-sent-ja');
}

// The content of a CD goes as it is: what is no image is named and stops nothing.
export async function sendsACd(day) {
  const { page } = day.technologist;
  await page.goto(`${day.dokuei.origin}/portal`);
  await page.locator('[data-input=files]').setInputFiles(day.cd);
  await uploadEnds(page, 1);
  assert.equal(await fate(page, 'kept').textContent(), '1');
  assert.equal(await fate(page, 'ignored').textContent(), '1');
  await page.locator('[data-upload-details] summary').click();
  await keep(page, 'portal-cd-ja');
  assert.match(await page.locator('.upload-files').textContent(), /AUTORUN\.INF/);
  await page.waitForFunction(() => document.querySelector('[data-request-form] [name=study]')?.value);
  await fillRequest(page, {
    exam: '胸部X線 正面', ordering_doctor: '外来 当番', priority: 'urgent', source: 'outpatient', question: '検診で異常影。',
  });
  await page.locator('[data-send]').click();
  await page.locator('#toasts .toast.good').first().waitFor();
  await page.locator('.submission', { hasText: day.exams.film.name }).waitFor();
}

// A request whose images never came.
export async function asksBeforeTheImages(day) {
  const { page } = day.technologist;
  await page.goto(`${day.dokuei.origin}/portal`);
  await page.locator('[data-open-form]').click();
  await fillRequest(page, {
    patient_id: '0001099', birth_date: '1939-01-30', name_kanji: '試作 十郎', sex: 'M', accession_number: 'DAY099',
    exam: '腹部CT', ordering_doctor: '架空 診一', priority: 'routine', source: 'ward', question: '術前評価。',
  });
  await page.locator('[data-send]').click();
  await page.locator('.submission', { hasText: '試作 十郎' }).waitFor();
}

// The reader's question shows by itself and its answer lets the reading go on.
export async function answersTheReader(day) {
  const { page } = day.technologist;
  await page.goto(`${day.dokuei.origin}/portal`);
  const line = page.locator('.submission.asked');
  await line.waitFor({ timeout: 30_000 });
  await keep(page, 'portal-asked-ja');
  await line.locator('a.button').click();
  await page.locator('blockquote').waitFor();
  assert.match(await page.locator('blockquote').textContent(), /側面像/);
  await keep(page, 'portal-question-ja');
  await page.locator('[name=answer]').fill('側面像は撮影していません。正面像のみでお願いします。');
  await page.locator('form[action$="/answer"] button').click();
  await page.locator('.thread .mine').waitFor();
  await keep(page, 'portal-answered-ja');
}
