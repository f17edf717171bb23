// Serves dist, on the sandbox's loopback.
const { createServer } = require('node:http');
const { createReadStream, existsSync } = require('node:fs');
const { join, extname } = require('node:path');

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.map': 'application/json' };

createServer((request, response) => {
  const name = request.url === '/' ? '/index.html' : request.url;
  const file = join(__dirname, 'dist', name);
  if (!(extname(file) in types) || !existsSync(file)) {
    response.writeHead(404).end('not found\n');
    return;
  }
  response.writeHead(200, { 'content-type': types[extname(file)] });
  createReadStream(file).pipe(response);
}).listen(3000, '127.0.0.1', () => console.log('listening'));
