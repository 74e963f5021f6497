import { describe, expect, test } from 'vitest';
import {
  accepts,
  allowedMethods,
  charsetOf,
  isReadableCharset,
  preferred,
} from '../../../src/api/http/content-negotiation.ts';

describe('accepts', () => {
  test.each([
    [undefined, true],
    ['', true],
    ['*/*', true],
    ['APPLICATION/JSON', true],
    ['application/json; charset=utf-8; q=0.8', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
    ['text/html', false],
    ['application/json;q=0, */*', false],
    ['application/*;q=0, application/json', true],
    ['nonsense', false],
    ['application/json;q=much', false],
  ])('%s: %s', (header, expected) => {
    expect(accepts(header, ['application/json'])).toBe(expected);
  });
});

describe('preferred', () => {
  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/html,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['text/*;q=0.5, application/json;q=0.4', 'text/html'],
    ['application/json, text/html', 'application/json'],
    ['application/json;q=0, text/html;q=0', null],
    ['image/png', null],
  ])('%s: %s', (header, expected) => {
    expect(preferred(header, ['application/json', 'text/html'])).toBe(expected);
  });
});

describe('charset', () => {
  test.each([
    ['text/csv', null, true],
    ['text/csv; charset=UTF-8', 'utf-8', true],
    ['text/csv;header=present; Charset="us-ascii"', 'us-ascii', true],
    ['text/csv; charset=windows-1252', 'windows-1252', false],
  ])('%s names %s, readable: %s', (type, charset, readable) => {
    expect(charsetOf(type)).toBe(charset);
    expect(isReadableCharset(charset)).toBe(readable);
  });
});

describe('allowedMethods', () => {
  const routes = [
    { url: '/portfolios/:id', methods: ['GET', 'HEAD'] },
    { url: '/portfolios/:id', methods: ['DELETE'] },
    { url: '/portfolios', methods: ['POST'] },
    { url: '/docs/static/*', methods: ['GET'] },
    { url: '*', methods: ['OPTIONS'] },
  ];

  test.each([
    ['/portfolios/1', ['DELETE', 'GET', 'HEAD']],
    ['/portfolios', ['POST']],
    ['/portfolios/', []],
    ['/portfolios/1/2', []],
    ['/docs/static/page.js', ['GET']],
    ['/docs/static/a/b.js', ['GET']],
    ['/docs/static', []],
    ['/anything', []],
  ])('%s takes %j', (path, methods) => {
    expect(allowedMethods(routes, path)).toEqual(methods);
  });
});
