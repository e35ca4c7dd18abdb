// Every page in both languages, light and dark, kept as a picture and looked over by rule.

import { assertCalm, assertTidy, chooseTheme, keep, signIn } from '../chromium.mjs';

// Chooses the language through the person's own menu, where it is another; the account keeps it.
export async function speak({ page }, language) {
  if ((await page.locator('html').getAttribute('lang')) === language) return;
  await page.locator('header details.menu > summary').click();
  await page.locator(`header form[action="/language"] button[lang=${language}]`).click();
  await page.locator(`html[lang=${language}]`).waitFor();
}

async function pagesOf(day, window) {
  const pages = new Map();
  for (const link of await window.page.locator('nav.side a').all()) {
    const path = await link.getAttribute('href');
    pages.set(path.replaceAll('/', '-').replace(/^-/, '') || 'home', path);
  }
  pages.set('account', '/account');
  if (window.login === 'dispatch1') {
    pages.set('dispatch-trouble', '/dispatch/trouble');
    pages.set('dispatch-case', `/cases/${day.signedCase ?? 1}`);
  }
  if (window.login === 'doctor_a') {
    pages.set('portal-reports', '/portal/reports');
    const line = await window.page.request.get(`${day.dokuei.origin}/portal/reports`);
    const found = (await line.text()).match(/\/portal\/cases\/\d+/);
    if (found) pages.set('portal-case', found[0]);
  }
  return pages;
}

// Each role's pages at the narrowest width that is promised.
export async function everyPage(day) {
  const looks = process.env.DOKUEI_TEST_LONG
    ? [['ja', 'light'], ['ja', 'dark'], ['en', 'light'], ['en', 'dark']]
    : [['ja', 'light'], ['en', 'dark']];
  const roles = ['tech_a', 'doctor_a', day.reader.login, 'dispatch1', 'director', 'billing', 'admin', 'security'];
  for (const login of roles) {
    const window = await signIn(day.browser, day.dokuei, login, { width: 1280 });
    const { page } = window;
    for (const [language, theme] of looks) {
      await speak(window, language);
      await chooseTheme(page, theme);
      for (const [name, path] of await pagesOf(day, window)) {
        await page.goto(`${day.dokuei.origin}${path}`);
        await page.locator('main').waitFor();
        const title = `all-${name}-${login.replace(/\d/, '')}-${language}-${theme}`;
        await assertTidy(page, title);
        await keep(page, title);
      }
    }
    assertCalm(window, `${login} in every language and light`);
    await window.context.close();
  }
}
