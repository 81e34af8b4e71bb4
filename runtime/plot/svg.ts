/**
 * SVG as text: elements with escaped attributes and contents, nothing else. Labels may come from
 * data (class names), so nothing reaches the text unescaped.
 */

export type Svg = { readonly svg: string };

type Attribute = string | number | undefined;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function escapeText(text: string): string {
  // Control characters are not allowed in XML at all, not even as entities.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is removed
  const clean = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
  return clean.toWellFormed().replace(/[&<>"]/g, (c) => escapes[c]!);
}

/** Two decimals are a hundredth of a pixel. */
function show(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : escapeText(value);
}

export function element(
  name: string,
  attributes: Readonly<Record<string, Attribute>>,
  children: readonly Svg[] | string = [],
): Svg {
  const head = Object.entries(attributes)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => ` ${k}="${show(v!)}"`)
    .join('');
  const body =
    typeof children === 'string' ? escapeText(children) : children.map((c) => c.svg).join('');
  return { svg: body === '' ? `<${name}${head}/>` : `<${name}${head}>${body}</${name}>` };
}

export const fontFamily = 'DejaVu Sans';

export type TextStyle = {
  readonly size?: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly colour?: string;
  readonly transform?: string;
};

/** `y` is the baseline. */
export function text(x: number, y: number, content: string, style: TextStyle = {}): Svg {
  const { size = 13, anchor = 'start', colour = '#222', transform } = style;
  return element(
    'text',
    { x, y, 'font-size': size, 'text-anchor': anchor, fill: colour, transform },
    content,
  );
}

/** DejaVu Sans is about 0.57 em wide on average; enough to lay out a legend. */
export const textWidth = (content: string, size: number): number => content.length * size * 0.57;

/** The whole document, on white. */
export function svgDocument(width: number, height: number, children: readonly Svg[]): string {
  const background = element('rect', { width, height, fill: '#fff' });
  const { svg } = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      'font-family': `${fontFamily}, Verdana, sans-serif`,
    },
    [background, ...children],
  );
  return `${svg}\n`;
}

/** At most `length` characters, the last an ellipsis when something is left out. */
export const cutText = (content: string, length: number): string =>
  content.length <= length ? content : `${content.slice(0, length - 1)}…`;
