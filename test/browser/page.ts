/**
 * A page that holds the library: bundled as a user would bundle it, served from localhost (WebGPU
 * wants a secure context), opened in a headless Chromium with a software GPU.
 */
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const browserPath = (): string | undefined =>
  [process.env['TENON_CHROMIUM'] ?? '', ...browsers].find((p) => p !== '' && existsSync(p));

const flags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const html = `<!doctype html><title>tenon</title><link rel="icon" href="data:,">
<script type="module">import * as tenon from '/tenon.js'; globalThis.tenon = tenon;</script>`;

export type Opened = {
  readonly page: Page;
  /** What the page wrote to its console, and its uncaught errors. */
  readonly said: readonly string[];
  readonly close: () => Promise<void>;
};

/** `isolated`: cross-origin isolated, so that memory may be shared between threads. */
export async function openPage(
  executablePath: string,
  { isolated = true }: { readonly isolated?: boolean } = {},
): Promise<Opened> {
  const files = await bundle();
  const server = await serve(files, isolated);
  const { port } = server.address() as AddressInfo;
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch({ executablePath, args: flags });
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (m) => {
      // The WebGL driver remarks on slow reads; nothing of the library does.
      if (!m.text().startsWith('[.WebGL')) said.push(`${m.type()}: ${m.text()}`);
    });
    page.on('pageerror', (e) => said.push(`uncaught: ${e.message}`));
    await page.goto(`http://localhost:${port}/`);
    await page.waitForFunction('globalThis.tenon');
    const close = async (): Promise<void> => {
      await browser!.close();
      server.close();
    };
    return { page, said, close };
  } catch (e) {
    await browser?.close();
    server.close();
    throw e;
  }
}

/** The library and its chunks, by path. Dawn is Node's alone. */
async function bundle(): Promise<ReadonlyMap<string, string>> {
  const entry = fileURLToPath(new URL('../../runtime/index.ts', import.meta.url));
  const made = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      lib: { entry, formats: ['es'], fileName: 'tenon' },
      rollupOptions: { external: ['webgpu', /^node:/] },
    },
  });
  const outputs = (Array.isArray(made) ? made : [made]).flatMap((m) =>
    'output' in m ? m.output : [],
  );
  return new Map(outputs.flatMap((o) => (o.type === 'chunk' ? [[`/${o.fileName}`, o.code]] : [])));
}

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

function serve(files: ReadonlyMap<string, string>, isolated: boolean): Promise<Server> {
  const server = createServer((request, response) => {
    const code = files.get(request.url ?? '');
    const type = code === undefined ? 'text/html' : 'text/javascript';
    response.writeHead(code === undefined && request.url !== '/' ? 404 : 200, {
      'content-type': type,
      ...(isolated ? isolation : {}),
    });
    response.end(code ?? html);
  });
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(server));
  });
}
