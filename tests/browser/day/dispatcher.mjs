// The dispatcher's part of the day: the board, finding, pinning with its price, holding, the telephone.

import assert from 'node:assert/strict';
import { assertTidy, keep } from '../chromium.mjs';

const sheet = (page) => page.locator('#drawer .case-sheet');

async function find(page, words) {
  const field = page.locator('.finder [name=q]');
  const found = page.locator('.found-list li a');
  // A study becomes a case when it has been quiet for some seconds.
  for (let tries = 0; tries < 20; tries += 1) {
    await field.fill('');
    await field.pressSequentially(words);
    await page.locator('.found-list li a, .found-empty').first().waitFor();
    if (await found.count()) return found;
    await page.waitForTimeout(1000);
  }
  throw new Error(`nothing is found by ${words}`);
}

// Opens the case that is found by these words, beside the board.
export async function openCase(page, words) {
  await (await find(page, words)).first().click();
  await sheet(page).waitFor();
  return Number(await sheet(page).getAttribute('data-case'));
}

// Every way a person on the telephone may name a case leads to it.
export async function findsACaseByAnyOfItsNames(day) {
  const { page } = day.dispatcher;
  await page.goto(`${day.dokuei.origin}/dispatch`);
  const { patientId, kanji, kana, accession, name } = day.exams.chest;
  const cases = new Set();
  for (const words of [patientId, kanji, kana, accession]) {
    const found = await find(page, words);
    assert.match(await found.first().textContent(), new RegExp(name), `found by ${words}`);
    if (words === kana) await keep(page, 'dispatch-found-ja');
    cases.add(await openCase(page, words));
    await page.keyboard.press('Escape');
    await page.locator('#drawer').waitFor({ state: 'hidden' });
  }
  assert.equal(cases.size, 1, 'each of them is the same case');
  const none = page.locator('.finder [name=q]');
  await none.fill('居ない人');
  await page.locator('.found-empty').waitFor();
  await none.fill('');
}

// The board shows what waits, unmatched requests included, and why a case went where it went.
export async function seesTheBoardAndWhy(day) {
  const { page } = day.dispatcher;
  await page.goto(`${day.dokuei.origin}/dispatch`);
  await page.locator('.case-card').first().waitFor();
  assert.ok((await page.locator('.lane').count()) >= 5, 'a lane for each state');
  assert.ok(await page.locator('#lanes').evaluate((lanes) => lanes.innerText.includes('腹部CT')), 'a request without images');
  assert.equal(await page.locator('.figure').count(), 5, 'five numbers that matter now');
  await assertTidy(page, 'the board');
  await keep(page, 'dispatch-board-ja');
  await openCase(page, day.exams.chest.patientId);
  const why = sheet(page).locator('ul.why li');
  await why.first().waitFor();
  assert.ok((await why.count()) >= 2, 'this reader, and what another would have cost');
  await keep(page, 'dispatch-sheet-ja', { fullPage: false });
  await page.keyboard.press('Escape');
}

// Gives a case to another reader, after its price was shown. Returns the login of who has it now.
export async function pins(day, words, wanted = null) {
  const { page } = day.dispatcher;
  await page.goto(`${day.dokuei.origin}/dispatch`);
  await openCase(page, words);
  const line = sheet(page).locator('.read-line').first();
  const before = (await line.locator('b').first().textContent()).trim();
  await line.locator('details.act:has(select[name=reader]) > summary').click();
  const select = line.locator('select[name=reader]');
  const options = await select.locator('option').evaluateAll((all) => all.map((one) => [one.value, one.textContent.trim()]));
  for (const [value, name] of options) {
    const login = day.dokuei.people.find((one) => one.role === 'reader' && one.name === name)?.login;
    if (!value || !login || name === before || (wanted && login !== wanted)) continue;
    await select.selectOption(value);
    const price = line.locator('.price');
    await price.filter({ hasText: name }).waitFor();
    if (await price.locator('form').count()) {
      await keep(page, 'dispatch-price-ja', { fullPage: false });
      await price.locator('[name=reason]').fill('専門の読影医に依頼するため');
      await price.locator('button.primary').click();
      await sheet(page).locator('.read-line b', { hasText: name }).first().waitFor({ timeout: 30_000 });
      await keep(page, 'dispatch-pinned-ja', { fullPage: false });
      await page.keyboard.press('Escape');
      return login;
    }
  }
  throw new Error(`no reader can take ${words} but ${before}: ${options.map(([, name]) => name).join(', ')}`);
}

// Holds a case and lets it go on; both need a reason and both show.
export async function holdsAndReleases(day, words) {
  const { page } = day.dispatcher;
  await page.goto(`${day.dokuei.origin}/dispatch`);
  await openCase(page, words);
  const act = async (path, reason) => {
    const part = sheet(page).locator(`details.act:has(> form[action$="/${path}"])`);
    await part.locator('> summary').click();
    await part.locator('[name=reason]').fill(reason);
    if (path === 'hold') await keep(page, 'dispatch-hold-ja', { fullPage: false });
    await part.locator('form button.primary').click();
  };
  await act('hold', '追加の画像を待つ');
  await sheet(page).locator('.note.warning').waitFor();
  assert.match(await sheet(page).locator('.note.warning').first().textContent(), /追加の画像を待つ/);
  await keep(page, 'dispatch-held-ja', { fullPage: false });
  await act('release', '画像が届いた');
  await sheet(page).locator('form[action$="/hold"]').waitFor({ state: 'attached' });
}

// A telephone call and a note stay with the case.
export async function notesACall(day, words) {
  const { page } = day.dispatcher;
  await page.goto(`${day.dokuei.origin}/dispatch`);
  await openCase(page, words);
  for (const [kind, contact, body] of [
    ['phone', '救急外来 架空先生', '10分後に患者が手術室へ移るとのこと。'],
    ['note', '', '次の枠で読影予定。'],
  ]) {
    const part = sheet(page).locator('details.act:has(> form[action$="/notes"])');
    await part.locator('> summary').click();
    await part.locator(`label:has([value=${kind}])`).click();
    if (contact) await part.locator('[name=contact]').fill(contact);
    await part.locator('[name=body]').fill(body);
    await part.locator('form button.primary').click();
    await sheet(page).locator('.thread li', { hasText: body }).waitFor();
  }
  assert.equal(await sheet(page).locator('.thread li.call').count(), 1, 'one of them is a call');
  await keep(page, 'dispatch-notes-ja', { fullPage: false });
}

// The login of the reader who has a case now.
export async function holder(day, words) {
  const { page } = day.dispatcher;
  await page.goto(`${day.dokuei.origin}/dispatch`);
  for (let tries = 0; tries < 60; tries += 1) {
    await openCase(page, words);
    const name = (await sheet(page).locator('.read-line b').first().textContent()).trim();
    const found = day.dokuei.people.find((one) => one.role === 'reader' && one.name === name);
    await page.keyboard.press('Escape');
    if (found) return found.login;
    await page.waitForTimeout(500);
  }
  throw new Error(`nobody has ${words}`);
}
