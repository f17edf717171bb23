// Writes the page as the server would send it: the app's first picture, which the browser's part then takes over.
import { mkdirSync, writeFileSync } from 'node:fs'
import { renderToString } from 'react-dom/server'
import { App } from './app'

const page = `<!doctype html>
<title>Shelf</title>
<link rel="stylesheet" href="/app.css">
<div id="root">${renderToString(<App />)}</div>
<script src="/app.js"></script>
`
mkdirSync('dist', { recursive: true })
writeFileSync('dist/index.html', page)
console.log(`rendered ${page.length} characters`)
