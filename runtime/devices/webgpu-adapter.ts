/**
 * Finding a WebGPU adapter: the browser's own, or Dawn (npm `webgpu`) in Node.
 *
 * In Node, a machine without a GPU can still run shaders on SwiftShader, the software Vulkan driver
 * that chromium packages carry: when no driver is installed and the user has not chosen one by
 * VK_ICD_FILENAMES or VK_DRIVER_FILES, it is looked for where those packages put it. The Vulkan
 * loader takes a driver's description from the environment only, so VK_ICD_FILENAMES is set for the
 * length of one call and then restored; in a worker thread, whose environment is a copy, this has no
 * effect and the variable must be set from outside.
 */
import { TenonError } from '../errors.ts';

export type Found = { readonly adapter: GPUAdapter; readonly detail: string };

/** Where packages of chromium keep the description of SwiftShader. */
const swiftshader = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];
const driverFolders = (): string[] => [
  '/usr/share/vulkan/icd.d',
  '/etc/vulkan/icd.d',
  '/usr/local/share/vulkan/icd.d',
  '/usr/local/etc/vulkan/icd.d',
  '/run/opengl-driver/share/vulkan/icd.d',
  `${process.env['HOME'] ?? ''}/.local/share/vulkan/icd.d`,
];

/** Dawn as it was found to work; kept, since adapters do not outlive their instance. */
let dawn: GPU | undefined;
let inTurn: Promise<unknown> = Promise.resolve();

/** @throws TenonError `missing-package` or `device` with the reason. */
export function findAdapter(): Promise<Found> {
  // One search at a time: a search may change the environment while it waits.
  const search = inTurn.then(async () => {
    if (typeof navigator !== 'undefined' && navigator.gpu) return ask(navigator.gpu);
    return searchInNode();
  });
  inTurn = search.catch(() => undefined);
  return search;
}

async function ask(gpu: GPU): Promise<Found> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new TenonError('device', 'WebGPU finds no adapter on this machine');
  return { adapter, detail: describe(adapter.info) };
}

function describe(info: GPUAdapterInfo | undefined): string {
  const parts = [info?.vendor, info?.architecture, info?.device, info?.description];
  const said = [...new Set(parts.filter((p): p is string => Boolean(p)))];
  return said.length > 0 ? said.join(', ') : 'an adapter without a name';
}

async function searchInNode(): Promise<Found> {
  if (typeof process === 'undefined' || !process.versions?.node)
    throw new TenonError('device', 'this browser has no WebGPU', {
      hint: 'Pages have it in secure contexts (https or localhost) of a recent browser.',
    });
  if (dawn) return ask(dawn);
  const create = await loadDawn();
  const askNew = async (): Promise<Found> => {
    // Generated shaders write workgroup memory before they read it; clearing it besides costs time,
    // on SwiftShader seconds for every shader.
    const gpu = create(['enable-dawn-features=disable_workgroup_init']);
    const found = await ask(gpu);
    dawn = gpu;
    return found;
  };
  const { env } = process;
  const { existsSync } = await import('node:fs');
  const chosen = env['VK_ICD_FILENAMES'] ?? env['VK_DRIVER_FILES'];
  if (chosen !== undefined || process.platform !== 'linux') return askNew();
  const icd = swiftshader.find((f) => existsSync(f));
  const installed = await hasDriver();
  if (!icd && !installed)
    throw new TenonError('device', 'no Vulkan driver is installed on this machine', {
      hint: 'A software driver comes with the package chromium; VK_DRIVER_FILES names another one.',
    });
  if (!icd) return askNew();
  if (installed) {
    try {
      return await askNew();
    } catch {
      // No driver serves Dawn: SwiftShader is what is left.
    }
  }
  env['VK_ICD_FILENAMES'] = icd;
  try {
    return await askNew();
  } finally {
    delete env['VK_ICD_FILENAMES'];
  }
}

/** Whether a Vulkan driver is installed; asking the loader without one makes it print warnings. */
async function hasDriver(): Promise<boolean> {
  const { readdirSync } = await import('node:fs');
  return driverFolders().some((folder) => {
    try {
      return readdirSync(folder).some((f) => f.endsWith('.json'));
    } catch {
      return false;
    }
  });
}

async function loadDawn(): Promise<(flags: string[]) => GPU> {
  try {
    return (await import('webgpu')).create;
  } catch (cause) {
    throw new TenonError('missing-package', 'WebGPU in Node needs the npm package webgpu', {
      hint: 'Install it beside tenon: npm install webgpu@0.6.2',
      cause,
    });
  }
}
