import { describe, expect, test } from 'vitest';
import { ask, serve } from '../serve.ts';

describe('the reference page', () => {
  test.each(['/docs', '/docs/'])('at %s loads nothing but what this service serves', async (path) => {
    const { url } = await serve();
    const page = await fetch(url + path, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const html = await page.text();
    const referenced = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, to]) => new URL(to!, page.url));
    expect(referenced.length).toBeGreaterThan(3);
    for (const to of referenced) {
      expect(to.origin).toBe(url);
      const asset = await fetch(to);
      await asset.arrayBuffer();
      expect([to.pathname, asset.status]).toEqual([to.pathname, 200]);
    }
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/);
  });

  test('says of its assets too that they can only be read', async () => {
    const { url } = await serve();
    const answer = await fetch(`${url}/docs/static/index.css`, { method: 'POST' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('lets a browser run and load only that, whatever else a description may say', async () => {
    const { url } = await serve();
    const { headers } = await fetch(`${url}/docs`);
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  });

  test('shows the same document as /openapi.json', async () => {
    const { url } = await serve();
    const [shown, served] = await Promise.all([ask(`${url}/docs/json`), ask(`${url}/openapi.json`)]);
    expect(shown.body).toEqual(served.body);
  });
});
