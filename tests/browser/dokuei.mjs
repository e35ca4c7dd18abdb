// Dokuei for the browser tests: one process over a folder of its own, with the demo organisation.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

// Starts it and returns { origin, dicom, data, people, person, stop }. `extra` are further options of `dokuei run`,
// such as --demo; `prepare({ binary, data, environment })` may make the folder's contents and settings first.
export async function startDokuei(extra = [], prepare = async () => {}) {
  const binary = process.env.DOKUEI_TEST_BIN;
  if (!binary) throw new Error('DOKUEI_TEST_BIN is not set: run the browser tests with ops/test browser');
  const data = await mkdtemp(join(tmpdir(), 'dokuei-browser-'));
  const options = ['run', '--data', data, '--http', '127.0.0.1:0', '--dicom', '127.0.0.1:0', ...extra];
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('DOKUEI_') && !name.endsWith('_URL')),
  );
  await prepare({ binary, data, environment });
  const child = spawn(binary, options, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code)));

  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      if (line.startsWith('ready ')) resolve(line);
    });
  });
  const line = await Promise.race([
    ready,
    ended.then((how) => Promise.reject(new Error(`dokuei ended (${how}):\n${said.slice(-30).join('\n')}`))),
    after(READY_WITHIN_MS).then(() => Promise.reject(new Error(`dokuei was not ready:\n${said.slice(-30).join('\n')}`))),
  ]).catch(async (error) => {
    child.kill('SIGKILL');
    await rm(data, { recursive: true, force: true });
    throw error;
  });

  const people = await demoPeople(data);
  const address = (key) => line.match(new RegExp(`${key}=(\\S+)`))?.[1];
  // A token for the API and DICOMweb in the name of a person.
  const token = async (login) => {
    const arguments_ = ['user', 'token', login, '--name', 'test', '--data', data];
    const told = (await run(binary, arguments_, { env: environment })).stdout;
    return told.trim().split(/\s+/).at(-1);
  };
  const scheme = environment.DOKUEI_HTTP_TLS_CERTIFICATE ? 'https' : 'http';
  return {
    origin: `${scheme}://${address('http')}`,
    dicom: address('dicom'),
    data,
    said,
    people,
    token,
    // JSON of the API, asked for with a token in the name of a person.
    async api(login, path) {
      const headers = { Authorization: `Bearer ${await token(login)}` };
      return (await fetch(`http://${address('http')}/api/v1${path}`, { headers })).json();
    },
    // A person by his login.
    person(login) {
      const found = people.find((one) => one.login === login);
      if (!found) throw new Error(`no demo person is called ${login}`);
      return found;
    },
    // Ctrl-C; the exit code, which is 0 when it stopped cleanly. The folder goes with it.
    async stop() {
      child.kill('SIGINT');
      const how = await Promise.race([ended, after(STOP_WITHIN_MS).then(() => 'still running after Ctrl-C')]);
      child.kill('SIGKILL');
      await rm(data, { recursive: true, force: true });
      return how;
    },
  };
}

// The demo people as dokuei wrote them at its first start; none in a house that was made otherwise.
async function demoPeople(data) {
  const text = await readFile(join(data, 'demo-logins.txt'), 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  return lines.filter((line) => line && !line.startsWith('#')).map((line) => {
    const [login, password, role, name, site] = line.split('\t');
    return { login, password, role, name, site };
  });
}

function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
