import { createHash } from 'node:crypto';
import type { ProblemEntry } from './problem-entries.ts';

const style = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { font: 0.9em ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid #8884; }
dt { font-weight: 600; margin-top: 1rem; }
dd { margin: 0; }
`;

/** Only this style may load: no script, no frame, no form, no other host. */
export const pageSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const sections = [
  ['answer', 'Responses', 'The `code` of a problem response.'],
  ['rows', 'Rows of an upload', 'The codes in `errors` and `warnings` of an upload.'],
  ['job', 'Jobs', 'The code in `error` of a job.'],
] as const;

/** All entries, grouped by where they occur. */
export function catalogPage(entries: readonly ProblemEntry[]): string {
  const tables = sections.map(([place, heading, meaning]) => {
    const rows = entries.filter(({ found_in }) => found_in.includes(place)).map((entry) => row(entry, place));
    return `<h2>${heading}</h2>
<p>${text(meaning)}</p>
<table>
<thead><tr><th>code</th>${place === 'answer' ? '<th>status</th>' : ''}<th>meaning</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
  });
  return page('Errors and how to fix them', tables.join('\n'));
}

function row({ code, status, title, job_title }: ProblemEntry, place: string): string {
  const link = `<a href="/problems/${encodeURIComponent(code)}"><code>${escapeHtml(code)}</code></a>`;
  const meaning = place === 'job' ? (job_title ?? title) : title;
  return `<tr><td>${link}</td>${place === 'answer' ? `<td>${status}</td>` : ''}<td>${text(meaning)}</td></tr>`;
}

/** One entry: its meaning, how to fix it, and which operations return it. */
export function entryPage(entry: ProblemEntry): string {
  const { code, status, title, cure, job_title, job_cure, operations, found_in } = entry;
  const terms: [string, string][] = [
    ['Code', `<code>${escapeHtml(code)}</code>`],
    ...(status === null ? [] : [['Status', String(status)] as [string, string]]),
    ['How to fix it', text(cure)],
    ...(job_title !== null && found_in.length > 1
      ? [['As error of a job', text(`${job_title}. ${job_cure}`)] as [string, string]]
      : []),
    ['Occurs in', escapeHtml(found_in.map((place) => placeNames[place]).join(', '))],
    ...(operations.length > 0
      ? [
          ['Returned by', operations.map((id) => `<code>${escapeHtml(id)}</code>`).join(', ')] as [
            string,
            string,
          ],
        ]
      : []),
  ];
  const list = terms.map(([term, meaning]) => `<dt>${term}</dt><dd>${meaning}</dd>`).join('\n');
  return page(title, `<dl>\n${list}\n</dl>\n<p><a href="/problems">All errors</a></p>`);
}

const placeNames = {
  answer: 'the response to a request',
  rows: 'the errors and warnings of an upload',
  job: 'the error of a job',
} as const;

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${text(title)}</h1>
${content}
</body>
</html>
`;
}

/** Text between backticks becomes code. */
const text = (source: string) => escapeHtml(source).replace(/`([^`]+)`/g, '<code>$1</code>');

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (source: string) => source.replace(/[&<>"']/g, (character) => entities[character]!);
