// The house serves HTTPS itself: a person signs in, works and leaves, with a cookie that is for HTTPS alone.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { assertCalm, assertTidy, keep, openChromium, openWindow, signIn } from './chromium.mjs';
import { speak } from './day/gallery.mjs';
import { startDokuei } from './dokuei.mjs';

const run = promisify(execFile);
let folder;
let plain;
let dokuei;
let browser;

// A port that is free at this moment.
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Which certificate a browser here believes in beside those of the public authorities.
async function believes(certificate) {
  const key = new X509Certificate(await readFile(certificate)).publicKey.export({ type: 'spki', format: 'der' });
  return `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dokuei-https-'));
  const [key, certificate] = [join(folder, 'https.key'), join(folder, 'https.crt')];
  await run('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=dokuei',
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate,
  ]);
  plain = await freePort();
  dokuei = await startDokuei([], async ({ environment }) => {
    environment.DOKUEI_HTTP_TLS_CERTIFICATE = certificate;
    environment.DOKUEI_HTTP_TLS_KEY = key;
    environment.DOKUEI_HTTP_REDIRECT_ADDRESS = `127.0.0.1:${plain}`;
  });
  browser = await openChromium([await believes(certificate)]);
});

after(async () => {
  await browser?.close();
  await dokuei?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

test('a browser that does not know the certificate shows no page', async () => {
  const stranger = await openChromium();
  const { page } = await openWindow(stranger);
  await assert.rejects(page.goto(`${dokuei.origin}/login`), /ERR_CERT_AUTHORITY_INVALID/);
  await stranger.close();
});

for (const language of ['ja', 'en']) {
  test(`one signs in over HTTPS, works and leaves, in ${language}`, async () => {
    const window = await signIn(browser, dokuei, 'tech_a');
    const { context, page } = window;
    await speak(window, language);
    assert.match(page.url(), /^https:/);
    assert.ok(await page.evaluate(() => window.isSecureContext), 'a secure context');
    const session = async () => (await context.cookies()).find((cookie) => cookie.name === 'dokuei_session');
    const { secure, httpOnly, sameSite } = await session();
    assert.deepEqual({ secure, httpOnly, sameSite: sameSite !== 'None' }, { secure: true, httpOnly: true, sameSite: true });

    const live = page.waitForResponse((answer) => answer.url().endsWith('/portal/events'));
    const main = await page.goto(`${dokuei.origin}/portal`);
    assert.match(main.headers()['strict-transport-security'] ?? '', /^max-age=31536000/);
    assert.match((await live).headers()['content-type'], /^text\/event-stream/);
    assert.equal(await page.locator('html').getAttribute('lang'), language);
    await assertTidy(page, 'the portal over HTTPS');
    await keep(page, `https-portal-${language}`);

    await page.locator('header details.menu > summary').click();
    await page.locator('header form[action="/logout"] button').click();
    await page.waitForURL('**/login**');
    assert.equal(await session(), undefined);
    assertCalm(window, 'over HTTPS');
    await context.close();
  });
}

test('an address without https leads there', async () => {
  const { context, page } = await openWindow(browser);
  await page.goto(`http://127.0.0.1:${plain}/login?to=%2Fportal`);
  assert.equal(page.url(), `${dokuei.origin}/login?to=%2Fportal`);
  await page.locator('input[name=password]').waitFor();
  await context.close();
});
