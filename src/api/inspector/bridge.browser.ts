/**
 * Runs on the page `/inspector`: forwards the messages of `/ws/inspect` to the hosted inspector in the frame.
 *
 * The frame posts `@statelyai.connected` when it is ready, also after a reload. Each time a new socket is opened, because
 * every connection begins with the registrations of all actors. Nothing is stored here.
 */
const inspector = 'https://stately.ai';

const frame = document.querySelector('iframe')!;
const line = document.querySelector('output')!;
const form = document.querySelector('form')!;
const field = document.querySelector('input')!;

let socket: WebSocket | null = null;
let token = ''; // in the memory of this page only
let failures = 0;
let messages = 0;

const showStatus = (state: string, text: string) => {
  line.dataset.state = state;
  line.value = text;
};

/** Why there is no ticket, and what to do. */
async function refusal(response: Response): Promise<string> {
  const { detail = response.statusText, code = '' } = await response.json().catch(() => ({}));
  if (response.status !== 401) return `${detail} (${code || response.status})`;
  form.hidden = false;
  field.focus();
  return token === '' ? 'Enter the token of an operator.' : 'Invalid token.';
}

/** A ticket, because WebSockets of browsers cannot send headers. Null if refused, after showing why. */
async function ticketOf(): Promise<string | null> {
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch('/tickets', { method: 'POST', headers });
  if (!response.ok) {
    showStatus('refused', await refusal(response));
    return null;
  }
  form.hidden = true;
  return (await response.json()).ticket;
}

async function connect(): Promise<void> {
  socket?.close();
  socket = null;
  showStatus('connecting', 'Connecting …');
  try {
    const ticket = await ticketOf();
    if (ticket !== null) open(ticket);
  } catch {
    retry('The service does not respond');
  }
}

function open(ticket: string): void {
  const url = new URL(`/ws/inspect?ticket=${encodeURIComponent(ticket)}`, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const mine = new WebSocket(url);
  socket = mine;
  mine.onopen = () => {
    failures = 0;
    messages = 0;
    showStatus('connected', 'Connected. Live actors may be ahead of the committed state.');
  };
  mine.onmessage = ({ data }) => {
    messages += 1;
    line.dataset.messages = String(messages);
    frame.contentWindow?.postMessage(JSON.parse(data), inspector);
  };
  mine.onclose = ({ code }) => {
    if (socket === mine) retry(reasons[code] ?? 'The connection was lost');
  };
}

const reasons: Record<number, string> = {
  1001: 'The service is shutting down',
  1006: 'The connection failed: the inspector is off (set INSPECTOR=on), or this is not the token of an operator',
  4429: 'This page reads too slowly',
  4430: 'Too many pages inspect this node',
};

function retry(why: string): void {
  socket = null;
  failures += 1;
  const seconds = Math.min(30, 2 ** (failures - 1));
  showStatus('waiting', `${why}. Trying again in ${seconds} s.`);
  setTimeout(() => void connect(), seconds * 1000);
}

addEventListener('message', ({ source, origin, data }) => {
  if (source !== frame.contentWindow || origin !== inspector) return;
  if (data?.type === '@statelyai.connected') void connect();
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  token = field.value.trim();
  field.value = '';
  void connect();
});

showStatus('loading', 'Loading the inspector from stately.ai …');
frame.src = `${inspector}/inspect`;
