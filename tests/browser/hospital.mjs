// What a hospital has at hand: studies made of real files, a CD as a ZIP, a scanned request form, storescu.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('../python/', import.meta.url));

function fromOpsTest(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the browser tests with ops/test browser`);
  return value;
}

// Today in Japan, as DICOM writes it.
export function today() {
  return new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 10).replaceAll('-', '');
}

// A study of `count` instances in `folder`: pixels of the sample `template`, attributes over it. Returns its UIDs.
export async function makeStudy(template, folder, count, attributes) {
  const sample = join(fromOpsTest('DOKUEI_DICOM_SAMPLES'), template);
  const all = { StudyDate: today(), StudyTime: '080000', ...attributes };
  const script = [join(SCRIPTS, 'make_study.py'), sample, folder, String(count), JSON.stringify(all)];
  return JSON.parse((await run(fromOpsTest('DOKUEI_PYTHON'), script)).stdout);
}

// A ZIP as one makes it of a CD: the study's folder and what else lies on such a CD.
export async function makeCd(study, file) {
  await writeFile(join(study, 'AUTORUN.INF'), '[autorun]\nopen=viewer.exe\n');
  await mkdir(dirname(file), { recursive: true });
  await run(fromOpsTest('DOKUEI_PYTHON'), ['-m', 'zipfile', '-c', file, basename(study)], { cwd: dirname(study) });
}

// A ZIP of a CD with a DICOMDIR that names all of a study, of which `lost` files cannot be read any more.
export async function makeScratchedCd(study, file, lost) {
  await run(fromOpsTest('DOKUEI_PYTHON'), [join(SCRIPTS, 'make_cd.py'), study, file, String(lost)]);
}

// A scanned request form: a picture of handwriting, as PDF.
export async function makeScan(file) {
  const draw = [
    'import sys; from PIL import Image, ImageDraw',
    'page = Image.new("L", (620, 877), 250); pen = ImageDraw.Draw(page)',
    'pen.text((60, 60), "REQUEST FORM (TEST)", fill=20)',
    '[pen.line([(60, y), (560, y)], fill=160) for y in range(120, 820, 40)]',
    'page.save(sys.argv[1], "PDF")',
  ].join('\n');
  await run(fromOpsTest('DOKUEI_PYTHON'), ['-c', draw, file]);
}

// Sends a folder with storescu, as the site of that AE title.
export async function storescu(dicom, aeTitle, folder) {
  const [host, port] = dicom.split(':');
  const options = ['-aet', aeTitle, '-aec', 'DOKUEI', '-R', '+sd', '+r', host, port, folder];
  await run('storescu', options, { env: { ...process.env, TCP_NODELAY: '1' } });
}
