import { createHash } from 'node:crypto';

const style = `
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif }
body { margin: 0; height: 100vh; display: flex; flex-direction: column }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: center; padding: .5rem 1rem }
h1 { font-size: 1rem; margin: 0 }
output::before { content: '●'; margin-right: .4rem; color: #b58900 }
output[data-state=connected]::before { color: #2e8b57 }
output[data-state=refused]::before { color: #c0392b }
form { display: flex; gap: .5rem }
form[hidden] { display: none }
iframe { flex: 1; border: 0; border-top: 1px solid #8886 }
`;

/** The page that embeds the hosted Stately inspector. Its script opens the frame and the socket. */
export const inspectorPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Inspector: symbol onboarding</title>
<style>${style}</style>
<body>
<header>
<h1>Symbol onboarding: inspector</h1>
<output aria-live="polite"></output>
<form hidden><label>Token <input type="password" autocomplete="off" required></label><button>Connect</button></form>
<a href="/onboarding/actors">actors as JSON</a>
</header>
<iframe title="Stately inspector" sandbox="allow-scripts allow-same-origin allow-forms allow-popups allow-downloads"></iframe>
<script type="module" src="/inspector/bridge.js"></script>
</body>
</html>
`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** Allows our own script, our own WebSocket, and the frame of the inspector only. */
export const inspectorPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'sha256-${styleHash}'`,
  "connect-src 'self'",
  'frame-src https://stately.ai',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
