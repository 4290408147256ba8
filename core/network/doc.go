// Package network is the edge of the node: it turns bytes into protocol.Request, hands it to the Executor, and turns the
// protocol.Response into bytes. It knows sockets, limits and headers; it decides no rights and runs no action.
//
// What the protocols share is here: who may call at all (Base.Admit), whose address counts (Proxies), the context of a
// request, the open connections (Connections), the memory of messages that are not complete (Unfinished) and of answers that are not taken (Unsent), and the counters. httpserver listens on the port and serves HTTP; wsserver
// takes over the connections that ask for WebSocket. A node is assembled so:
//
//	base := network.Base{Executor: funnel, Gate: gate, ...}
//	ws := wsserver.New(wsserver.Options{Base: base, ...})
//	http := httpserver.New(httpserver.Options{Base: base, WebSocket: ws, ...})
//	go http.Serve(listener)
//	http.Shutdown(ctx) // stops WebSocket too
//
// core/node imports it, and nobody else.
package network
