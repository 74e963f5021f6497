/** Words that we do not use, each with what to write instead: STYLE, English. */
const plainWords: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\bmend(s|ed|ing|able)?\b/i, 'fix'],
  [/\banew\b/i, 'again'],
  [/\bwho(so)?ever\b/i, 'each, every, or who it is'],
  [/\bheed(s|ed|ing)?\b/i, 'apply, follow'],
  [/\b(given|gave|gives) up\b/i, 'timed out, stopped, closed'],
  [/\bcame:/i, 'got:'],
  [/\btold\b/i, 'sent, notified, called'],
  [/\b(an?|and|its|no|the|their|with) cures?\b/i, 'how to fix it'], // `cure` is a field of the API
  [/\bnobody (knows|asked|reads)\b/i, 'unknown, unused'],
  [/\bbe it\b|\blest\b|\bthere(of|upon|from)\b/i, 'a plain clause'],
  [/\bcatalogues?\b/i, 'catalog'],
];

/** The lines of a file that use words which a colleague would not say. Answers one sentence per line. */
export function wordBreaches(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    plainWords.flatMap(([pattern, instead]) => {
      const found = pattern.exec(line);
      return found ? [`${path}:${index + 1} says "${found[0]}": write ${instead}`] : [];
    }),
  );
}
