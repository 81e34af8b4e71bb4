/**
 * SVG to PNG by resvg, lettered with a font that comes from a package: the picture is the same on
 * every machine, also on one without any font. Both packages are loaded when first needed.
 */
import { createRequire } from 'node:module';
import { TenonError } from '../errors.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import { fontFamily } from './svg.ts';

/** `scale` 2 gives twice as many pixels each way, for text that stays sharp. */
export async function svgToPng(svg: string, scale = 1): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js');
  const font = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
  try {
    const drawing = new Resvg(svg, {
      fitTo: { mode: 'zoom', value: scale },
      font: { fontFiles: [font], loadSystemFonts: false, defaultFontFamily: fontFamily },
    });
    return drawing.render().asPng();
  } catch (e) {
    throw new TenonError('format', `the drawing cannot be turned into a PNG: ${String(e)}`, {
      cause: e,
    });
  }
}

/** Writes `path` with .svg and with .png instead of its extension, if any. */
export async function writeDrawing(path: string, svg: string, scale = 1): Promise<void> {
  const stem = path.replace(/\.(svg|png)$/, '');
  const png = await svgToPng(svg, scale);
  writeFileAtomic(`${stem}.svg`, svg);
  writeFileAtomic(`${stem}.png`, png);
}
