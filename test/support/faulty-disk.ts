import fs from 'node:fs';

// Loaded before a service (`--import`), to have its disk fail, or its process die, at a chosen moment. What it does
// begins when the file that FAULT_FROM names exists.
//
//     FAULT=refuse     no flush succeeds any more
//     FAULT=die:3      the third flush is done, and before anybody hears of it the process is gone, like by kill -9
const { FAULT = '', FAULT_FROM = '' } = process.env;
const [what, count = '1'] = FAULT.split(':');
const { fsyncSync } = fs;
let left = Number(count);

fs.fsyncSync = (descriptor) => {
  const begun = FAULT_FROM === '' || fs.existsSync(FAULT_FROM);
  if (begun && what === 'refuse') throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
  fsyncSync(descriptor);
  if (!begun || what !== 'die') return;
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
};
