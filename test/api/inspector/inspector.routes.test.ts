import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { serve, tokens } from '../serve.ts';

test('the inspector page may frame the inspector, and nothing else that a page can do', async () => {
  const { url } = await serve({ tokens });
  const page = await fetch(`${url}/inspector`, { headers: { accept: 'text/html' } });
  const html = await page.text();
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const style = createHash('sha256')
    .update(/<style>(.*)<\/style>/s.exec(html)![1]!)
    .digest('base64');
  expect(page.headers.get('content-security-policy')?.split('; ')).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'sha256-${style}'`,
    "connect-src 'self'",
    'frame-src https://stately.ai',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]);
  const strict = await fetch(`${url}/health/live`);
  expect(strict.headers.get('content-security-policy')).not.toContain('frame-src');
});

test('its script is JavaScript that asks nobody but us', async () => {
  const { url } = await serve({ tokens });
  const answer = await fetch(`${url}/inspector/bridge.js`);
  const script = await answer.text();
  expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(() => new Function(script)).not.toThrow();
  expect(script.match(/https?:\/\/[^\s'`]+/g)).toEqual(['https://stately.ai']);
});
