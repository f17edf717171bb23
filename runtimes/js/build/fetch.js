'use strict'

// What Node's library takes of undici: fetch, WebSocket, EventSource and their classes, without the clients.
const { File } = require('node:buffer')

module.exports.fetch = require('undici/lib/web/fetch').fetch
module.exports.FormData = require('undici/lib/web/fetch/formdata').FormData
module.exports.Headers = require('undici/lib/web/fetch/headers').Headers
module.exports.Response = require('undici/lib/web/fetch/response').Response
module.exports.Request = require('undici/lib/web/fetch/request').Request
module.exports.WebSocket = require('undici/lib/web/websocket/websocket').WebSocket
module.exports.EventSource = require('undici/lib/web/eventsource/eventsource').EventSource
module.exports.MessageEvent = require('undici/lib/web/websocket/events').MessageEvent
module.exports.CloseEvent = require('undici/lib/web/websocket/events').CloseEvent
module.exports.File = File
