// What follows a signature: the site's doctor, the billing clerk, the administrator, the security officer.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertTidy, keep } from '../chromium.mjs';

async function download(page, act) {
  const [file] = await Promise.all([page.waitForEvent('download'), act()]);
  return readFile(await file.path());
}

// The doctor reads the report, takes it along, accepts it and says what was done.
export async function theDoctorActs(day) {
  const { page } = day.doctor;
  await page.goto(`${day.dokuei.origin}/portal/reports`);
  await page.locator('tr[data-line]', { hasText: day.exams.chest.name }).waitFor();
  await assertTidy(page, 'the reports');
  await keep(page, 'portal-reports-ja');
  await page.locator('tr[data-line]', { hasText: day.exams.chest.name }).locator('a.row-link').click();
  await page.locator('section.report').waitFor();
  const pdf = await download(page, () => page.locator('section.report .card-head a[href*="download=1"]').click());
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  await page.locator('form[action$="/accept"] button').click();
  await page.locator('.report-foot .note.good').first().waitFor();
  await page.locator('form[action$="/act"] [name=note]').fill('救急で経過観察とし、説明済み。');
  await page.locator('form[action$="/act"] button').click();
  await page.locator('#status', { hasText: '説明済み' }).waitFor();
  await assertTidy(page, 'the case with its report');
  await keep(page, 'portal-report-ja');
}

// The month with its lines, and both files.
export async function theClerkExports(day) {
  const { page } = day.clerk;
  await page.goto(`${day.dokuei.origin}/billing`);
  await page.locator('table.table tbody tr').first().waitFor();
  await assertTidy(page, 'the month');
  await keep(page, 'billing-ja');
  const utf8 = await download(page, () => page.locator('a[href*="encoding=utf8"]').click());
  const cp932 = await download(page, () => page.locator('a[href*="encoding=cp932"]').click());
  const text = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(utf8);
  assert.ok(text.startsWith('\ufeff"明細番号"'), 'a byte order mark, then headings');
  assert.equal(new TextDecoder('shift_jis', { fatal: true }).decode(cp932), text.slice(1), 'both say the same');
  const rows = await page.locator('section.flush table tbody tr').count();
  assert.equal(text.trimEnd().split('\r\n').length - 1, rows, 'a row for each line of the page');
}

// The skill table goes out, comes in changed, and comes in wrong.
export async function theAdministratorChangesSkills(day) {
  const { page } = day.administrator;
  await page.goto(`${day.dokuei.origin}/skills`);
  await assertTidy(page, 'the skill table');
  await keep(page, 'skills-ja');
  const csv = (await download(page, () => page.locator('a[href="/skills/export"]').click())).toString('utf8');
  const lines = csv.split('\r\n').length > 1 ? csv.split('\r\n') : csv.split('\n');
  const at = lines.findIndex((line, index) => index > 0 && line.includes(','));
  const cells = lines[at].split(',');
  const column = cells.findIndex((cell, index) => index > 0 && /^"?\d+"?$/.test(cell));
  const changed = cells[column].includes('55') ? '56' : '55';
  const file = join(day.folder, 'skills.csv');
  const put = async (value) => {
    const next = [...lines];
    const line = [...cells];
    line[column] = value;
    next[at] = line.join(',');
    await writeFile(file, next.join('\n'));
    await page.locator('[data-skills-import]').setInputFiles(file);
  };
  await put('many');
  await page.locator('#skills-outcome .bad, #skills-outcome .fault, #skills-outcome .note').first().waitFor();
  await keep(page, 'skills-refused-ja', { fullPage: false });
  await page.goto(`${day.dokuei.origin}/skills`);
  await put(changed);
  await page.locator('#skills-outcome .good, .note.good').first().waitFor();
  await page.goto(`${day.dokuei.origin}/skills`);
  const again = (await download(page, () => page.locator('a[href="/skills/export"]').click())).toString('utf8');
  assert.notEqual(again, csv, 'the table changed');
}

// Who signed what is in the trail, and the trail is whole: on the page, and for programs.
export async function theOfficerLooks(day) {
  const { page } = day.officer;
  const audit = page.locator('nav.side a[href^="/audit"]');
  if (await audit.count()) {
    await audit.first().click();
    await page.locator('main table').first().waitFor();
    await assertTidy(page, 'the audit trail');
    await keep(page, 'audit-ja');
    assert.match(await page.locator('main').textContent(), /report\.sign|署名/);
  }
  const signed = await day.dokuei.api('security', '/audit?action=report.sign');
  assert.ok(signed.some((row) => row.actor.includes(day.reader.login)), 'the signature is in the trail');
  assert.equal((await day.dokuei.api('security', '/audit/seals')).intact, true);
}
