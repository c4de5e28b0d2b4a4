/** A bar chart as SVG, readable on light and on dark pages. */

export interface Bar {
  readonly name: string;
  readonly value: number;
  /** What is written behind the bar. */
  readonly text: string;
  readonly own: boolean;
}

export interface Chart {
  readonly title: string;
  readonly subtitle: string;
  readonly bars: readonly Bar[];
}

const width = 720;
const left = 170;
const right = 150;
const line = 30;
const top = 62;

export function drawChart({ title, subtitle, bars }: Chart): string {
  const height = top + bars.length * line + 12;
  const most = Math.max(...bars.map((each) => each.value), Number.MIN_VALUE);
  const rows = bars.map(({ name, value, text, own }, index) => {
    const y = top + index * line;
    const length = Math.max(2, (value / most) * (width - left - right));
    return [
      `<text x="${left - 10}" y="${y + 16}" text-anchor="end" class="${own ? "own" : "name"}">${toXml(name)}</text>`,
      `<rect x="${left}" y="${y + 3}" width="${length.toFixed(1)}" height="18" rx="3" class="${own ? "bar own-bar" : "bar"}"/>`,
      `<text x="${(left + length + 8).toFixed(1)}" y="${y + 16}" class="${own ? "own" : "name"}">${toXml(text)}</text>`,
    ].join("\n");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${toXml(`${title}, ${subtitle}`)}">
<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; }
.title { font-size: 15px; font-weight: 600; fill: #1f2328; }
.own { font-weight: 600; fill: #1f2328; }
.bar { fill: #afb8c1; }
.own-bar { fill: #1a7f5a; }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1; }
  .title, .own { fill: #f0f6fc; }
  .bar { fill: #57606a; }
  .own-bar { fill: #3fb68b; }
}
</style>
<text x="16" y="24" class="title">${toXml(title)}</text>
<text x="16" y="44">${toXml(subtitle)}</text>
${rows.join("\n")}
</svg>
`;
}

function toXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
