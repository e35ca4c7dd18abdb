// OHIF as its makers publish it, on an origin of its own, with a configuration that names one DICOMweb root.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const KINDS = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.ico': 'image/x-icon',
};

// Serves the viewer and returns { origin, useRoot, stop }. `useRoot(url)` sets where it looks for images; call it before
// the viewer is opened.
export async function serveOhif() {
  const folder = process.env.DOKUEI_OHIF;
  if (!folder) throw new Error('DOKUEI_OHIF is not set: run the browser tests with ops/test browser');
  let root = '';
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://viewer').pathname);
    // What lets a page share memory between its workers; the viewer's decoders want it.
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    if (path === '/app-config.js') {
      response.setHeader('Content-Type', KINDS['.js']);
      return response.end(configuration(root));
    }
    const file = await readFile(join(folder, path)).catch(() => null);
    response.setHeader('Content-Type', (file && KINDS[extname(path)]) || KINDS['.html']);
    response.end(file ?? (await readFile(join(folder, 'index.html'))));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    useRoot(url) { root = url; },
    stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

// A data source as OHIF's documentation writes one; everything else is as it comes.
function configuration(root) {
  return `window.config = ${JSON.stringify({
    routerBasename: null,
    extensions: [],
    modes: [],
    showStudyList: true,
    showWarningMessageForCrossOrigin: false,
    showCPUFallbackMessage: false,
    investigationalUseDialog: { option: 'never' },
    defaultDataSourceName: 'dokuei',
    dataSources: [{
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'dokuei',
      configuration: {
        friendlyName: 'Dokuei',
        name: 'dokuei',
        wadoUriRoot: root, qidoRoot: root, wadoRoot: root,
        qidoSupportsIncludeField: true,
        supportsFuzzyMatching: true,
        supportsWildcard: true,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        bulkDataURI: { enabled: true },
      },
    }],
  })};`;
}
