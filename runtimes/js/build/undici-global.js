'use strict'

// In the place of undici's lib/global.js: fetch by Node's own http and https, since undici's client needs a parser that
// is WebAssembly, which programs of this engine can't run.

const http = require('node:http')
const https = require('node:https')
const { InvalidArgumentError, SocketError } = require('./core/errors')

const symbol = Symbol.for('undici.globalDispatcher.1')

class NodeDispatcher {
  dispatch (opts, handler) {
    const url = new URL(opts.path, opts.origin)
    const secure = url.protocol === 'https:'
    let request
    let aborted
    const abort = (reason) => {
      aborted = reason ?? new DOMException('This operation was aborted', 'AbortError')
      request?.destroy(aborted)
    }
    handler.onConnect(abort)
    if (aborted) {
      handler.onError(aborted)
      return true
    }
    const headers = {}
    for (const [name, value] of Array.isArray(opts.headers) ? pairs(opts.headers) : Object.entries(opts.headers ?? {})) headers[name] = value
    if (opts.upgrade) Object.assign(headers, { connection: 'upgrade', upgrade: opts.upgrade })
    if (opts.body != null && typeof opts.body.length === 'number' && headers['content-length'] === undefined) headers['content-length'] = opts.body.length
    request = (secure ? https : http).request(url, { method: opts.method, headers, agent: false }, (response) => {
      const go = handler.onHeaders(response.statusCode, bytes(response.rawHeaders), () => response.resume(), response.statusMessage)
      if (go === false) response.pause()
      response.on('data', (chunk) => {
        if (handler.onData(chunk) === false) response.pause()
      })
      response.on('end', () => handler.onComplete([]))
      response.on('error', (error) => handler.onError(aborted ?? error))
    })
    request.on('upgrade', (response, socket, head) => {
      if (!opts.upgrade) {
        socket.destroy()
        handler.onError(new SocketError('bad upgrade'))
        return
      }
      if (head.length > 0) socket.unshift(head)
      handler.onUpgrade(response.statusCode, bytes(response.rawHeaders), socket)
    })
    request.on('error', (error) => handler.onError(aborted ?? error))
    send(request, opts.body).catch((error) => {
      request.destroy(error)
    })
    return true
  }

  async close () {}
  async destroy () {}
}

const bytes = (headers) => headers.map((h) => Buffer.from(h, 'latin1'))

function * pairs (list) {
  for (let i = 0; i < list.length; i += 2) yield [String(list[i]), String(list[i + 1])]
}

async function send (request, body) {
  if (body != null) {
    if (typeof body === 'string' || ArrayBuffer.isView(body)) request.write(body)
    else for await (const chunk of body) request.write(chunk)
  }
  request.end()
}

function setGlobalDispatcher (agent) {
  if (!agent || typeof agent.dispatch !== 'function') throw new InvalidArgumentError('Argument agent must implement Agent')
  Object.defineProperty(globalThis, symbol, { value: agent, writable: true, enumerable: false, configurable: true })
}

function getGlobalDispatcher () {
  return globalThis[symbol] ?? (own ??= new NodeDispatcher())
}
let own

module.exports = { setGlobalDispatcher, getGlobalDispatcher }
