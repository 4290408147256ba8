package config

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Server is the section server.
type Server struct {
	Port              int            `config:"port" doc:"Port of HTTP and WebSocket; 0 lets the system choose one." min:"0" max:"65535"`
	Host              string         `config:"host" doc:"Address to listen on; 0.0.0.0 for every address of the machine."`
	DataDir           string         `config:"dataDir" doc:"Folder of everything the node stores; made when missing. One running node a folder."`
	MaxRequestSize    Size           `config:"maxRequestSize" doc:"Largest HTTP body or WebSocket message." min:"1KB" max:"1GB"`
	MaxUnfinishedSize Size           `config:"maxUnfinishedSize" doc:"Memory for all WebSocket messages and MQTT packets above 16KB that have begun to arrive and are not complete. Further ones wait in the socket, for server.readTimeout at most; one alone always passes." min:"1MB"`
	MaxUnsentSize     Size           `config:"maxUnsentSize" doc:"Memory for all HTTP answers above 16KB that clients have not taken. When it is used up, connections whose clients take longest, and longer than a second, are closed; without such a one the answer is 503. One alone always passes." min:"1MB"`
	MaxHeaderSize     Size           `config:"maxHeaderSize" doc:"Largest HTTP request line with its headers." min:"4KB" max:"16MB"`
	MaxConnections    int            `config:"maxConnections" doc:"Connections open at once; one more is closed at once." min:"1"`
	ShutdownTimeout   time.Duration  `config:"shutdownTimeout" doc:"How long a stopping node takes at most. Running requests get three quarters of it, plugins and storage the rest." min:"0s"`
	ReadHeaderTimeout time.Duration  `config:"readHeaderTimeout" doc:"Time for a client to send the headers of a request." min:"1ms"`
	ReadTimeout       time.Duration  `config:"readTimeout" doc:"Time for a client to send a whole request, WebSocket message or MQTT packet once it has begun." min:"1ms"`
	WriteTimeout      time.Duration  `config:"writeTimeout" doc:"Time for a client to take an HTTP answer, counted from the end of the request's headers. Keep it above limits.requestTimeout when long requests must be answered." min:"1ms"`
	HTTPIdleTimeout   time.Duration  `config:"httpIdleTimeout" doc:"How long a silent HTTP connection is kept for the next request." min:"1ms"`
	StrictSDKVersion  bool           `config:"strictSdkVersion" doc:"Refuse requests of SDKs made for another major version of the API (volatile.sdkName, volatile.sdkVersion)."`
	TrustedProxies    []netip.Prefix `config:"trustedProxies" doc:"Networks whose X-Forwarded-For header is believed."`
	MaxStreams        int            `config:"maxStreams" doc:"Requests that one HTTP/2 connection may have open at once." min:"1" max:"100"`
	TLS               TLS            `config:"tls" doc:"Certificates. Without any the node speaks plain HTTP, WebSocket and MQTT."`
}

func defaultServer() Server {
	return Server{
		Port:              7512,
		Host:              "127.0.0.1",
		DataDir:           "./data",
		MaxRequestSize:    1 * MB,
		MaxUnfinishedSize: 64 * MB,
		MaxUnsentSize:     128 * MB,
		MaxHeaderSize:     64 * KB,
		MaxConnections:    10000,
		ShutdownTimeout:   30 * time.Second,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      40 * time.Second,
		HTTPIdleTimeout:   120 * time.Second,
		StrictSDKVersion:  true,
		MaxStreams:        100,
		TLS:               defaultTLS(),
	}
}

// Address is host and port in the form that net.Listen takes.
func (s Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }
